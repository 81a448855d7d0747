"""Events for webhooks: written with the change they tell of, claimed once, told at least once."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.config import WebhookEvent
from gateway.directory import Subscriber
from gateway.lifecycle import State
from gateway.ports import (
    Direction,
    GaveUp,
    HandedOver,
    HeldAgain,
    LostTrack,
    SignalReceived,
    WebhookResult,
    WebhookState,
)
from gateway.rules.webhooks import LADDER, PROBES, Failure
from gateway.store.webhooks import DISABLED
from tests.store.older import back_to
from tests.store.stage import CPA, POLITIE, VT, Stage

LEASE = timedelta(seconds=30)
DAYS = timedelta(days=3)
FAILED = Failure(code="webhook.http.500")
BOTH = frozenset({WebhookEvent.WAITING, WebhookEvent.STATUS})


def subscriber(name="vt", party=VT, applicatie="Zorgsysteem", **changes):
    given = {
        "name": name,
        "backend": f"systeem-{name}",
        "party": party,
        "applicaties": frozenset({applicatie}),
        "events": BOTH,
    }
    return Subscriber(**(given | changes))


SENDER = subscriber("bvh", POLITIE, "BVH")


RECEIVER = subscriber()
OTHER = subscriber("ander")


async def claim(stage, *to, cap=4, lease=LEASE):
    return await stage.store.webhooks.claim(to or (RECEIVER, SENDER), cap=cap, lease=lease)


async def settle(stage, notice, failure=None, disable_after=DAYS):
    return await stage.store.webhooks.settle(notice, failure, disable_after=disable_after)


async def state(stage, to=RECEIVER) -> WebhookState:
    return (await stage.store.webhooks.states((to,)))[to.name]


async def waiting(stage, n=1):
    """A message in the postvak, and the event that tells of it."""
    stage.store.subscribe((subscriber(), SENDER))
    for number in range(1, n + 1):
        await stage.admit(number, deliveries=(stage.postvak(number),))


async def handed_in(stage, n=1):
    """A message of a back-end, on its way."""
    stage.store.subscribe((subscriber(), SENDER))
    await stage.admit(n, direction=Direction.OUTBOUND, backend="systeem-bvh", cpa_id="")
    (found,) = await stage.claim()
    await stage.seal(found, b"digest")
    return found


# --- what is told ---------------------------------------------------------------------


async def test_what_comes_into_a_postvak_is_told_to_who_may_collect_it(stage):
    await waiting(stage)

    (notice,) = await claim(stage)

    assert (notice.webhook, notice.event) == ("vt", WebhookEvent.WAITING)
    assert (notice.delivery, notice.message) == ("d-1", "m-1")
    assert (notice.soort, notice.applicatie) == ("vtMeldingDi01", "Zorgsysteem")
    assert (notice.status, notice.answer, notice.attempt) == ("", "", 1)


@pytest.mark.parametrize(
    "change",
    [
        {"party": POLITIE},
        {"applicaties": frozenset({"Ander"})},
        {"applicaties": frozenset()},
        {"events": frozenset({WebhookEvent.STATUS})},
    ],
)
async def test_it_is_told_to_nobody_else(stage, change):
    stage.store.subscribe((subscriber(**change),))

    await stage.admit(1, deliveries=(stage.postvak(1),))

    assert await claim(stage) == ()


async def test_what_is_held_for_a_postvak_is_not_told(stage):
    stage.store.subscribe((subscriber(),))

    await stage.admit(1, deliveries=(stage.postvak(1, state=State.HELD),))

    assert await claim(stage) == ()


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        (HandedOver(until=None), "bezorgd"),
        (GaveUp(code="http.404"), "niet bezorgd"),
        (LostTrack(code="answer.lost"), "onzeker"),
        (HeldAgain(ground="niet-geclassificeerd"), "vastgehouden"),
    ],
)
async def test_what_becomes_of_a_message_is_told_to_who_handed_it_in(stage, outcome, word):
    found = await handed_in(stage)
    await stage.store.queue.settle(found, outcome, ())

    (notice,) = await claim(stage)

    assert (notice.webhook, notice.event, notice.status) == ("bvh", WebhookEvent.STATUS, word)
    assert (notice.message, notice.soort, notice.applicatie) == ("m-1", "vtMeldingDi01", "BVH")


@pytest.mark.parametrize(("error", "word"), [("", "bezorgd"), ("SecurityFailure", "geweigerd")])
async def test_what_the_partner_says_of_it_is_told(stage, error, word):
    found = await handed_in(stage)
    await stage.store.queue.settle(found, HandedOver(until=stage.clock.now()), ())
    assert await claim(stage) == ()

    await stage.store.signals.receive(
        SignalReceived(
            party=VT,
            cpa_id=CPA,
            message_id="signal",
            ref_to_message_id="bericht-1@politie.test",
            at=stage.clock.now(),
            error=error,
        )
    )

    assert [n.status for n in await claim(stage)] == [word]


async def test_a_person_who_gives_it_up_is_told_of_as_well(stage):
    await handed_in(stage)
    stage.silence("w1")
    await stage.store.queue.sweep(worker="w2")

    await stage.store.decisions.stop("m-1", who="jansen", why="test")

    assert [n.status for n in await claim(stage)] == ["niet bezorgd"]


async def test_the_first_answer_is_told_with_its_kind(stage):
    stage.store.subscribe((SENDER,))
    await stage.admit(1, direction=Direction.OUTBOUND, backend="systeem-bvh", deliveries=())
    for n, kind in ((2, "Bv01Bericht"), (3, "Fo01Bericht")):
        admission = await stage.admission(n, kind=kind, deliveries=())
        await stage.store.inbox.admit(replace(admission, answers="m-1"))

    (notice,) = await claim(stage)

    assert (notice.status, notice.answer, notice.message) == ("beantwoord", "Bv01Bericht", "m-1")


@pytest.mark.parametrize(
    "changes",
    [
        {"backend": "systeem-bvh"},
        {"direction": Direction.OWN, "backend": "systeem-bvh"},
        {"direction": Direction.OUTBOUND, "backend": "ander"},
    ],
)
async def test_of_a_message_that_it_did_not_hand_in_a_back_end_hears_nothing(stage, changes):
    stage.store.subscribe((SENDER,))
    await stage.admit(1, **changes)
    (found,) = await stage.claim()

    await stage.store.queue.settle(found, GaveUp(code="x"), ())

    assert await claim(stage) == ()


async def test_a_change_that_is_not_committed_is_not_told(stage):
    await waiting(stage)
    (first,) = await claim(stage)
    await settle(stage, first)

    admitted = await stage.admit(1, deliveries=(stage.postvak(1),))

    assert not admitted.fresh
    assert await claim(stage) == ()


async def test_without_subscribers_nothing_is_written_and_nothing_rung(stage):
    await stage.admit(1, deliveries=(stage.postvak(1),))

    assert stage.rows("SELECT count(*) FROM webhook_events")[0][0] == 0
    assert not await stage.store.webhook_bell.wait(0.01)


async def test_an_event_rings_after_its_commit(stage):
    await waiting(stage)

    assert await stage.store.webhook_bell.wait(5)


# --- one call at a time ---------------------------------------------------------------


async def test_what_is_claimed_is_not_claimed_again_while_its_lease_lasts(stage):
    await waiting(stage)
    (first,) = await claim(stage)

    assert await claim(stage) == ()
    stage.raw("UPDATE webhook_events SET leased_until = leased_until - 60000000")
    (again,) = await claim(stage)

    assert (again.seq, again.attempt) == (first.seq, 1)
    assert again.fence > first.fence


async def test_after_a_restart_an_event_is_told_again_under_the_same_number(stage):
    await waiting(stage)
    (first,) = await claim(stage)
    await stage.reopen()
    if stage.engine.shared:  # others may have it: the lease counts
        stage.raw("UPDATE webhook_events SET leased_until = leased_until - 60000000")

    (again,) = await claim(stage)

    assert (again.seq, again.at) == (first.seq, first.at)


async def test_a_webhook_has_so_many_calls_under_way_and_another_its_own(stage):
    await waiting(stage, 5)
    stage.store.subscribe((subscriber("ander"),))
    await stage.admit(6, deliveries=(stage.postvak(6),))

    notices = await claim(stage, RECEIVER, OTHER, cap=2)
    more = await claim(stage, RECEIVER, OTHER, cap=2)
    await settle(stage, notices[0])
    next_one = await claim(stage, RECEIVER, OTHER, cap=2)

    assert [n.webhook for n in notices] == ["vt", "vt", "ander"]
    assert more == ()
    assert [n.delivery for n in next_one] == ["d-3"]


async def test_a_lease_that_was_lost_counts_when_it_succeeded_and_not_when_it_failed(stage):
    await waiting(stage)
    (stale,) = await claim(stage)
    stage.raw("UPDATE webhook_events SET leased_until = leased_until - 60000000")
    (fresh,) = await claim(stage)

    await settle(stage, stale, FAILED)
    failures = (await state(stage)).failed
    await settle(stage, stale)
    await settle(stage, fresh, FAILED)

    found = await state(stage)
    assert failures == 0
    assert (found.waiting, found.sent, found.failed) == (0, 1, 0)


async def test_what_a_stop_cuts_off_is_due_at_once(stage):
    await waiting(stage)
    notices = await claim(stage)

    await stage.store.webhooks.release(notices)

    assert [n.attempt for n in await claim(stage)] == [1]


# --- failing --------------------------------------------------------------------------


async def test_an_event_that_failed_waits_for_its_step_and_the_next_goes_on(stage):
    await waiting(stage, 2)
    one, other = await claim(stage)
    await settle(stage, one, FAILED)
    await settle(stage, other)

    assert await claim(stage) == ()
    stage.clock.forward(seconds=LADDER[0].total_seconds() * 1.2)
    (again,) = await claim(stage)

    assert (again.seq, again.attempt) == (one.seq, 2)


async def test_an_endpoint_that_is_down_gets_one_probe_and_then_everything_at_once(stage):
    await waiting(stage, 6)
    for notice in await claim(stage, cap=3):
        await settle(stage, notice, FAILED)
    down = await state(stage)
    assert await claim(stage) == ()

    stage.clock.forward(seconds=PROBES[0].total_seconds() * 1.2)
    (probe,) = await claim(stage)
    assert await claim(stage) == ()
    await settle(stage, probe)
    rest = await claim(stage, cap=9)

    assert down.failed == 3
    assert down.next_at is not None
    assert probe.attempt == 1
    assert len(rest) == 5
    assert (await state(stage)).failing_since is None


async def test_one_event_that_is_never_taken_does_not_hold_the_others_up(stage):
    await waiting(stage)
    (poison,) = await claim(stage)
    for n in range(2, 6):
        await settle(stage, poison, FAILED)
        await stage.admit(n, deliveries=(stage.postvak(n),))
        (fresh,) = await claim(stage)
        assert fresh.delivery == f"d-{n}"
        await settle(stage, fresh)
        stage.clock.forward(hours=20)
        (poison,) = await claim(stage)

    assert (poison.delivery, poison.attempt) == ("d-1", 5)
    assert (await state(stage)).failing_since is None


async def test_gone_disables_at_once_with_an_alarm_in_the_same_commit(stage):
    await waiting(stage, 2)
    one, _ = await claim(stage)

    disabled = await settle(stage, one, Failure(code="webhook.http.410", gone=True))

    found = await state(stage)
    (alarm,) = await stage.store.reader.alarms(limit=9)
    assert disabled
    assert (found.disabled_why, found.failure_code) == ("webhook.gone", "webhook.http.410")
    assert (alarm.code, alarm.subject, alarm.party, alarm.reason) == (
        DISABLED,
        "vt",
        VT,
        "webhook.gone",
    )
    stage.clock.forward(days=9)
    assert await claim(stage) == ()


async def test_long_failure_disables_and_enabling_makes_all_due(stage):
    await waiting(stage, 2)
    disabled = False
    for _ in range(40):
        for notice in await claim(stage):
            disabled = disabled or await settle(stage, notice, FAILED)
        if disabled:
            break
        stage.clock.forward(hours=4)
    off = await state(stage)

    enabled = await stage.store.webhooks.enable("vt", who="jansen", why="hersteld")
    again = await stage.store.webhooks.enable("vt", who="jansen", why="hersteld")

    on = await state(stage)
    assert (off.disabled_why, off.waiting) == ("webhook.failing", 2)
    assert off.disabled_at - off.failing_since >= DAYS
    assert (enabled, again) == (True, False)
    assert (on.disabled_at, on.failing_since, on.next_at) == (None, None, None)
    assert len(await claim(stage)) == 2
    assert await stage.store.reader.alarms(limit=9) == ()
    told = [r.event for r in await stage.store.reader.audit(after=0, limit=99)]
    (audit,) = [e for e in told if e.event == "webhook.enabled"]
    assert (audit.actor, audit.data) == ("jansen", {"webhook": "vt", "reason": "hersteld"})


async def test_a_test_that_succeeds_ends_the_wait_but_switches_nothing_on(stage):
    await waiting(stage, 4)
    for notice in await claim(stage):
        await settle(stage, notice, FAILED)
    now = stage.clock.now()

    await stage.store.webhooks.note(RECEIVER, WebhookResult(at=now, failure=FAILED))
    held_up = await claim(stage)
    await stage.store.webhooks.note(RECEIVER, WebhookResult(at=now))
    (one, *_) = await claim(stage)
    await settle(stage, one, Failure(code="webhook.http.410", gone=True))
    await stage.store.webhooks.note(RECEIVER, WebhookResult(at=now))

    assert held_up == ()
    assert (await state(stage)).disabled_why == "webhook.gone"


async def test_what_is_too_old_is_dropped_and_counted(stage):
    await waiting(stage, 2)
    stage.clock.forward(days=7)
    await stage.admit(3, deliveries=(stage.postvak(3),))

    dropped = await stage.store.webhooks.drop(before=stage.clock.now() - timedelta(hours=1))
    nothing = await stage.store.webhooks.drop(before=stage.clock.now() - timedelta(hours=1))

    found = await state(stage)
    assert (dropped, nothing) == ({"vt": 2}, {})
    assert (found.waiting, found.dropped) == (1, 2)
    assert [n.delivery for n in await claim(stage)] == ["d-3"]


async def test_one_that_was_never_called_has_an_empty_state(stage):
    assert await state(stage, subscriber("nieuw")) == WebhookState()


# --- a name that passes to another ----------------------------------------------------

CHANGES = {
    "another back-end": {"backend": "systeem-nieuw"},
    "another party": {"party": POLITIE},
    "another applicatie": {"applicaties": frozenset({"Ander"})},
    "no applicatie": {"applicaties": frozenset()},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_what_was_written_down_for_one_is_not_told_to_the_next(stage, change):
    await waiting(stage, 2)
    next_one = subscriber(**change)
    stage.store.subscribe((next_one,))

    assert not await stage.store.webhooks.waiting((next_one,))
    assert await claim(stage, next_one) == ()
    assert (await state(stage, next_one)).waiting == 0
    # It is kept for whom it was written down, who may be back.
    assert [n.delivery for n in await claim(stage, RECEIVER)] == ["d-1", "d-2"]


async def test_the_next_one_is_told_what_is_its_own(stage):
    await waiting(stage)
    next_one = subscriber(backend="systeem-nieuw")
    stage.store.subscribe((next_one,))
    await stage.admit(2, deliveries=(stage.postvak(2),))

    (notice,) = await claim(stage, next_one)

    assert (notice.delivery, notice.backend) == ("d-2", "systeem-nieuw")


async def test_how_one_did_is_not_told_to_the_next_and_does_not_hold_it_up(stage):
    await waiting(stage, 2)
    one, _ = await claim(stage)
    await settle(stage, one, Failure(code="webhook.http.410", gone=True))
    next_one = subscriber(backend="systeem-nieuw")
    stage.store.subscribe((next_one,))

    before = await state(stage, next_one)
    await stage.admit(3, deliveries=(stage.postvak(3),))
    (notice,) = await claim(stage, next_one)
    await settle(stage, notice)

    assert before == WebhookState()
    found = await state(stage, next_one)
    assert (found.sent, found.failed, found.disabled_at, found.failure_code) == (1, 0, None, "")
    assert await stage.store.reader.alarms(limit=9) == ()


async def test_what_comes_of_a_call_for_one_does_not_count_for_the_next(stage):
    await waiting(stage, 2)
    taken, refused = await claim(stage)
    next_one = subscriber(backend="systeem-nieuw")
    await stage.store.webhooks.note(next_one, WebhookResult(at=stage.clock.now()))

    await settle(stage, taken)
    disabled = await settle(stage, refused, Failure(code="webhook.http.410", gone=True))

    found = await state(stage, next_one)
    assert not disabled
    assert (found.sent, found.failed, found.disabled_at) == (0, 0, None)


async def test_what_became_too_old_for_one_is_not_counted_with_the_next(stage):
    await waiting(stage, 2)
    next_one = subscriber(backend="systeem-nieuw")
    await stage.store.webhooks.note(next_one, WebhookResult(at=stage.clock.now()))
    stage.clock.forward(days=7)

    dropped = await stage.store.webhooks.drop(before=stage.clock.now())

    assert dropped == {"vt": 2}
    assert (await state(stage, next_one)).dropped == 0


async def test_what_is_from_before_owners_goes_to_the_party_and_applicatie_that_it_is_for(stage):
    await waiting(stage)
    (one,) = await claim(stage)
    await settle(stage, one, FAILED)
    stage.raw("UPDATE webhook_events SET backend = NULL, next_at = 0")
    stage.raw("UPDATE webhooks SET backend = NULL, party = NULL")

    assert await claim(stage, subscriber(party=POLITIE)) == ()
    assert await claim(stage, subscriber(applicatie="Ander")) == ()
    (again,) = await claim(stage)
    assert (again.delivery, (await state(stage)).failed) == ("d-1", 1)


async def test_an_upgrade_finds_the_owners_of_what_is_owed(stage):
    found = await handed_in(stage)
    await stage.store.queue.settle(found, HandedOver(until=None), ())
    await stage.admit(2, deliveries=(stage.postvak(2),))
    for statement in back_to(7):
        stage.raw(statement)

    await stage.reopen()

    assert await claim(stage, subscriber("bvh", POLITIE, "BVH", backend="ander")) == ()
    assert await claim(stage, subscriber(party=POLITIE)) == ()
    assert [n.message for n in await claim(stage)] == ["m-2", "m-1"]


# --- several processes ----------------------------------------------------------------


async def test_two_processes_share_the_work_and_one_cap(url, tmp_path):
    one = await Stage(tmp_path / "one", database=url, inline=False).open("one")
    other = Stage(tmp_path / "one", database=url, inline=False)
    await other.open("other")
    await waiting(one, 12)

    rounds = await asyncio.gather(*(claim(s, cap=5) for s in (one, other) * 4))

    taken = [notice.seq for notices in rounds for notice in notices]
    assert len(taken) == len(set(taken)) <= 5
    rest = [n.seq for s in (one, other) for n in await claim(s, cap=12)]
    assert sorted(taken + rest) == sorted(set(taken + rest))
    assert len(taken + rest) == 12
    await one.store.close()
    await other.store.close()


async def test_another_process_hears_of_an_event(url, tmp_path):
    one = await Stage(tmp_path / "one", database=url, inline=False).open("one")
    other = await Stage(tmp_path / "one", database=url, inline=False).open("other")
    other.store.listen()
    await asyncio.sleep(0.3)
    await other.store.webhook_bell.wait(0)

    heard = asyncio.ensure_future(other.store.webhook_bell.wait(20))
    await waiting(one)

    assert await heard
    await one.store.close()
    await other.store.close()
