"""Writes rows in the formats that people and programs read. Must not choose, sort or judge rows."""

from pipeline.export.formats import BINARY, FORMATS, Screen, format_of, write

__all__ = ["BINARY", "FORMATS", "Screen", "format_of", "write"]
