"""Runs ``reports/formula.js`` in node, or in a browser where there is no node."""

import json
import shutil
import subprocess
from typing import Any

import pytest
from chromium import BROWSER, started

from pipeline import assets

#: Verdicts of all formulas for each case: a text of letters, or the message of an error.
RUN = """
(asked) => asked.cases.map(([scenario, given]) => {
  try {
    const taken = FORMULA.state(asked.facts, scenario, given);
    const read = asked.pieces.map(FORMULA.read);
    const told = read.flatMap((piece) => piece.formulas.map((_, place) => FORMULA.verdict(piece, place, taken)));
    const cells = asked.demands.map((demand) => FORMULA.cell(demand, (one) => told[one]));
    return { verdicts: told.join(""), cells: cells.join("") };
  } catch (error) { return { error: String(error.message) }; }
})
"""
#: What each test does to values: true, false, or null where the script cannot tell.
HOLDS = """
(asked) => asked.map(([test, values]) => {
  const told = FORMULA.holds(FORMULA.test(test), values);
  return told === undefined ? null : told;
})
"""


def evaluated(asked: dict[str, Any]) -> list[dict[str, str]]:
    """What the script says of each case: verdicts of formulas and of cells, or an error."""
    return run(RUN, asked)


def holding(asked: list[Any]) -> list[bool | None]:
    """What each test, spelt as in the report, does to the values beside it."""
    return run(HOLDS, asked)


def run(function: str, asked: Any) -> Any:
    """What a function of the script's page returns."""
    source = assets.text("reports", "formula.js")
    node = shutil.which("node")
    if node:
        program = f"{source}\nconst asked = JSON.parse(require('fs').readFileSync(0, 'utf8'));\n"
        program += f"process.stdout.write(JSON.stringify(({function})(asked)));"
        done = subprocess.run(
            [node, "-e", program], input=json.dumps(asked), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)
    if BROWSER is None:
        pytest.skip("neither node nor Chromium on this machine")
    with started() as browser:
        page = browser.new_page()
        page.add_script_tag(content=source.replace("const FORMULA", "var FORMULA"))
        return page.evaluate(function, asked)
