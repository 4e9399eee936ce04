"""The command line: reads arguments, calls the rooms, prints. Must not decide anything that a library caller needs."""

from pipeline.cli.app import app, main

__all__ = ["app", "main"]
