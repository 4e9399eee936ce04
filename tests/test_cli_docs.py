"""The pages of docs/ that come from the code are those that the code gives."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))

import build_docs  # noqa: E402


@pytest.mark.parametrize("name", list(build_docs.pages()))
def test_a_generated_page_is_up_to_date(name):
    assert (ROOT / "docs" / name).read_text("utf-8") == build_docs.pages()[name], "run: make docs"


@pytest.mark.parametrize(("command", "text"), list(build_docs.helps()))
def test_the_help_of_every_command_is_in_the_docs(command, text):
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    assert f"## {command}\n" in page
    assert "\n".join(line.rstrip() for line in text.splitlines()) in page
