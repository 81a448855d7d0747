"""Files for a spreadsheet: nothing in them is a formula, whichever way they are split."""

import csv
import re
from io import StringIO

import pytest

from gateway.web.console.sheets import as_csv


def read(text, delimiter=","):
    return list(csv.reader(StringIO(text), delimiter=delimiter))


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝", "＋", "－", "＠"])
@pytest.mark.parametrize("before", ["", " ", "\t", "\r", "\n", "reden;", "reden; ", 'a"b;', "x\n"])
def test_no_cell_begins_as_a_formula(before, sign):
    text = as_csv(("kolom", "feiten"), [("eerst", f"{before}{sign}1+1")])

    split = [part for row in (text, text.replace('"', "")) for part in re.split(r"[,;\r\n]", row)]
    assert not [part for part in split if part.strip().startswith(sign)]


@pytest.mark.parametrize(
    "cell",
    ["2026-11-28T02:48:30+01:00", "zomaar", "a;b", "demo-1", '{"reason": "storing; 1+1 = 2"}', ""],
)
def test_what_is_no_formula_stays_as_it_is(cell):
    assert read(as_csv(("kolom",), [(cell,)])) == [["kolom"], [cell] if cell else [""]]
