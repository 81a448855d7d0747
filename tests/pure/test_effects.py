"""What a change of table and approvals does to messages: more is held, or less."""

import pytest

from gateway.toetsing.bundle import make_bundle
from gateway.toetsing.effects import Effects, effects
from gateway.wire.confirmation import APPROVALS, TABLE

POLICE = "00000001003214345000"
RULE = """
[[regels]]
id = "R1"
bericht = "vtMeldingDi01"
pad = "object/aanhouding"
reden = "aanhouding"
"""
TERMS = """
[[termen]]
id = "straf"
woorden = ["verdachte", "dader"]
"""
APPROVAL = f"""
[[toestemmingen]]
id = "DT-1"
overeenkomst = "convenant"
gegeven_door = "mr. A. Anders"
grond = "Bpg 4:3"
berichten = ["vtMeldingDi01"]
ontvangers = ["{POLICE}"]
wpg_artikelen = ["8"]
geldig_van = 2026-01-01T00:00:00Z
geldig_tot = 2027-01-01T00:00:00Z
"""
HEAD = """
versie = "een"
koppelvlak = ["1.0.9"]
berichten = ["vtMeldingDi01"]
vrijgesteld = ["Bv01Bericht"]
"""


def made(table: str = HEAD + RULE + TERMS, approvals: str = APPROVAL):
    return make_bundle(POLICE, {TABLE: table.encode(), APPROVALS: approvals.encode()})


def texts(found: Effects) -> tuple[list[str], list[str], list[str]]:
    return tuple(
        [str(line) for line in lines] for lines in (found.held, found.passing, found.either)
    )


def changed(old: str, new: str):
    table, approvals = HEAD + RULE + TERMS, APPROVAL
    assert old in table + approvals
    return made(table.replace(old, new), approvals.replace(old, new))


BACK_AND_FORTH = {
    "a rule": (made(), made(HEAD + TERMS), "R1"),
    "a word": (made(), changed(', "dader"', ""), "dader"),
    "a message that is judged": (changed('["Bv01Bericht"]', "[]"), made(), "Bv01Bericht"),
}


@pytest.mark.parametrize(
    ("holds_more", "holds_less", "named"), BACK_AND_FORTH.values(), ids=BACK_AND_FORTH
)
def test_what_holds_more_one_way_holds_less_the_other(holds_more, holds_less, named):
    more = texts(effects(holds_less, holds_more))
    less = texts(effects(holds_more, holds_less))

    assert [named in text for text in more[0]] == [True]
    assert more[1:] == ([], [])
    assert [named in text for text in less[1]] == [True]
    assert (less[0], less[2]) == ([], [])


def test_an_approval_lets_go_and_without_it_is_held():
    without = made(approvals="")

    assert texts(effects(without, made()))[1] == [
        f"vtMeldingDi01 aan {POLICE}: gaat onder toestemming DT-1, zonder apart besluit."
    ]
    assert texts(effects(made(), without))[0] == [
        f"vtMeldingDi01 aan {POLICE}: niet meer onder toestemming DT-1."
    ]


def test_an_approval_that_covers_other_things_does_both():
    other = changed('wpg_artikelen = ["8"]', 'wpg_artikelen = ["13"]')

    held, passing, either = texts(effects(made(), other))

    assert held == ["Toestemming DT-1 geldt niet meer voor gegevens van artikel 8 Wpg."]
    assert passing == ["Toestemming DT-1 geldt nu ook voor gegevens van artikel 13 Wpg."]
    assert either == []


def test_parties_are_called_by_their_name():
    found = effects(made(approvals=""), made(), name=lambda oin: f"de partij {oin[-5:]}")

    assert "aan de partij 45000:" in str(found.passing[0])


def test_who_lets_a_rule_pass_is_told_both_ways():
    standing = changed(
        'reden = "aanhouding"', 'reden = "x"\ntoestemming = "doorlopend"\ncategorie = "c"'
    )
    categorised = changed('reden = "aanhouding"', 'reden = "x"\ncategorie = "c"')

    assert "zonder apart besluit" in texts(effects(categorised, standing))[1][0]
    assert "een officier besluit" in texts(effects(standing, categorised))[0][0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("object/aanhouding", "object/betreft/aanhouding"),
        (
            'woorden = ["verdachte", "dader"]',
            f'woorden = ["verdachte", "dader"]\nontvangers = ["{POLICE}"]',
        ),
        ("2027-01-01", "2026-07-01"),
    ],
)
def test_what_can_go_both_ways_is_told_as_such(old, new):
    held, passing, either = texts(effects(made(), changed(old, new)))

    assert (held, passing, len(either)) == ([], [], 1)


def test_words_for_people_do_nothing():
    assert effects(made(), changed('reden = "aanhouding"', 'reden = "anders"')) == Effects()
    assert effects(made(), changed('versie = "een"', 'versie = "twee"')) == Effects()
    assert effects(made(), made()) == Effects()
