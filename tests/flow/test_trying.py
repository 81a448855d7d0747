"""A dry run says what a hand-in would, and leaves no trace but one audit row."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.errors import Refused
from gateway.message import Aanlevering
from gateway.pipeline.trying import Check, Oordeel, Outcome, _Case, _term
from tests.flow import town as towns
from tests.flow.test_gate import FREE, hand_in, listen, melding
from tests.flow.town import NOW, OM, POLITIE, VT

TABLES = ("messages", "deliveries", "payloads", "payload_chunks", "lanes", "alarms", "audit")


async def try_out(town, octets, aanlevering=FREE):
    return await town[POLITIE].gateway.try_out(octets, aanlevering, town[POLITIE].backend)


def rows(folder):
    path = folder / POLITIE / "gateway.db"
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return {
            table: connection.execute(f"select count(*) from {table}").fetchone()[0]
            for table in TABLES
        }


def outcome(trial, check):
    (found,) = (one for one in trial.checks if one.check is check)
    return found.outcome


def codes(trial):
    return {finding.code for one in trial.checks for finding in one.findings}


async def test_a_good_message_would_be_taken_in_and_nothing_is_kept_or_sent(town, tmp_path):
    attempts, before = listen(town), rows(tmp_path)

    trial = await try_out(town, melding())
    await town.settle()

    assert trial.oordeel is Oordeel.ACCEPTED
    assert trial.error is None
    assert [one.check for one in trial.checks] == list(Check)
    assert {one.outcome for one in trial.checks} == {Outcome.GOOD}
    assert (trial.kind, trial.version, trial.referentienummer) == (
        "vtMeldingDi01",
        "1.0.9",
        "ref-1",
    )
    assert (trial.channel, trial.recipient) == ("ebms2", towns.HUB)
    assert NOW < trial.deadline - timedelta(days=5) < NOW + timedelta(minutes=1)
    assert attempts == []
    assert rows(tmp_path) == before | {"audit": before["audit"] + 1}


async def test_the_audit_row_tells_who_tried_and_nothing_of_the_content(town):
    await try_out(town, melding())

    trail = await town[POLITIE].store.reader.audit(after=0, limit=100)
    event = trail[-1].event
    assert (event.event, event.party, event.message) == ("message.tried", POLITIE, "")
    assert event.actor == town[POLITIE].backend.name
    assert event.data["oordeel"] == "aangenomen"
    assert set(event.data) == {"oordeel", "kind", "size"}


async def test_the_same_message_can_be_handed_in_afterwards_and_arrives(town):
    await try_out(town, melding())

    receipt = await hand_in(town, melding())
    await town.settle()

    assert receipt.fresh
    assert await town[VT].message("ref-1") is not None


async def test_what_would_be_held_says_why(town):
    trial = await try_out(town, melding(aanhouding="Ja"))
    receipt = await hand_in(town, melding(aanhouding="Ja"))

    assert trial.oordeel is Oordeel.HELD
    assert outcome(trial, Check.TOETS) is Outcome.HELD
    assert trial.reasons == receipt.reasons != ()
    assert trial.grounds == receipt.grounds
    assert [one.rule for one in trial.grounds] == ["OM-001"]


async def test_a_message_that_was_handed_in_before_would_get_that_answer(town):
    await hand_in(town, melding())

    trial = await try_out(town, melding())

    assert trial.oordeel is Oordeel.REPEATED
    assert codes(trial) == {"duplicate.herhaald"}


@pytest.mark.parametrize(
    ("octets", "aanlevering"),
    [
        (b"<a", FREE),
        (b"<!DOCTYPE a><a/>", FREE),
        (melding().replace(b"vtMeldingDi01", b"onbekendDi01"), FREE),
        (melding(zender=VT), FREE),
        (melding().replace(b"BVH", b"XYZ"), FREE),
        (melding(ontvanger=OM), FREE),
        (melding().replace(VT.encode(), b"99999999999999999999"), FREE),
        (melding().replace(b"datumMelding", b"datumMeldung"), FREE),
        (melding().replace(b"ref-1", b"r" * 60), FREE),
        (melding(), replace(FREE, wpg_artikel="9")),
    ],
    ids=lambda value: "" if not isinstance(value, bytes) else str(len(value)),
)
async def test_a_refusal_is_that_of_the_hand_in(town, octets, aanlevering):
    trial = await try_out(town, octets, aanlevering)

    with pytest.raises(Refused) as refusal:
        await hand_in(town, octets, aanlevering)
    assert trial.oordeel is Oordeel.REFUSED
    assert trial.error.code == refusal.value.code
    assert getattr(trial.error, "findings", ()) == getattr(refusal.value, "findings", ())


@pytest.mark.parametrize("aanlevering", [FREE, replace(FREE, acuut=True)])
async def test_a_number_that_is_taken_would_be_a_conflict(town, aanlevering):
    await hand_in(town, melding(), FREE)
    other = melding() if aanlevering != FREE else melding(aangifte="Nee")

    trial = await try_out(town, other, aanlevering)

    assert trial.oordeel is Oordeel.REFUSED
    assert outcome(trial, Check.DUBBEL) is Outcome.REFUSED
    with pytest.raises(Refused) as refusal:
        await hand_in(town, other, aanlevering)
    assert trial.error.code == refusal.value.code


async def test_everything_that_is_wrong_is_told_at_once(town):
    octets = (
        melding(zender=VT).replace(b"datumMelding", b"datumMeldung").replace(b"ref-1", b"r" * 60)
    )

    trial = await try_out(town, octets)

    refused = {one.check for one in trial.checks if one.outcome is Outcome.REFUSED}
    schema = next(one.error for one in trial.checks if one.check is Check.SCHEMA)
    assert {Check.AFZENDER, Check.SCHEMA} <= refused
    assert len({finding.path for finding in schema.findings}) >= 2
    assert outcome(trial, Check.REGELS) is Outcome.SKIPPED
    assert outcome(trial, Check.TOETS) is Outcome.SKIPPED


def test_the_longer_term_is_assumed_with_a_warning_when_acuut_is_not_said(town):
    kind = replace(
        next(iter(town[POLITIE].snapshots.current().catalogue.kinds.values())), name="vcobDi01"
    )
    case = _Case(
        octets=b"",
        directory=town[POLITIE].snapshots.current(),
        aanlevering=Aanlevering(),
        backend=town[POLITIE].backend,
        at=NOW,
        kind=kind,
    )

    _term(case)

    checked = case.checked[Check.TERMIJN]
    assert case.deadline == NOW + timedelta(hours=72)
    assert checked.outcome is Outcome.WARNING
    assert [finding.code for finding in checked.findings] == ["termijn.aangenomen"]


async def test_certificates_that_have_expired_are_told_beforehand(town):
    current = town[POLITIE].snapshots.current()
    lasting = {
        cpa_id: replace(agreement, end=NOW + timedelta(days=9_000))
        for cpa_id, agreement in current.agreements.items()
    }
    lasts = replace(current.gate.approvals[0], valid_until=NOW + timedelta(days=9_000))
    word = replace(current.gate.confirmation, valid_until=NOW + timedelta(days=9_000))
    gate = replace(current.gate, approvals=(lasts,), confirmation=word)
    await town[POLITIE].change(agreements=lasting, gate=gate)
    town.clock.forward(days=8_000)

    trial = await try_out(town, melding())

    assert trial.oordeel is Oordeel.ACCEPTED
    assert outcome(trial, Check.CERTIFICATEN) is Outcome.WARNING
    # The child of the example has grown up by then.
    assert codes(trial) == {"certificate.expired", "regel.rol.jeugdige"}


async def test_a_receiver_that_can_not_be_judged_is_a_warning_and_no_refusal(town):
    trust = replace(town[POLITIE].snapshots.current().trust, crls=())
    await town[POLITIE].change(trust=trust)

    trial = await try_out(town, melding())

    assert trial.oordeel is Oordeel.ACCEPTED
    assert outcome(trial, Check.CERTIFICATEN) is Outcome.WARNING
    assert codes(trial) == {"certificate.revocation_unknown"}


async def test_an_agreement_that_is_not_in_force_is_named(town):
    current = town[POLITIE].snapshots.current()
    later = {
        cpa_id: replace(agreement, start=NOW + timedelta(days=2))
        for cpa_id, agreement in current.agreements.items()
    }
    await town[POLITIE].change(agreements=later)

    trial = await try_out(town, melding(ontvanger=towns.HUB))

    assert trial.oordeel is Oordeel.REFUSED
    assert outcome(trial, Check.ROUTE) is Outcome.REFUSED
    assert codes(trial) >= {"agreement.not_in_force"}


async def test_an_agreement_that_ends_soon_is_a_warning(town):
    current = town[POLITIE].snapshots.current()
    ending = {
        cpa_id: replace(agreement, end=NOW + timedelta(days=5))
        for cpa_id, agreement in current.agreements.items()
    }
    await town[POLITIE].change(agreements=ending)

    trial = await try_out(town, melding())

    assert trial.oordeel is Oordeel.ACCEPTED
    assert codes(trial) == {"agreement.ends"}
