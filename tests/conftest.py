"""Lakes that several test files read; each is built once in a run."""

from pathlib import Path

import pytest

from bench.generate import generate
from pipeline.build import build_lake

SAMPLE = Path(__file__).resolve().parents[1] / "samples" / "organization"


@pytest.fixture(scope="session")
def sample_lake(tmp_path_factory):
    """The folder of a lake of the sample organization. For reading only."""
    lake = tmp_path_factory.mktemp("sample") / "lake"
    build_lake([SAMPLE], lake)
    return lake


@pytest.fixture(scope="session")
def generated_lake(tmp_path_factory):
    """The folder of a lake of a generated organization with production in several units. For reading only."""
    folder = tmp_path_factory.mktemp("generated")
    generate(folder / "inputs", accounts=10, principals=40, seed=4)
    build_lake([folder / "inputs"], folder / "lake")
    return folder / "lake"
