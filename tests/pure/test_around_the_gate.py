"""docs/around-the-gate.md names tests that are there: the page is what an auditor goes by."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/around-the-gate.md").read_text()
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)))
LEAST = 40


@pytest.mark.parametrize(("file", "name"), NAMED, ids=[name for _, name in NAMED])
def test_a_test_that_the_page_names_is_there(file, name):
    assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(), re.MULTILINE)


def test_every_way_round_has_a_test():
    ways = PAGE.partition("## By what the sender")[2].partition("## What it does not stop")[0]
    rows = [row for row in ways.splitlines() if row.startswith("| ") and "Way round" not in row]

    assert len(rows) >= LEAST
    assert [row for row in rows if "::test_" not in row] == []


def test_no_test_of_getting_round_is_left_out():
    tests = (ROOT / "tests/flow/test_getting_round.py").read_text()
    there = set(re.findall(r"^async def (test_\w+)", tests, re.MULTILINE))
    told = {name for file, name in NAMED if file == "tests/flow/test_getting_round.py"}

    assert sorted(there - told) == sorted(KIN)


KIN = {
    "test_an_attempt_that_failed_is_made_again_under_the_same_decision",
    "test_a_decision_in_force_whose_rows_are_written_again_goes",
}
"""What goes through all the same: the gate holds what it must, and no more."""
