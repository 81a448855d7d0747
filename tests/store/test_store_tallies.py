"""Daily totals: each audit row counts once, whoever folds, and on the right Dutch day."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa

from gateway.message import Fault
from gateway.ports import AuditEvent, Direction, SignalReceived, TryAgain
from gateway.ports.tallies import Measure
from gateway.store import tallies as folding
from gateway.store.counting import part_of
from gateway.store.tables import audit, tallies, tally_place
from gateway.store.tallies import Fold, Restart
from gateway.wire.toets import Uitkomst
from tests.store.stage import CPA, START, VT, Stage
from tests.store.test_store_toets import Desk

DAY = date(2026, 11, 24)
KIND = "vtMeldingDi01"


@pytest.fixture
def desk(stage):
    return Desk(stage)


def routed(stage, n, **changes):
    given = {"event": "message.routed", "at": stage.clock.now(), "message": f"m-{n}"}
    return AuditEvent(**(given | {"delivery": f"d-{n}"} | changes))


async def totals(stage, first=DAY, last=DAY):
    found = await stage.store.tallies.between(first, last)
    return {(one.measure, one.kind, one.detail): one.n for one in found.counts}


async def lines(stage):
    connection = stage.engine.reader()
    try:
        return connection.execute(sa.select(tallies).order_by(*tallies.primary_key)).all()
    finally:
        connection.close()


async def test_a_hold_counts_with_its_decision_and_how_long_it_took(desk, stage):
    hold = await desk.hold()
    await stage.admit(2)
    await stage.store.inbox.note(routed(stage, 1), routed(stage, 2))
    stage.clock.forward(hours=7)
    await desk.decide(hold, outcome=Uitkomst.ONDER_VOORWAARDEN)

    await stage.store.tallies.fold()

    assert await totals(stage) == {
        (Measure.OFFERED, KIND, ""): 2,
        (Measure.HELD, KIND, ""): 1,
        (Measure.RULED, KIND, "vrijgevenOnderVoorwaarden"): 1,
        (Measure.RELEASED, KIND, "individueel"): 1,
        (Measure.HOLDING, KIND, "50"): 1,
    }
    found = await stage.store.tallies.between(DAY, DAY)
    (took,) = [one.spent for one in found.counts if one.measure is Measure.HOLDING]
    assert took == timedelta(hours=7)
    assert found.per_day == ((DAY, Measure.OFFERED, 2), (DAY, Measure.HELD, 1))
    assert found.upto == stage.clock.now()


@pytest.mark.parametrize(("late", "when"), [(False, "tijdig"), (True, "te laat")])
async def test_what_is_taken_back_counts_as_in_time_or_too_late(desk, stage, late, when):
    await desk.decide(await desk.hold())
    if late:
        await stage.claim()
    await desk.withdraw("B-d-1-0", late=late)

    await stage.store.tallies.fold()

    assert (await totals(stage))[(Measure.WITHDRAWN, KIND, when)] == 1


@pytest.mark.parametrize("outcome", [Uitkomst.NIET, Uitkomst.TERUG])
async def test_what_is_not_released_counts_by_its_outcome(desk, stage, outcome):
    hold = await desk.hold()
    stage.clock.forward(hours=25)
    await desk.decide(hold, outcome=outcome)

    await stage.store.tallies.fold()

    assert await totals(stage, DAY, DAY + timedelta(days=1)) == {
        (Measure.RULED, KIND, str(outcome)): 1,
        (Measure.HOLDING, KIND, "later"): 1,
    }


async def test_a_disclosure_counts_when_its_receiver_confirms(stage):
    await stage.admit()
    (claim,) = await stage.claim()
    references = await stage.seal(claim, b"1")
    later = TryAgain(at=stage.clock.now(), code="http.503")
    await stage.store.queue.settle(claim, later, ())
    signal = SignalReceived(
        party=VT,
        cpa_id=CPA,
        message_id="signal-1",
        ref_to_message_id="bericht-1@politie.test",
        at=stage.clock.now(),
        references=references,
        references_required=True,
    )
    for _ in range(2):
        await stage.store.signals.receive(signal)

    await stage.store.tallies.fold()

    assert await totals(stage) == {
        (Measure.DISCLOSED, KIND, VT): 1,
        (Measure.CHANNEL, "", "ebms2"): 1,
    }


async def test_a_refusal_counts_by_code_and_no_number_of_somebody_is_kept(stage):
    at = stage.clock.now()

    def refused(event, code, **data):
        return AuditEvent(event=event, at=at, code=code, data=data)

    await stage.store.inbox.note(
        refused("message.refused", "schema.violation"),
        refused("input.refused", "tls.no_certificate", count=1),
        refused("input.refused", "tls.no_certificate", count=41),
        refused("postvak.refused", "VT001"),
        refused("postvak.refused", "999990019"),
        refused("postvak.refused", "BSN999990019"),
        refused("postvak.refused", "Jan Jansen"),
    )

    await stage.store.tallies.fold()

    assert await totals(stage) == {
        (Measure.REFUSED, "hier", "schema.violation"): 1,
        (Measure.REFUSED, "onbewezen", "tls.no_certificate"): 42,
        (Measure.REFUSED, "ontvanger", "VT001"): 1,
        (Measure.REFUSED, "ontvanger", "anders"): 3,
    }


async def test_a_fo01_counts_for_its_receiver_unless_it_was_made_here(stage):
    fault = Fault(code="VT001", place="server")
    await stage.admit_many(range(1, 5))
    for n, direction in ((1, Direction.INBOUND), (2, Direction.INBOUND), (3, Direction.OWN)):
        fo01 = await stage.admission(
            10 + n, kind="Fo01Bericht", fault=fault, direction=direction, deliveries=()
        )
        await stage.store.inbox.admit(replace(fo01, answers=f"m-{n}"))
    again = await stage.admission(21, kind="Fo01Bericht", fault=fault, deliveries=())
    await stage.store.inbox.admit(replace(again, answers="m-1"))
    bv01 = await stage.admission(14, kind="Bv01Bericht", deliveries=())
    await stage.store.inbox.admit(replace(bv01, answers="m-4"))

    await stage.store.tallies.fold()

    refused = {key: n for key, n in (await totals(stage)).items() if key[0] is Measure.REFUSED}
    assert refused == {(Measure.REFUSED, "ontvanger", "VT001"): 2}


async def test_a_day_is_a_dutch_day(stage):
    await stage.admit()
    late = datetime(2026, 11, 24, 22, 59, tzinfo=UTC)
    await stage.store.inbox.note(
        routed(stage, 1, at=late), routed(stage, 1, at=late + timedelta(minutes=1))
    )

    await stage.store.tallies.fold()

    days = {row.day for row in await lines(stage)}
    assert days == {"2026-11-24", "2026-11-25"}
    assert await totals(stage) == {(Measure.OFFERED, KIND, ""): 1}


async def test_each_row_counts_once_however_often_and_in_how_small_steps_is_folded(
    stage, monkeypatch
):
    await stage.admit()
    await stage.store.inbox.note(*(routed(stage, 1) for _ in range(23)))
    await stage.store.tallies.fold()
    at_once = await lines(stage)
    await _again(stage)
    monkeypatch.setattr(folding, "STEP", 4)
    monkeypatch.setattr(folding, "STEPS", 3)

    looked = [await stage.store.tallies.fold() for _ in range(6)]

    assert looked[:2] == [12, 12]
    assert looked[-1] == 0
    assert await lines(stage) == at_once
    assert [row.n for row in at_once] == [23]


async def _again(stage):
    """Make the totals those of an older way to count."""
    stage.raw("UPDATE tally_place SET version = 0")


async def test_totals_of_an_older_way_are_counted_anew_and_those_of_a_newer_one_left(stage):
    await stage.admit()
    await stage.store.inbox.note(routed(stage, 1))
    await stage.store.tallies.fold()
    stage.raw("UPDATE tallies SET n = 70")
    await _again(stage)

    await stage.store.tallies.fold()

    assert [row.n for row in await lines(stage)] == [1]
    stage.raw("UPDATE tally_place SET version = 99")
    await stage.store.inbox.note(routed(stage, 1))
    assert await stage.store.tallies.fold() == 0
    assert [row.n for row in await lines(stage)] == [1]


async def test_of_two_who_fold_the_same_rows_one_does(stage):
    await stage.admit()
    await stage.store.inbox.note(routed(stage, 1))
    await stage.store.tallies.fold()
    (line,) = await lines(stage)
    stale = Fold(after=0, upto=5, at=None, sums={})

    assert await stage.store.tallies._writer.commit(stale) is False

    assert await lines(stage) == [line]


async def test_many_processes_that_fold_at_once_count_once(url, tmp_path):
    stages = [await Stage(tmp_path / str(n), database=url, inline=False).open() for n in range(3)]
    try:
        await stages[0].admit()
        for _ in range(5):
            notes = [s.store.inbox.note(*(routed(s, 1) for _ in range(20))) for s in stages]
            await asyncio.gather(*notes, *(s.store.tallies.fold() for s in stages))
        await asyncio.gather(*(s.store.tallies.fold() for s in stages))

        assert await totals(stages[0]) == {(Measure.OFFERED, KIND, ""): 300}
    finally:
        for one in stages:
            await one.store.close()


async def test_a_row_that_commits_behind_a_later_one_is_waited_for(url, tmp_path):
    stage = await Stage(tmp_path, database=url, inline=False).open()
    slow = stage.engine.writer()
    try:
        await stage.admit()
        slow.exec_driver_sql("BEGIN")
        row = {"writer": "slow", "n": 1, "previous": "0" * 64, "hash": "1" * 64, "party": ""}
        given = {"event": "message.routed", "at": START, "message": "m-1", "delivery": "d-1"}
        slow.execute(sa.insert(audit).values(**row, **given, code="", actor="", data="{}"))
        await stage.store.inbox.note(routed(stage, 1))

        folding_now = asyncio.ensure_future(stage.store.tallies.fold())
        await asyncio.sleep(0.2)
        assert not folding_now.done()
        slow.exec_driver_sql("COMMIT")
        await folding_now

        assert await totals(stage) == {(Measure.OFFERED, KIND, ""): 2}
    finally:
        slow.close()
        await stage.store.close()


async def test_numbers_stay_when_payloads_go(desk, stage):
    await desk.decide(await desk.hold())
    await stage.store.tallies.fold()
    before = await totals(stage)
    stage.raw("DELETE FROM payload_chunks")
    await _again(stage)

    await stage.store.tallies.fold()

    assert await totals(stage) == before


def test_a_wait_counts_under_the_first_part_that_it_fits():
    term = START + timedelta(hours=100)
    found = [part_of(START, term, START + timedelta(hours=h)) for h in (0, 25, 26, 75, 100, 101)]

    assert found == ["25", "25", "50", "75", "100", "later"]
    assert part_of(START, None, START) == "geen"


async def test_a_restart_beside_another_does_nothing(stage):
    await stage.store.tallies.fold()
    await stage.admit()
    await stage.store.inbox.note(routed(stage, 1))
    await stage.store.tallies.fold()

    await stage.store.tallies._writer.commit(Restart())

    assert await totals(stage) == {(Measure.OFFERED, KIND, ""): 1}
    assert tally_place.name == "tally_place"
