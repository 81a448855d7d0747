"""What lies before officers stays while it is open, and goes in time when it is not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from gateway.config import InstallationRole, RetentionSettings
from gateway.lifecycle import State
from gateway.ports import DeliveryChannel
from gateway.ports.toets import Ends, NewWithdrawal, VerdictState
from gateway.rules.retention import Terms
from gateway.store import forgetting
from tests.store.test_store_desk import POLICE, Desk
from tests.store.test_store_toets import Desk as Holder
from tests.store.test_store_toets import seen

SETTINGS = RetentionSettings()
TERMS = Terms.of(SETTINGS, InstallationRole.AANSLUITPUNT)
TERM = timedelta(hours=SETTINGS.received_hours)
SOON = timedelta(seconds=1)


class Waiting(Desk):
    """Each request is brought by a delivery that waits until it is closed."""

    def brought(self, n):
        return self.stage.delivery(
            n, channel=DeliveryChannel.DESK, state=State.READY, cpa_id="", service="", action=""
        )

    async def end(self, id_) -> None:
        """The holder says that it needs no decision any more."""
        self.n += 1
        admission = await self.stage.admission(self.n, deliveries=())
        ends = NewWithdrawal(ends=Ends.REQUEST, id=id_, actor=POLICE, reason="")
        await self.stage.store.inbox.admit(replace(admission, withdrawal=ends))

    async def live(self, n=1) -> bool:
        rows = self.stage.rows(
            "SELECT p.destroyed_at FROM payloads p JOIN messages m ON m.payload_id = p.id"
            f" WHERE m.id = 'm-{n}'"
        )
        assert len(rows) == 1
        return rows[0].destroyed_at is None

    async def dispose(self) -> int:
        return await self.stage.store.retention.dispose(TERMS, {})


@pytest.fixture
def desk(stage):
    return Waiting(stage)


async def test_an_open_request_keeps_what_it_shows_long_past_its_deadline(desk, stage):
    await desk.asked(hours=24)
    stage.clock.forward(days=400)
    await desk.dispose()
    assert await desk.live()


async def test_a_request_that_waits_for_a_second_officer_is_open(desk, stage):
    request = await desk.asked()
    await desk.decide(request, state=VerdictState.PROPOSED)
    stage.clock.forward(days=400)
    await desk.dispose()
    assert await desk.live()


async def test_what_was_decided_goes_when_its_term_is_over_and_not_before(desk, stage):
    request = await desk.asked()
    stage.clock.forward(days=3)
    await desk.decide(request)
    stage.clock.forward(seconds=(TERM - SOON).total_seconds())
    await desk.dispose()
    assert await desk.live()
    stage.clock.forward(seconds=2)
    await desk.dispose()
    assert not await desk.live()


async def test_one_that_was_decided_takes_no_other_with_it(desk, stage):
    first, _ = await desk.asked(), await desk.asked()
    await desk.decide(first)
    stage.clock.forward(seconds=(TERM + SOON).total_seconds())
    await desk.dispose()
    assert not await desk.live(1)
    assert await desk.live(2)


async def test_what_the_holder_no_longer_asks_goes_in_time(desk, stage):
    request = await desk.asked()
    await desk.end(request)
    await desk.dispose()
    assert await desk.live()
    stage.clock.forward(seconds=(TERM + SOON).total_seconds())
    await desk.dispose()
    assert not await desk.live()


async def test_what_was_decided_is_told_when_the_content_is_gone(desk, stage):
    request = await desk.asked()
    await desk.decide(request)
    stage.clock.forward(days=400)
    await desk.dispose()
    assert not await desk.live()
    rows = stage.rows("SELECT outcome, closed_at FROM requests")
    assert [row.outcome for row in rows] == ["vrijgeven"]
    assert len(stage.rows("SELECT id FROM verdicts")) == 1


# --- names and grounds -----------------------------------------------------------------

YEARS = timedelta(days=SETTINGS.decision_days)


def counts(stage):
    tables = ("requests", "verdicts", "rulings", "passes")
    return {t: stage.rows(f"SELECT count(*) AS n FROM {t}")[0].n for t in tables}


async def test_who_decided_and_why_is_forgotten_after_its_term_and_not_before(desk, stage):
    await desk.decide(await desk.asked())
    stage.clock.forward(seconds=(YEARS - SOON).total_seconds())
    assert await stage.store.retention.forget(TERMS) == 0
    stage.clock.forward(seconds=2)

    assert await stage.store.retention.forget(TERMS) == 2
    assert counts(stage) == {"requests": 0, "verdicts": 0, "rulings": 0, "passes": 0}
    (told,) = stage.rows("SELECT data FROM audit WHERE event = 'toets.forgotten'")
    assert "anders" not in str(told.data)
    assert await stage.store.retention.forget(TERMS) == 0


async def test_a_request_that_is_open_is_not_forgotten(desk, stage):
    request = await desk.asked()
    await desk.decide(request, state=VerdictState.PROPOSED)
    stage.clock.forward(seconds=2 * YEARS.total_seconds())

    assert await stage.store.retention.forget(TERMS) == 0


async def test_a_batch_is_not_all_there_is(desk, stage, monkeypatch):
    monkeypatch.setattr(forgetting, "AT_ONCE", 1)
    for _ in range(3):
        await desk.decide(await desk.asked())
    stage.clock.forward(seconds=(YEARS + SOON).total_seconds())

    assert await stage.store.retention.forget(TERMS) == 6


async def test_decisions_at_the_holder_go_when_nothing_can_be_sent_by_them(stage):
    holder = Holder(stage)
    held = await holder.hold()
    await stage.store.inbox.admit(await holder.message(passes=(seen(stage, held, "B-pass"),)))
    await holder.decide(held)
    await holder.withdraw("DT-1", ends=Ends.APPROVAL)
    stage.clock.forward(seconds=YEARS.total_seconds() + 400 * 86_400)

    await stage.store.retention.forget(TERMS)
    assert counts(stage)["rulings"] == 1  # it was never sent
    assert counts(stage)["passes"] == 0
    (revoked,) = stage.rows("SELECT approval, actor, reason FROM revocations")
    assert tuple(revoked) == ("DT-1", "", "")
    assert await stage.store.holds.revoked() == {"DT-1"}

    await stage.store.decisions.stop(held.delivery, who="beheer", why="oud")
    await stage.store.retention.forget(TERMS)
    assert counts(stage)["rulings"] == 0
