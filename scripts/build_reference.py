"""Builds the packaged service reference: python scripts/build_reference.py."""

from pathlib import Path

from pipeline.reference import PACKAGED
from pipeline.reference.build import build

if __name__ == "__main__":
    build(Path(__file__).resolve().parents[1] / "data" / "service-reference", PACKAGED)
