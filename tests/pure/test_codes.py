"""The registry of codes and the code base say the same."""

import ast
import re
from functools import cache

import pytest

from gateway import codes
from gateway.codes import CODES, Told
from gateway.errors import IllegalTransition, Refused
from gateway.rules.business import RULES
from gateway.web.api.alarm_texts import ALARMS
from gateway.wire import constraints
from gateway.wire.fout import FAMILIES, TABLE, row_for
from tests.codes_in_use import ERRORS, Scan

RULE_CODES = {rule.code for rule in RULES}
CONSTRAINTS = {c.code for c in vars(constraints).values() if isinstance(c, constraints.Constraint)}
RUN_TIME = {
    ("cli/doctor.py", "code"),
    ("keys/renewal.py", "f'certs.{code}'"),
    ("housekeeping.py", "code"),
    ("outbound/outcome.py", "code"),
    ("packs/inspection.py", "code"),
    ("pipeline/receipt.py", "rule"),
    ("pipeline/unproven.py", "code"),
    ("store/alarms.py", "code"),
    ("store/ending.py", "code"),
    ("store/postvak.py", "f'gate.{fault}'"),
    ("store/queue.py", "code"),
    ("web/control.py", "f'command.{name}'"),
}
"""Places that pass on a code of an error or a row that was counted where it arose."""
HOW = """
Add a line to the module of gateway/codes/ that has its subject, in the family of its class:
what it means, and what to do; then run `gateway docs docs` to make docs/foutcodes.md again.
When the sender of a message gets it as a Fo01, it also needs a row in gateway/wire/fout.py."""


@cache
def scan() -> Scan:
    return Scan()


def used() -> dict[str, set[str]]:
    return scan().codes()


def test_every_code_that_is_used_is_in_the_registry():
    missing = {
        code: kinds
        for code, kinds in used().items()
        if code not in CODES and code not in RULE_CODES | CONSTRAINTS
    }

    assert not missing, f"{missing}{HOW}"


def test_every_code_of_the_registry_is_used():
    there = set(used()) | {"bug.transition"}

    gone = set(CODES) - there
    assert not gone, f"{gone} is used nowhere: remove the line from gateway/codes/."


def test_codes_that_are_only_known_at_run_time_are_few_and_named():
    fresh = scan().unknown - RUN_TIME

    assert not fresh, (
        f"{fresh}: the codes of this call can not be read from the source. Give the code as a "
        "text, or name what it can be in COMPUTED of tests/codes_in_use.py."
    )
    assert not RUN_TIME - scan().unknown, "a place in RUN_TIME is no more: remove it"


def test_class_in_the_registry_is_one_that_carries_the_code():
    wrong = {
        code: (kinds, CODES[code].error)
        for code, kinds in used().items()
        if code in CODES and (classes := kinds & set(ERRORS))
        if getattr(CODES[code].error, "__name__", None) not in classes
    }

    assert not wrong


def test_no_code_is_there_twice_and_none_is_a_rule():
    assert len(codes.ALL) == len(CODES)
    assert not set(CODES) & (RULE_CODES | CONSTRAINTS)


def test_every_line_is_a_sentence_and_says_what_to_do():
    for one in codes.ALL:
        assert one.meaning.endswith("."), one
        assert one.remedy.endswith((".", "?", "`")), one
        assert one.told, one


def test_every_alarm_has_a_line_and_every_line_of_an_alarm_a_text():
    alarms = {one.code for one in codes.ALL if one.meaning.startswith("Alarm:")}

    assert alarms == set(ALARMS)


@pytest.mark.parametrize(("code", "line"), [("http.418", "http.*"), ("route.loop", "route.loop")])
def test_code_is_found_by_itself_or_by_its_family(code, line):
    assert codes.find(code).code == line
    assert codes.find("nergens.bekend") is None


# --- the Fo01 -------------------------------------------------------------------------

JUDGING = (
    "wire/xml.py",
    "wire/schema.py",
    "wire/constraints.py",
    "rules/routing.py",
    "rules/koppelvlak/",
    "pipeline/judge.py",
    "pipeline/admit.py",
)
"""What a message goes through whose refusal is a Fo01."""
ANSWERED = {"SchemaViolation", "Malformed", "NoRoute", "PolicyViolation", "Finding", "Constraint"}
SYNCHRONOUS = {"payload.count"}
"""Refused before the sender's document is looked at: a MessageError."""


def test_every_code_that_can_end_in_a_fo01_has_a_row():
    judged = {
        use.code
        for use in scan().uses
        if use.module.startswith(JUDGING) and use.kind in ANSWERED | {"Rule"}
    }
    missing = {code for code in judged - SYNCHRONOUS if row_for(code) is None}

    assert len(judged) > 100
    assert not missing, f"{missing}{HOW}"


def test_registry_and_table_of_the_fo01_name_the_same_codes():
    families = tuple(FAMILIES)
    told = {
        one.code for one in codes.ALL if Told.FO01 in one.told and not one.code.startswith(families)
    }
    rows = {code for code in TABLE if not code.startswith(tuple(FAMILIES))}

    assert told == rows
    assert {code for code in TABLE if code.startswith("regel.")} <= RULE_CODES


def test_a_bug_is_a_bug():
    assert CODES["bug.transition"].error is IllegalTransition


ENGLISH = re.compile(
    r"\b(the|this|not|does|has|with|than|too|known|readable|missing)\b", re.IGNORECASE
)
READ_BY_PEOPLE = {Told.API, Told.CONSOLE}


def refusals():
    """Yield code and text of every refusal, as far as both stand where it is raised."""
    for module in scan().modules:
        for node in ast.walk(module.tree):
            match node:
                case ast.Call(func=ast.Name(id=name), args=[ast.Constant(value=code), text, *_]):
                    if name in ERRORS and issubclass(ERRORS[name], Refused):
                        yield code, re.sub(r"\{.*?\}", "", ast.unparse(text))


def test_refusals_that_a_back_end_or_a_page_shows_are_in_dutch():
    shown = [(c, text) for c, text in refusals() if READ_BY_PEOPLE & {*codes.find(c).told}]

    assert len(shown) > 100
    assert [one for one in shown if ENGLISH.search(one[1])] == []
