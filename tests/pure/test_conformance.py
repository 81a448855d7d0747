"""The table of requirements is whole, and what it says of tests is true."""

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from gateway.cli.doctor import doctor
from gateway.conformance import REQUIREMENTS, Standing
from gateway.cpa_rules import CpaRule

TESTS = Path(__file__).parents[1]


@cache
def functions(file):
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    return {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_every_requirement_of_the_profiles_has_its_row():
    ids = [row.id for row in REQUIREMENTS]

    assert ids[:34] == [str(n) for n in range(1, 35)]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("row", REQUIREMENTS, ids=lambda row: row.id)
def test_every_test_that_is_named_exists(row):
    assert row.tests
    for one in row.tests:
        file, _, name = one.partition("::")
        assert name.startswith("test_")
        assert name in functions(file), one


def test_every_rule_that_is_named_exists():
    named = {rule for row in REQUIREMENTS for rule in re.findall(r"CPA-\d+", row.how)}

    assert named
    assert named <= {rule.id for rule in CpaRule}


def test_the_command_prints_every_row_without_an_installation():
    app = typer.Typer()
    app.command()(doctor)
    shown = CliRunner().invoke(app, ["--conformance"], env={"COLUMNS": "200"})
    told = CliRunner().invoke(app, ["--conformance", "--json"])

    assert (shown.exit_code, told.exit_code) == (0, 0)
    assert all(row.topic in shown.stdout for row in REQUIREMENTS if " " not in row.topic)
    rows = json.loads(told.stdout)
    assert [row["id"] for row in rows] == [row.id for row in REQUIREMENTS]
    assert {row["standing"] for row in rows} == set(Standing)
