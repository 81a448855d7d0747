"""Which passwords may be chosen, and what who chose another is told."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.errors import PolicyViolation
from gateway.pipeline.accounts.guessing import LEAST, MOST, Objection, check


def objection(password, login="a.bakker"):
    with pytest.raises(PolicyViolation) as caught:
        check(password, login)
    assert caught.value.code == "console.wachtwoord"
    return caught.value.text


@pytest.mark.parametrize(
    "password",
    [
        "een zin die niemand raadt",
        "paard-batterij-nietje",
        "kT7#pQ2!vX9z",
        "ik hou van kaas",
        "ééñ zín " * 16,
    ],
)
def test_length_and_chance_count_and_no_kinds_of_characters(password):
    check(password, "a.bakker")


@pytest.mark.parametrize("password", ["kT7#pQ2!vX9"[: LEAST - 1], "kT7#pQ2!vX9z" * 11])
def test_length_is_bounded(password):
    assert not LEAST <= len(password) <= MOST
    assert objection(password) == Objection.LENGTH


@pytest.mark.parametrize(
    ("password", "told"),
    [
        ("password1234", Objection.COMMON),
        ("P@ssw0rd1234", Objection.COMMON),
        ("iloveyou1234", Objection.COMMON),
        ("Wachtwoord2026!", Objection.NEAR),
        ("Welkom2026!!", Objection.NEAR),
        ("VeiligThuis2026!", Objection.NEAR),
        ("a.bakker1234", Objection.NEAR),
        ("bakker-bakker", Objection.NEAR),
        ("abcdefghijkl", Objection.PATTERN),
        ("a" * MOST, Objection.PATTERN),
        ("kT7#kT7#kT7#kT7#", Objection.PATTERN),
    ],
)
def test_what_is_soon_guessed_is_refused_and_told_why(password, told):
    assert objection(password) == told


def test_a_short_login_within_a_sentence_is_no_reason():
    check("om en om zitten wij hier", "om")


@pytest.fixture
def hasty():
    """Threads take turns far more often than usual."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.usefixtures("hasty")
def test_each_is_compared_with_its_own_login_when_many_choose_at_once():
    """The library shares one table between calls."""
    logins = [f"xq{n}zvwkrtj" for n in range(12)]
    with ThreadPoolExecutor(6) as pool:
        told = pool.map(lambda login: objection(f"{login}12", login), logins * 4)
        assert set(told) == {Objection.NEAR}
