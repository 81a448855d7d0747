from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.catalogue import Role
from gateway.directory import Party
from gateway.errors import PolicyViolation
from gateway.message import Oin
from gateway.rules.deciding import LONGEST, SKEW, Asked, Said, hold_deadline, judge, moments, passed
from gateway.wire.toets import Uitkomst
from tests.parties import AT

OM = Party(oin=Oin("00000004003214345009"), name="OM", role=Role.OM, local=False, applicaties=())
OTHER = Oin("00000004003214345008")
VT = Oin("00000004003214345002")
ASKED = Asked(
    hold="d-1-0",
    decider=OM.oin,
    payload_sha256="ab" * 32,
    recipient=VT,
    table_version="T-1",
    open=True,
    askers=("systeem", "J. de Vries"),
)
SAID = Said(
    hold="d-1-0",
    signer=OM.oin,
    sender=OM.oin,
    outcome=Uitkomst.VRIJGEVEN,
    payload_sha256="ab" * 32,
    recipients=(OTHER, VT),
    table_version="T-1",
    decided_at=AT,
    valid_until=AT + timedelta(hours=1),
    officer=("anders", "mr. Q. Anders"),
    second=(),
    conditions=0,
    told="",
)
NIET = replace(SAID, outcome=Uitkomst.NIET, told="Belang van opsporing.")
TERMS = replace(SAID, outcome=Uitkomst.ONDER_VOORWAARDEN, conditions=1)


def test_a_decision_that_fits_counts():
    for said in (
        SAID,
        NIET,
        TERMS,
        replace(SAID, second=("bos", "mr. B. Bos")),
        replace(SAID, decided_at=AT + SKEW),
    ):
        judge(said, ASKED, signer=OM, at=AT)


WRONG = [
    (replace(SAID, hold="d-1-1"), ASKED, OM, "los"),
    (SAID, None, OM, "los"),
    (SAID, ASKED, None, "partij"),
    (SAID, ASKED, replace(OM, role=Role.POLITIE), "partij"),
    (SAID, ASKED, replace(OM, oin=OTHER), "partij"),
    (replace(SAID, signer=OTHER), ASKED, OM, "partij"),
    (replace(SAID, sender=OTHER), ASKED, OM, "partij"),
    (SAID, replace(ASKED, decider=OTHER), OM, "partij"),
    (replace(SAID, payload_sha256="cd" * 32), ASKED, OM, "inhoud"),
    (SAID, replace(ASKED, recipient=OM.oin), OM, "ontvanger"),
    (replace(SAID, recipients=()), ASKED, OM, "ontvanger"),
    (replace(SAID, table_version="T-0"), ASKED, OM, "tabel"),
    (replace(SAID, decided_at=AT + SKEW + timedelta(seconds=1)), ASKED, OM, "moment"),
    (replace(SAID, valid_until=AT), ASKED, OM, "verlopen"),
    (replace(SAID, valid_until=AT + LONGEST + timedelta(seconds=1)), ASKED, OM, "duur"),
    (replace(NIET, told="  "), ASKED, OM, "grond"),
    (replace(TERMS, conditions=0), ASKED, OM, "voorwaarden"),
    (replace(SAID, conditions=1), ASKED, OM, "voorwaarden"),
    (replace(SAID, officer=()), ASKED, OM, "vier_ogen"),
    (replace(SAID, officer=("", "")), ASKED, OM, "vier_ogen"),
    (replace(SAID, officer=("systeem", "S. Ysteem")), ASKED, OM, "vier_ogen"),
    (replace(SAID, officer=("vries", "j. de vries")), ASKED, OM, "vier_ogen"),
    (replace(SAID, second=("systeem", "S. Ysteem")), ASKED, OM, "vier_ogen"),
    (replace(SAID, second=("vries", "J. de Vries")), ASKED, OM, "vier_ogen"),
    (replace(SAID, second=("anders", "iemand anders")), ASKED, OM, "vier_ogen"),
    (replace(SAID, second=("anders-piket", "Mr. Q. Anders")), ASKED, OM, "vier_ogen"),
    (replace(SAID, officer=("Systeem", "S. Ysteem")), ASKED, OM, "vier_ogen"),
    (replace(SAID, second=("ANDERS", "iemand anders")), ASKED, OM, "vier_ogen"),
    (SAID, replace(ASKED, open=False), OM, "gesloten"),
]


@pytest.mark.parametrize(("said", "asked", "signer", "code"), WRONG)
def test_a_decision_that_does_not_fit_is_none(said, asked, signer, code):
    with pytest.raises(PolicyViolation) as caught:
        judge(said, asked, signer=signer, at=AT)
    assert caught.value.code == f"toets.besluit.{code}"


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("kind", "acuut", "asked", "hours"),
    [
        ("vtMeldingDi01", None, None, 72),
        ("vtMeldingDi01", True, None, 24),
        ("ucobDi01", False, ("vcobDi01", AT - HOUR), 71),
        ("uciDi01", True, ("vciDi01", AT - HOUR), 23),
        ("uciDi01", None, ("vtMeldingDi01", AT - HOUR), 119),
        ("vtTerugkoppelingDi01", None, None, 120),
        ("vtTerugkoppelingDi01", True, None, 24),
    ],
)
def test_a_hold_has_the_time_of_its_sender(kind, acuut, asked, hours):
    assert hold_deadline(kind, acuut=acuut, handed_in=AT, asked=asked) == AT + hours * HOUR


def test_moments_lie_between_start_and_deadline():
    steps = moments(AT, AT + 10 * HOUR, (0.9, 0.5))

    assert steps == (AT + 5 * HOUR, AT + 9 * HOUR)
    assert [passed(steps, AT + n * HOUR) for n in (0, 5, 8, 9, 20)] == [0, 1, 1, 2, 2]
    assert moments(AT, AT - HOUR, (0.5, 0.9)) == (AT, AT)
