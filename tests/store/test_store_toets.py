"""What is held, decided, released and withdrawn, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from gateway.errors import PolicyViolation, StaleSnapshot, Unavailable
from gateway.lifecycle import State
from gateway.message import Oin
from gateway.ports import (
    Acceptance,
    Ends,
    NewHold,
    NewRuling,
    NewWithdrawal,
    Pass,
    SignalReceived,
    TryAgain,
)
from gateway.rules.classification import Reason
from gateway.store.holdrate import hold_rates
from gateway.store.migrations import upgrade
from gateway.store.tables import (
    alarms,
    audit,
    deliveries,
    messages,
    passes,
    revocations,
    rulings,
)
from gateway.wire.toets import Uitkomst, Voorwaarde
from tests.store.older import back_to
from tests.store.stage import CPA, VT

TABLE = "T-1"
REASONS = (Reason(rule="OM-001", path="/a/b", text="De melding noemt een aanhouding."),)
DAY = timedelta(hours=24)


class Desk:
    """A stage with one held delivery, and the decisions on it."""

    def __init__(self, stage):
        self.stage = stage
        self.n = 100

    async def hold(self, n=1, **changes):
        given = {
            "state": State.HELD,
            "ground": "individueel",
            "table_version": TABLE,
            "hold": NewHold(reasons=REASONS, deadline=self.stage.clock.now() + DAY),
        }
        await self.stage.admit(n, deliveries=(self.stage.delivery(n, **(given | changes)),))
        return await self.stage.store.holds.find(f"d-{n}-0")

    def ruling(self, held, **changes):
        now = self.stage.clock.now()
        given = {
            "id": f"B-{held.id}",
            "hold": held.id,
            "delivery": held.delivery,
            "outcome": Uitkomst.VRIJGEVEN,
            "recipient": held.recipient,
            "payload_sha256": held.payload_sha256,
            "table_version": held.table_version,
            "officer": "mr. O",
            "told": "",
            "conditions": (),
            "decided_at": now,
            "valid_until": now + DAY,
            "signer": "ab" * 32,
            "document": b"<besluit/>",
        }
        return NewRuling(**(given | changes))

    async def message(self, **changes):
        """The message of the OM that says something: it has no delivery here."""
        self.n += 1
        return replace(await self.stage.admission(self.n, deliveries=()), **changes)

    async def decide(self, held, **changes):
        ruling = self.ruling(held, **changes)
        return await self.stage.store.inbox.admit(await self.message(ruling=ruling))

    async def withdraw(self, id_, *, ends=Ends.RULING, late=False):
        withdrawal = NewWithdrawal(ends=ends, id=id_, actor="mr. O", reason="x", late=late)
        return await self.stage.store.inbox.admit(await self.message(withdrawal=withdrawal))

    def rows(self, table):
        connection = self.stage.engine.reader()
        try:
            return connection.execute(sa.select(table)).all()
        finally:
            connection.close()

    def state(self, n=1):
        return State(next(d.state for d in self.rows(deliveries) if d.id == f"d-{n}"))


@pytest.fixture
def desk(stage):
    return Desk(stage)


async def test_a_held_delivery_has_a_hold_with_its_reasons(desk, stage):
    hold = await desk.hold()

    assert hold.reasons == REASONS
    assert hold.deadline == stage.clock.now() + DAY
    assert hold.state is State.HELD
    assert (await stage.store.holds.unasked(limit=5)) == (hold,)
    assert await stage.claim() == ()


async def test_a_release_lets_exactly_that_delivery_go(desk, stage):
    hold = await desk.hold()
    await desk.hold(2)

    await desk.decide(hold)

    (claim,) = await stage.claim()
    assert claim.delivery == "d-1"
    assert claim.ground == "individueel"
    assert claim.decision.id == "B-d-1-0"
    (row,) = desk.rows(rulings)
    assert row.used_at == stage.clock.now()
    closed = await stage.store.holds.find(hold.id)
    assert closed.outcome == "vrijgeven"
    assert [e.event for e in desk.rows(audit) if e.delivery == "d-1"].count("toets.ruled") == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"payload_sha256": "0" * 64},
        {"recipient": "00000004003214345009"},
        {"table_version": "T-0"},
        {"delivery": "d-2"},
        {"hold": "d-2-0"},
    ],
)
async def test_a_ruling_on_anything_else_releases_nothing(desk, stage, changes):
    hold = await desk.hold()
    await desk.hold(2)

    with pytest.raises(Unavailable, match=r"toets\.moved"):
        await desk.decide(hold, **changes)

    assert desk.state() is State.HELD
    assert await stage.claim() == ()
    assert desk.rows(rulings) == []


async def test_a_ruling_counts_once(desk, stage):
    hold = await desk.hold()
    await desk.decide(hold)

    with pytest.raises(Unavailable, match=r"toets\.moved"):
        await desk.decide(hold, id="B-2")


@pytest.mark.parametrize("outcome", [Uitkomst.NIET, Uitkomst.TERUG])
async def test_what_is_not_released_ends_without_an_alarm_or_a_fo01(desk, stage, outcome):
    hold = await desk.hold()

    await desk.decide(hold, outcome=outcome, told="Belang van het onderzoek.")

    assert desk.state() is State.WITHHELD
    assert desk.rows(alarms) == []
    assert await stage.store.undeliverable.owed(limit=5) == ()
    (view,) = await stage.store.holds.rulings("m-1")
    assert (view.outcome, view.told) == (outcome, "Belang van het onderzoek.")
    assert await stage.claim() == ()


async def test_a_decision_that_is_over_holds_again_at_the_claim(desk, stage):
    hold = await desk.hold(retry_interval=DAY)
    await desk.decide(hold)
    stage.clock.forward(hours=24)

    assert await stage.claim() == ()
    assert desk.state() is State.HELD
    (asked,) = await stage.store.holds.unasked(limit=5)
    assert asked.id == "d-1-1"
    (row,) = desk.rows(rulings)
    assert row.ended_why == "gate.individueel"


async def test_another_table_holds_again_at_the_claim(desk, stage):
    await desk.decide(await desk.hold())

    assert await stage.claim(table="T-2") == ()
    assert desk.state() is State.HELD


async def test_a_changed_row_releases_nothing(desk, stage):
    hold = await desk.hold()
    await desk.decide(hold)
    _tamper(stage, sa.update(messages).values(content_sha256="1" * 64))

    assert await stage.claim() == ()
    assert desk.state() is State.HELD


async def test_a_row_that_was_set_ready_by_hand_is_held_again(desk, stage):
    await desk.hold()
    now = stage.clock.now()
    _tamper(stage, sa.update(deliveries).values(state="ready", next_at=now))

    assert await stage.claim() == ()
    assert desk.state() is State.HELD


async def test_a_decision_that_was_written_by_hand_for_another_delivery_is_none(desk, stage):
    await desk.decide(await desk.hold())
    await desk.hold(2)
    now = stage.clock.now()
    stolen = {"state": "ready", "next_at": now, "approval_id": "B-d-1-0"}
    _tamper(stage, sa.update(deliveries).where(deliveries.c.id == "d-2").values(**stolen))

    assert [c.delivery for c in await stage.claim()] == ["d-1"]
    assert desk.state(2) is State.HELD


async def test_withdrawn_before_the_claim_is_held_and_asked_anew(desk, stage):
    await desk.decide(await desk.hold())

    await desk.withdraw("B-d-1-0")

    assert desk.state() is State.HELD
    assert await stage.claim() == ()
    (asked,) = await stage.store.holds.unasked(limit=5)
    assert asked.id == "d-1-1"
    assert asked.reasons == REASONS
    (row,) = desk.rows(rulings)
    assert row.ended_why == "toets.ingetrokken"


async def test_withdrawn_after_the_claim_is_too_late_and_makes_no_further_attempt(desk, stage):
    await desk.decide(await desk.hold())
    await stage.claim()

    with pytest.raises(Unavailable, match=r"toets\.moved"):
        await desk.withdraw("B-d-1-0")
    assert await stage.store.holds.late("B-d-1-0") is True
    await desk.withdraw("B-d-1-0", late=True)

    assert desk.state() is State.CLAIMED
    assert "toets.withdrawn_late" in [e.event for e in desk.rows(audit)]
    _tamper(stage, sa.update(deliveries).values(state="ready", next_at=stage.clock.now()))
    assert await stage.claim() == ()
    assert desk.state() is State.HELD


async def test_a_refusal_is_not_withdrawn(desk):
    hold = await desk.hold()
    await desk.decide(hold, outcome=Uitkomst.NIET)

    for late in (False, True):
        with pytest.raises(PolicyViolation, match=r"toets\.geen_vrijgave"):
            await desk.withdraw("B-d-1-0", late=late)

    assert desk.state() is State.WITHHELD


async def test_withdrawn_twice_is_withdrawn_once(desk, stage):
    await desk.decide(await desk.hold())
    await desk.withdraw("B-d-1-0")
    (hold,) = await stage.store.holds.unasked(limit=5)

    await desk.withdraw("B-d-1-0")

    assert await stage.store.holds.unasked(limit=5) == (hold,)
    assert [e.event for e in desk.rows(audit)].count("toets.withdrawn") == 1


def seen(stage, hold, id_="B-seen"):
    """The decision on this hold, on its way to the police."""
    now = stage.clock.now()
    return Pass(
        id=id_,
        at=now,
        police=hold.message.zender,
        recipient=hold.recipient,
        payload_sha256=hold.payload_sha256,
        valid_until=now + DAY,
        signer="ab" * 32,
        document=b"<besluit/>",
    )


async def test_a_decision_that_passed_by_is_withdrawn_however_long_its_id(desk, stage):
    hold = await desk.hold()
    long = "B" * 80
    ruling = desk.ruling(hold, id=hold.id, of_pass=long)
    passes_by = seen(stage, hold, long)
    await stage.store.inbox.admit(await desk.message(passes=(passes_by,), ruling=ruling))
    assert desk.state() is State.READY

    await desk.withdraw(long, ends=Ends.SEEN)

    assert desk.state() is State.HELD
    assert await stage.claim() == ()


async def test_a_decision_that_passed_by_lets_one_delivery_go(desk, stage):
    """The same octets for the same receiver, twice: the OM decided on one of them."""
    for n in (1, 2):
        given = {"state": State.HELD, "ground": "individueel", "table_version": TABLE}
        made = stage.delivery(n, **given, hold=NewHold())
        await stage.admit(n, deliveries=(made,), octets=b"<bericht/>")
    first, second = await stage.store.holds.unasked(limit=5)
    await stage.store.inbox.admit(await desk.message(passes=(seen(stage, first),)))
    await desk.decide(first, id=first.id, of_pass="B-seen")

    with pytest.raises(Unavailable, match=r"toets\.moved"):
        await desk.decide(second, id=second.id, of_pass="B-seen")

    assert [desk.state(n) for n in (1, 2)] == [State.READY, State.HELD]
    assert await stage.store.holds.passed(first.payload_sha256, first.recipient) is None


async def test_a_withdrawal_of_what_is_not_known_is_refused(desk):
    with pytest.raises(PolicyViolation, match=r"toets\.besluit\.vreemd"):
        await desk.withdraw("B-9")


async def test_a_late_acknowledgement_counts_when_it_is_held_again(desk, stage):
    await desk.decide(await desk.hold())
    (claim,) = await stage.claim()
    references = await stage.seal(claim, b"header")
    soon = TryAgain(at=stage.clock.now(), code="http.503")
    await stage.store.queue.settle(claim, soon, ())
    await desk.withdraw("B-d-1-0", late=True)
    assert await stage.claim() == ()
    assert desk.state() is State.HELD

    await stage.store.signals.receive(
        SignalReceived(
            party=VT,
            cpa_id=CPA,
            message_id="signal-1",
            ref_to_message_id="bericht-1@politie.test",
            at=stage.clock.now(),
            references=references,
            references_required=True,
        )
    )

    assert desk.state() is State.DELIVERED
    (hold, again) = await stage.store.holds.of_message("m-1")
    assert (hold.outcome, again.outcome) == ("vrijgeven", "vervallen")


async def test_what_waits_for_the_receiver_stays_held(desk, stage):
    hold = await desk.hold()
    terms = Voorwaarde(code="V1", tekst="Niet delen.", aanvaarding=True)

    await desk.decide(
        hold, outcome=Uitkomst.ONDER_VOORWAARDEN, conditions=(terms,), accept_first=True
    )

    assert desk.state() is State.HELD
    assert await stage.claim() == ()
    (view,) = await stage.store.holds.rulings("m-1")
    assert view.conditions == (terms,)


async def test_a_standing_approval_that_is_withdrawn_ends_at_once(desk, stage):
    await stage.admit(1, deliveries=(stage.delivery(1, approval_id="DT-1"),))

    await desk.withdraw("DT-1", ends=Ends.APPROVAL)

    assert await stage.claim(approvals={"DT-1"}) == ()
    assert desk.state() is State.HELD
    assert await stage.store.holds.revoked() == {"DT-1"}
    with pytest.raises(StaleSnapshot, match=r"epoch\.moved"):
        await stage.admit(2, deliveries=(stage.delivery(2, approval_id="DT-1"),))


async def test_what_was_withdrawn_is_known_without_its_row(desk, stage):
    await desk.decide(await desk.hold())
    held = await desk.hold(2)
    await stage.store.inbox.admit(await desk.message(passes=(seen(stage, held, "B-pass"),)))
    assert not await stage.store.holds.is_withdrawn("B-d-1-0")

    await desk.withdraw("B-d-1-0")
    await desk.withdraw("B-pass", ends=Ends.SEEN)
    await desk.withdraw("DT-1", ends=Ends.APPROVAL)
    _forget(stage)
    await stage.reopen()

    known = stage.store.holds
    assert [await known.is_withdrawn(id_) for id_ in ("B-d-1-0", "B-pass", "B-9")] == [
        True,
        True,
        False,
    ]
    assert await known.revoked(("DT-1", "DT-2")) == {"DT-1"}
    assert not await known.is_withdrawn("DT-1")  # another kind of thing
    assert await known.revoked(("B-d-1-0",)) == set()


async def test_conditions_that_were_not_accepted_are_known_without_their_row(desk, stage):
    hold = await desk.hold()
    terms = await stage.admission(50, deliveries=())
    condition = Voorwaarde(code="V1", tekst="Niet delen.", aanvaarding=True)
    under = {"outcome": Uitkomst.ONDER_VOORWAARDEN, "conditions": (condition,)}
    await desk.decide(hold, **under, terms=terms, accept_first=True)

    answer = Acceptance(terms="m-50", accepted=False)
    await stage.store.inbox.admit(await desk.message(accepts=answer))
    _forget(stage)

    assert await stage.store.holds.is_withdrawn("B-d-1-0")


async def test_marks_that_are_gone_are_put_back_by_the_rows_with_an_alarm(desk, stage):
    """Also those of what was withdrawn before there were marks."""
    await desk.decide(await desk.hold())
    held = await desk.hold(2)
    await stage.store.inbox.admit(await desk.message(passes=(seen(stage, held, "B-pass"),)))
    await desk.decide(held)
    await desk.withdraw("B-d-1-0")
    await desk.withdraw("B-pass", ends=Ends.SEEN)
    await desk.withdraw("DT-1", ends=Ends.APPROVAL)
    for mark in (stage.folder / "epochs").glob("*.ended"):
        mark.unlink()
    assert not await stage.store.holds.is_withdrawn("B-d-1-0")

    await stage.store.keep_ended.look()
    _forget(stage)

    known = stage.store.holds
    marked = [await known.is_withdrawn(id_) for id_ in ("B-d-1-0", "B-pass", "B-d-2-0")]
    assert marked == [True, True, False]
    assert await known.revoked(("DT-1",)) == {"DT-1"}
    (alarm,) = await stage.store.reader.alarms(limit=5)
    assert (alarm.code, alarm.reason) == ("gate.marks_lost", "3")
    assert alarm.subject == f"{stage.clock.now():%Y-%m-%d}"


async def test_marks_that_stand_are_no_alarm_and_are_looked_at_by_the_hour(desk, stage):
    await desk.decide(await desk.hold())
    await desk.withdraw("B-d-1-0")
    (mark,) = (stage.folder / "epochs").glob("*.ended")
    keep = stage.store.keep_ended
    await keep.look()
    assert await stage.store.reader.alarms(limit=5) == ()

    mark.unlink()
    await keep.look()
    assert not mark.exists()
    stage.clock.forward(hours=1)
    await keep.look()

    assert mark.exists()
    assert [a.code for a in await stage.store.reader.alarms(limit=5)] == ["gate.marks_lost"]


async def test_a_mark_that_can_not_be_written_is_an_alarm_until_it_is(desk, stage):
    folder, away = stage.folder / "epochs", stage.folder / "away"
    await desk.decide(await desk.hold())
    ends = NewWithdrawal(ends=Ends.RULING, id="B-d-1-0", actor="mr. O", reason="x")
    message = await desk.message(withdrawal=ends)
    folder.rename(away)
    await stage.store.inbox.admit(message)

    await stage.store.keep_ended.run()
    await stage.store.keep_ended.run()
    (alarm,) = await stage.store.reader.alarms(limit=5)
    assert (alarm.code, alarm.reason) == ("gate.marks_owed", "1")

    away.rename(folder)
    await stage.store.keep_ended.run()
    assert await stage.store.reader.alarms(limit=5) == ()
    assert len([*folder.glob("*.ended")]) == 1


def _forget(stage):
    """Take the withdrawals out of the rows."""
    none = {"ended_at": None, "ended_why": ""}
    _tamper(
        stage,
        sa.update(rulings).where(rulings.c.id != "B-d-2-0").values(**none),
        sa.update(passes).values(**none),
        sa.delete(revocations),
    )


async def test_nothing_is_released_by_a_clock_that_went_back(desk, stage):
    hold = await desk.hold()
    stage.clock.forward(hours=1)
    await stage.admit(3)
    stage.clock.step(seconds=-10)

    with pytest.raises(Unavailable, match=r"clock\.stepped"):
        await desk.decide(hold)
    assert desk.state() is State.HELD


async def test_the_hold_warns_once_at_each_moment_and_never_releases(desk, stage):
    await desk.hold()
    told = []
    for _ in range(30):
        await stage.store.holds.watch((0.5, 0.75, 0.9))
        await stage.store.holds.watch((0.5, 0.75, 0.9))
        told = [e.event for e in desk.rows(audit) if e.event.startswith("toets.")]
        stage.clock.forward(hours=1)

    assert told == ["toets.warned", "toets.escalated", "toets.escalated"]
    assert [a.code for a in desk.rows(alarms)] == ["toets.wacht"]
    assert desk.state() is State.HELD
    assert await stage.claim() == ()


async def test_a_hold_warns_once_after_a_restart_and_a_clock_that_went_back(desk, stage):
    await desk.hold()
    for hours in (12, 18, 22):
        stage.clock.forward(hours=hours - 2)
        await stage.store.holds.watch((0.5, 0.75, 0.9))
        await stage.reopen()
        stage.clock.forward(hours=2)
        await stage.store.holds.watch((0.5, 0.75, 0.9))
        stage.clock.forward(hours=-hours)
        await stage.store.holds.watch((0.5, 0.75, 0.9))

    told = [e.event for e in desk.rows(audit) if e.event.startswith("toets.")]
    assert told == ["toets.warned", "toets.escalated", "toets.escalated"]
    assert len(desk.rows(alarms)) == 1


async def test_the_alarm_goes_when_it_is_decided(desk, stage):
    hold = await desk.hold()
    stage.clock.forward(hours=23)
    await stage.store.holds.watch((0.5,))
    await stage.store.holds.watch((0.5,))

    await desk.decide(hold)
    await stage.store.holds.watch((0.5,))

    (alarm,) = desk.rows(alarms)
    assert alarm.cleared_at is not None


async def test_two_who_ask_send_one_request(desk, stage):
    hold = await desk.hold()
    first = await stage.admission(50, deliveries=(stage.delivery(50),))
    second = await stage.admission(51, deliveries=(stage.delivery(51),))

    assert await stage.store.holds.ask(hold.id, first)
    assert not await stage.store.holds.ask(hold.id, second)
    assert (await stage.store.holds.find(hold.id)).request == "m-50"
    assert await stage.store.holds.unasked(limit=5) == ()


async def test_who_was_asked_is_told_when_it_was_given_up(desk, stage):
    hold = await desk.hold()
    await stage.store.holds.ask(hold.id, await stage.admission(50, deliveries=()))
    await stage.store.decisions.stop("d-1", who="beheer", why="dubbel")

    (over,) = await stage.store.holds.uncancelled(limit=5)
    assert over.outcome == "vervallen"
    assert await stage.store.holds.cancel(hold.id, await stage.admission(51, deliveries=()))
    assert await stage.store.holds.uncancelled(limit=5) == ()


async def test_what_an_older_program_holds_is_put_to_the_om_after_an_upgrade(desk, stage):
    before = await desk.hold()
    await stage.admit(2, deliveries=(stage.delivery(2),))
    _tamper(stage, *(sa.text(statement) for statement in back_to(6)))

    upgrade(stage.engine)

    (hold,) = await stage.store.holds.unasked(limit=5)
    assert hold == replace(before, reasons=(), deadline=None)


def _tamper(stage, *statements):
    """Do to the database what the gateway never does."""
    connection = stage.engine.writer()
    try:
        for statement in statements:
            connection.execute(statement)
    finally:
        connection.close()


async def test_how_much_is_held_is_counted_by_message(desk, stage):
    held = await desk.hold()
    await desk.hold(2)
    await stage.admit(3, deliveries=(stage.delivery(3),))
    await desk.decide(held)
    since, other = stage.clock.now() - DAY, Oin("1" * 20)
    connection = stage.engine.reader()

    (rate,) = hold_rates(connection, [held.message.zender], since)
    nobody = hold_rates(connection, [other], since)
    later = hold_rates(connection, [held.message.zender], stage.clock.now() + DAY)
    connection.close()

    assert (rate.kind, rate.sent, rate.held, rate.waiting) == ("vtMeldingDi01", 3, 2, 1)
    assert (rate.released, rate.withheld, rate.rules) == (1, 0, (("OM-001", 2),))
    assert round(rate.share, 2) == 0.67
    assert nobody == later == ()
