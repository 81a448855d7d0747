"""Everything that the console says in Dutch has an English text, with the same names in it."""

import re

import pytest

from gateway.cpa_rules import CpaRule
from gateway.importing.texts import TEXTS
from gateway.keys.renewal_texts import VALID_LATER
from gateway.pipeline.accounts.guessing import Objection
from gateway.ports.accounts import Language
from gateway.toetsing.texts import TEXTS as TOETSING
from gateway.toetsing.texts import Effect
from gateway.web.api.alarm_texts import ALARMS
from gateway.web.api.steps import STEPS
from gateway.web.console.language import catalogue, say_in
from tests.console_texts import texts

SAID = {
    **texts(),
    **dict.fromkeys(STEPS.values(), "steps"),
    **dict.fromkeys(ALARMS.values(), "alarms"),
    **dict.fromkeys(TEXTS.values(), "importing"),
    **dict.fromkeys(TOETSING, "toetsing"),
    **dict.fromkeys(map(str, Effect), "effects"),
    **dict.fromkeys(map(str, Objection), "guessing"),
    VALID_LATER: "renewal",
    **{rule.text: rule.id for rule in CpaRule},
}
ENGLISH = catalogue(Language.EN)


def test_there_are_texts():
    assert len(SAID) > 300


@pytest.mark.parametrize("text", sorted(SAID))
def test_text_has_english(text):
    assert text in ENGLISH, SAID[text]
    assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", ENGLISH[text]))


def test_no_english_is_left_over():
    assert not set(ENGLISH) - set(SAID)


def test_dutch_is_said_as_it_stands():
    assert say_in(Language.NL)("nog {span}", span="1 min") == "nog 1 min"
    assert say_in(Language.EN)("nog {span}", span="1 min") == "1 min left"
