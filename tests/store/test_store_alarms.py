"""Alarms: raised once, cleared when the cause is gone, and what time alone brings about."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from gateway.alarming import Disk
from gateway.errors import NoRoute
from gateway.ports import Alarm, AlarmBounds, HandedOver, SignalReceived, TryAgain
from gateway.store.commit import Committer
from gateway.store.engine import open_engine
from tests.store.stage import CPA, START, VT, Clock

BOUNDS = AlarmBounds()
TROUBLE = Alarm(code="store.trouble", subject="", reason="store.failed")


async def _open(stage):
    return sorted((a.code, a.subject, a.times) for a in await stage.store.reader.alarms(limit=50))


async def _watch(stage):
    await stage.store.alarms.watch(BOUNDS)
    return await _open(stage)


async def _events(stage):
    rows = await stage.store.reader.audit(after=0, limit=500)
    return [row.event.event for row in rows if row.event.event.startswith("alarm.")]


async def test_one_alarm_stands_however_often_it_is_raised(stage):
    for _ in range(32):
        await stage.store.alarms.change(raised=(TROUBLE,))

    assert await _open(stage) == [("store.trouble", "", 1)]
    assert await _events(stage) == ["alarm.raised"]


async def test_many_at_once_are_one(stage):
    await asyncio.gather(*(stage.store.alarms.change(raised=(TROUBLE,)) for _ in range(20)))

    assert await _open(stage) == [("store.trouble", "", 1)]
    assert await _events(stage) == ["alarm.raised"]


async def test_it_is_counted_again_when_it_comes_back(stage):
    for _ in range(2):
        await stage.store.alarms.change(raised=(TROUBLE,))
        await stage.store.alarms.change(gone=(("store.trouble", ""),))
    await stage.store.alarms.change(raised=(TROUBLE,))

    assert await _open(stage) == [("store.trouble", "", 3)]
    assert await _events(stage) == ["alarm.raised", "alarm.cleared"] * 2 + ["alarm.raised"]


async def test_what_a_person_closed_stays_closed_while_its_cause_is_told_again(stage):
    await stage.store.alarms.change(raised=(TROUBLE,))
    (alarm,) = await stage.store.reader.alarms(limit=10)
    await stage.store.alarms.dismiss(alarm.id, who="jansen", why="is bekend")

    await stage.store.alarms.change(raised=(TROUBLE,))
    assert await _open(stage) == []

    await stage.store.alarms.change(gone=(("store.trouble", ""),))
    await stage.store.alarms.change(raised=(TROUBLE,))
    assert await _open(stage) == [("store.trouble", "", 2)]


async def test_each_subject_has_its_own(stage):
    for subject in ("a", "b"):
        await stage.store.alarms.change(raised=(Alarm(code="partner.down", subject=subject),))

    assert [subject for _, subject, _ in await _open(stage)] == ["a", "b"]


async def test_a_person_closes_one_with_a_reason(stage):
    await stage.store.alarms.change(raised=(TROUBLE,))
    (alarm,) = await stage.store.reader.alarms(limit=10)

    closed = await stage.store.alarms.dismiss(alarm.id, who="jansen", why="schijf vervangen")

    assert (closed.cleared_by, closed.cleared_why) == ("jansen", "schijf vervangen")
    assert closed.cleared_at == stage.clock.now()
    assert await _open(stage) == []
    last = (await stage.store.reader.audit(after=0, limit=500))[-1].event
    assert (last.event, last.actor) == ("alarm.dismissed", "jansen")
    assert last.data["reason"] == "schijf vervangen"


async def test_a_person_says_that_he_looks_and_another_takes_over(stage):
    await stage.store.alarms.change(raised=[TROUBLE])
    (alarm,) = await stage.store.reader.alarms(limit=5)
    assert (alarm.taken_by, alarm.taken_at) == ("", None)

    await stage.store.alarms.take(alarm.id, who="jansen", why="kijkt ernaar")
    stage.clock.forward(minutes=5)
    await stage.store.alarms.take(alarm.id, who="pietersen", why="dienst overgenomen")
    (taken,) = await stage.store.reader.alarms(limit=5)
    assert (taken.taken_by, taken.taken_at) == ("pietersen", stage.clock.now())
    assert (taken.raised_at, taken.times) == (alarm.raised_at, alarm.times)
    await stage.store.alarms.change(raised=[TROUBLE])  # its cause is told again: it is the same

    await stage.store.alarms.let_go(alarm.id, who="pietersen", why="kijkt niet meer")
    (free,) = await stage.store.reader.alarms(limit=5)
    assert (free.taken_by, free.taken_at) == ("", None)
    rows = await stage.store.reader.audit(after=0, limit=20)
    told = [(row.event.event, row.event.actor) for row in rows if row.event.actor]
    assert told == [
        ("alarm.taken", "jansen"),
        ("alarm.taken", "pietersen"),
        ("alarm.let_go", "pietersen"),
    ]


async def test_an_alarm_that_comes_back_is_with_nobody(stage):
    await stage.store.alarms.change(raised=[TROUBLE])
    (alarm,) = await stage.store.reader.alarms(limit=5)
    await stage.store.alarms.take(alarm.id, who="jansen", why="kijkt ernaar")
    await stage.store.alarms.dismiss(alarm.id, who="jansen", why="gebeld")
    for do in (stage.store.alarms.take, stage.store.alarms.let_go):
        with pytest.raises(NoRoute, match=r"alarm\.unknown"):
            await do(alarm.id, who="jansen", why="kijkt ernaar")

    await stage.store.alarms.change(gone=[(TROUBLE.code, TROUBLE.subject)])
    await stage.store.alarms.change(raised=[TROUBLE])
    (again,) = await stage.store.reader.alarms(limit=5)
    assert (again.times, again.taken_by) == (2, "")


async def test_what_is_not_open_can_not_be_closed(stage):
    await stage.store.alarms.change(raised=(TROUBLE,))
    (alarm,) = await stage.store.reader.alarms(limit=10)
    await stage.store.alarms.dismiss(alarm.id, who="jansen", why="klaar")

    for id_ in (alarm.id, 999):
        with pytest.raises(NoRoute) as caught:
            await stage.store.alarms.dismiss(id_, who="jansen", why="klaar")
        assert caught.value.code == "alarm.unknown"


# --- what time brings about -----------------------------------------------------------


async def _handed_over(stage, **changes):
    await stage.admit(1, deliveries=(stage.delivery(1, **changes),))
    (claim,) = await stage.claim()
    until = stage.clock.now() + timedelta(days=30)
    await stage.store.queue.settle(claim, HandedOver(until=until), ())


async def _acknowledge(stage):
    await stage.store.signals.receive(
        SignalReceived(
            party=VT,
            cpa_id=CPA,
            message_id="signal",
            ref_to_message_id="bericht-1@politie.test",
            at=stage.clock.now(),
        )
    )


async def test_unconfirmed_for_half_its_life_is_one_alarm_for_the_partner(stage):
    expires = stage.clock.now() + timedelta(hours=10)
    for n in range(1, 4):
        await stage.admit(n, deliveries=(stage.delivery(n, expires_at=expires),))
    stage.clock.forward(hours=4, minutes=59)
    assert await _watch(stage) == []

    stage.clock.forward(minutes=1)

    assert await _watch(stage) == [("delivery.unconfirmed", VT, 1)]


async def test_it_closes_when_the_acknowledgement_comes(stage):
    await _handed_over(stage, expires_at=stage.clock.now() + timedelta(hours=10))
    stage.clock.forward(hours=6)
    assert await _watch(stage) == [("delivery.unconfirmed", VT, 1)]

    await _acknowledge(stage)

    assert await _watch(stage) == []
    assert await _events(stage) == ["alarm.raised", "alarm.cleared"]


async def test_a_partner_is_down_since_its_first_failure(stage):
    await stage.admit(1, deliveries=(stage.delivery(1, retries=9),))
    for minutes in (8, 6, 1):
        (claim,) = await stage.claim()
        at = stage.clock.now()
        await stage.store.queue.settle(claim, TryAgain(at=at, code="http.503", down=True), ())
        assert await _watch(stage) == []
        stage.clock.forward(minutes=minutes)

    assert await _watch(stage) == [("partner.down", VT, 1)]


async def test_a_partner_that_answers_is_not_down(stage):
    await stage.admit(1, deliveries=(stage.delivery(1, retries=9),))
    (claim,) = await stage.claim()
    at = stage.clock.now()
    await stage.store.queue.settle(claim, TryAgain(at=at, code="http.503", down=True), ())
    stage.clock.forward(minutes=15)
    assert await _watch(stage) == [("partner.down", VT, 1)]

    (claim,) = await stage.claim()
    await stage.store.queue.settle(claim, HandedOver(until=None), ())

    assert await _watch(stage) == []


async def test_no_functional_answer_within_two_days(stage):
    await _handed_over(stage)
    await _acknowledge(stage)
    stage.clock.forward(hours=47, minutes=59)
    assert await _watch(stage) == []

    stage.clock.forward(minutes=1)

    assert await _watch(stage) == [("answer.missing", VT, 1)]


async def test_what_did_not_arrive_can_not_be_answered(stage):
    await _handed_over(stage)
    stage.clock.forward(hours=48)

    assert await _watch(stage) == []


async def test_an_answer_closes_it(stage):
    await _handed_over(stage)
    await _acknowledge(stage)
    stage.clock.forward(hours=48)
    await _watch(stage)
    answer = await stage.admission(
        2, deliveries=(), party=VT, cpa_id=CPA, kind="Bv01Bericht", stuurgegevens=None
    )

    await stage.store.inbox.admit(replace(answer, answers="m-1"))

    assert await _watch(stage) == []


async def test_a_back_end_that_does_not_collect(stage):
    await stage.admit(1, deliveries=(stage.postvak(1),))
    stage.clock.forward(hours=24)

    assert await _watch(stage) == [("postvak.waiting", VT, 1)]

    await stage.show()
    await stage.store.postvak.close("d-1", party=VT, refused=False, answer=None, events=())
    assert await _watch(stage) == []


async def test_a_clock_that_went_back(stage):
    await stage.admit(1)
    stage.clock.forward(seconds=-6)
    assert await _watch(stage) == [("clock.stepped_back", "", 1)]

    stage.clock.forward(seconds=2)
    assert await _watch(stage) == []


APPROVED = {"approval_id": "DT-01"}


async def test_a_clock_that_was_ahead_holds_releases_until_a_person_says_it_is_right(stage):
    """The mark of the year to come would stand for a year."""
    stage.clock.forward(days=365)
    await stage.store.queue.heartbeat(worker="w1")
    stage.clock.forward(days=-365, seconds=2)
    await stage.admit(1, deliveries=(stage.delivery(1, **APPROVED),))
    assert await _watch(stage) == [("clock.stepped_back", "", 1)]
    held = await stage.claim(approvals=("DT-01",))

    (alarm,) = await stage.store.reader.alarms(limit=10)
    await stage.store.alarms.dismiss(alarm.id, who="jansen", why="ntp was stuk")
    claimed = [await stage.claim(approvals=("DT-01",)) for _ in range(4)]

    assert held == ()
    assert [claim.delivery for claims in claimed for claim in claims] == ["d-1"]
    assert await _watch(stage) == []
    rows = await stage.store.reader.audit(after=0, limit=500)
    assert [r.event.actor for r in rows if r.event.event == "clock.accepted"] == ["jansen"]


async def test_every_connection_sees_that_the_clock_went_back(address):
    """What one of them knows from before must not pass for the mark on file."""
    engine, clock = open_engine(address), Clock()
    one, other = (Committer(engine, f"w{n}", clock) for n in range(2))
    marks = []
    for seconds in (3, 3, -6):
        clock.forward(seconds=seconds)
        for committer in (other, one) if seconds < 0 else (one,) if marks else (one, other):
            (done,) = committer.run((HighWater(),))
            marks.append(done.value)
    one.close()
    other.close()

    assert marks[-2:] == [START + timedelta(seconds=6)] * 2


@dataclass(frozen=True)
class HighWater:
    """Unit: what releases are judged by."""

    def run(self, tx):
        return tx.high_water


async def test_a_disk_that_is_nearly_full(stage):
    low = Disk(folder=stage.folder, least_bytes=1 << 60)
    roomy = Disk(folder=stage.folder, least_bytes=0)

    await stage.store.alarms.watch(BOUNDS, also=low.low())
    assert await _open(stage) == [("disk.low", "", 1)]

    await stage.store.alarms.watch(BOUNDS, also=roomy.low())
    assert await _open(stage) == []


async def test_watching_without_a_change_commits_nothing(stage):
    await stage.admit(1, deliveries=(stage.postvak(1),))
    stage.clock.forward(hours=24)
    await _watch(stage)
    before = stage.store.counters()["commits"]

    await _watch(stage)

    assert stage.store.counters()["commits"] == before


async def test_what_a_person_closed_is_not_raised_again_while_its_cause_stands(stage):
    await stage.admit(1, deliveries=(stage.postvak(1),))
    stage.clock.forward(hours=24)
    await _watch(stage)
    (alarm,) = await stage.store.reader.alarms(limit=10)
    await stage.store.alarms.dismiss(alarm.id, who="jansen", why="systeem in onderhoud")

    assert await _watch(stage) == []


async def test_what_a_person_closed_is_raised_when_the_cause_went_and_came_back(stage):
    stage.clock.forward(seconds=60)
    await stage.admit(1)
    for seconds in (-60, 60, -60):
        stage.clock.forward(seconds=seconds)
        for alarm in await stage.store.reader.alarms(limit=10):
            await stage.store.alarms.dismiss(alarm.id, who="jansen", why="klok")
        standing = await _watch(stage)

    assert standing == [("clock.stepped_back", "", 2)]
