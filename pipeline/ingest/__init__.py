"""Reads account exports, organization files and policy files. The only room that sees raw JSON."""

from pipeline.ingest.positions import Occurrence, Position, positions, principal_positions
from pipeline.ingest.read import read_inputs

__all__ = ["Occurrence", "Position", "positions", "principal_positions", "read_inputs"]
