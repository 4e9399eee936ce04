"""A lake in memory with the flattened relations alone: quick to make, and all that simulate reads."""

from pathlib import Path

from loading import load_rows

from pipeline.flatten import flatten
from pipeline.ingest import read_inputs
from pipeline.lake import Lake
from pipeline.lake.dictionary import relation
from pipeline.lake.duck import connect
from pipeline.reference import Reference


def flat_lake(folder: Path, reference: Reference) -> Lake:
    """Return the flattened relations of an input folder as a lake. Only evaluate counts what ``actions`` match."""
    inputs = read_inputs([folder], latest=False, progress=lambda message: None)
    connection = connect()
    for name, rows in flatten(inputs, lambda key: reference.key(key) is not None).items():
        load_rows(connection, relation(name), rows)
    return Lake(folder, "in memory", {}, connection)
