"""The table of bounds names tests that exist, and settings with the defaults that they have."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from gateway.config import LimitSettings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("## Bounds")[2].partition("\n## ")[0]
ROWS = re.findall(r"^\| (?!Bound|-)(.*) \|$", TABLE, re.MULTILINE)


@cache
def functions(file: str) -> set[str]:
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in tree.body if isinstance(node, kinds)}


def test_there_are_rows():
    assert len(ROWS) > 15


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.partition(" |")[0])
def test_every_bound_has_a_test(row):
    tests = re.findall(r"`([\w/]+\.py)::(\w+)`", row)

    assert tests
    for file, name in tests:
        assert name.startswith("test_")
        assert name in functions(file)


@pytest.mark.parametrize("row", [row for row in ROWS if "`limits." in row])
def test_a_setting_has_the_default_that_is_told(row):
    name, default = re.search(r"`limits\.(\w+)` = (\d+)", row).groups()

    assert getattr(LimitSettings.model_validate({}), name) == int(default)
