"""The vectors of bad input: enough, each with one fault, and told on a page."""

from collections import Counter

import pytest

from gateway.codes import CODES
from gateway.rules.business import RULES
from gateway.wire import constraints
from tests.vectors.page import COMMAND, PATH, lines, page
from tests.vectors.tampered import TABLE
from tests.vectors.topics import Topic

LINES = lines()
KNOWN = {
    *CODES,
    *(rule.code for rule in RULES),
    *(c.code for c in vars(constraints).values() if isinstance(c, constraints.Constraint)),
}


def test_every_topic_has_a_vector_and_wrapping_ten():
    found = Counter(line.topic for line in LINES)

    assert len(LINES) >= 250
    assert set(found) == set(Topic)
    assert found[Topic.WRAPPING] >= 10


def test_names_are_unique():
    assert [name for name, n in Counter(line.name for line in LINES).items() if n > 1] == []


@pytest.mark.parametrize("vector", TABLE, ids=lambda v: v.name)
def test_a_vector_differs_at_one_step_or_says_why_not(vector):
    assert (len(vector.steps()) == 1) != bool(vector.more)


def test_every_code_is_in_the_registry():
    assert {line.code for line in LINES} - KNOWN == {""}


def test_page_is_what_the_vectors_say():
    assert PATH.read_text(encoding="utf-8") == page(), f"write it again with {COMMAND}"
