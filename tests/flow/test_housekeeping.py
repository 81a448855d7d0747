"""After a full exchange: what was confirmed goes, duplicates are still answered, traces stay."""

from datetime import timedelta

import pytest

from gateway.config import InstallationRole, RetentionSettings
from gateway.directory import SyncReply
from gateway.errors import GatewayError, StoreUnavailable
from gateway.lifecycle import State
from gateway.pipeline.housekeeping import Housekeeping
from gateway.ports import Endpoint, MessageView
from gateway.rules.steps import HOLD
from tests.flow.test_melding import events, hand_in, melding, waiting
from tests.flow.test_reliable import town_of
from tests.flow.town import HUB, POLITIE, VT, Wire


def housekeeping(town, oin, **changes):
    installation = town[oin]
    given = {
        "retention": installation.store.retention,
        "payloads": installation.store.payloads,
        "snapshots": installation.snapshots,
        "clock": town.clock,
        "settings": RetentionSettings(),
        "role": InstallationRole.KNOOPPUNT if oin == HUB else InstallationRole.AANSLUITPUNT,
    }
    return Housekeeping(**(given | changes))


@pytest.fixture
def keeping(town):
    """The housekeeping of each installation, as it lives through the whole test."""
    return {oin: housekeeping(town, oin) for oin in town.installations}


async def keep(town, keeping, *oins):
    kept = [await keeping[oin].run_once(town.clock.now()) for oin in oins or keeping]
    assert [k.failed for k in kept] == [[] for _ in kept]
    return kept


async def go_on(town, keeping, *, hours):
    """Let time pass as it does: an hour, and a run of the housekeeping."""
    for _ in range(hours):
        town.clock.forward(hours=1)
        await town.settle()
        await keep(town, keeping)


async def confirmed(town, reference="ref-1"):
    await hand_in(town, melding(reference))
    await town.settle()
    (item,) = await waiting(town)
    assert await town[VT].gateway.confirm(item.delivery, town[VT].backend)
    await town.settle()


async def readable(town, oin, view: MessageView):
    """Which of payload and envelopes of the message can still be read."""
    found = {}
    payloads = town[oin].store.payloads
    rows = await town[oin].store._reads(_held(view.message.id))
    for name, id_ in rows:
        try:
            found[name] = bool(await payloads.get(id_))
        except GatewayError as error:
            if error.code != "payload.destroyed":
                raise
            found[name] = False
    return found


def _held(message):
    statement = (
        "SELECT 'payload', payload_id FROM messages WHERE id = :m AND payload_id IS NOT NULL "
        "UNION SELECT kind, sealed_id FROM deliveries WHERE message = :m "
        "AND sealed_id IS NOT NULL"
    )
    return lambda c: list(c.exec_driver_sql(statement, {"m": message}))


def of_politie(town):
    """The octets in which the politie's melding went to the hub."""
    return next(message for sender, _, message, _ in town.wire if sender == POLITIE)


async def send_again(town, message):
    """Return the HTTP answer, and who was sent what because of it."""
    before = len(town.wire)
    hub = Endpoint(url="", party=HUB, client_certificate=None)
    answer = await Wire(town, POLITIE).post(hub, message)
    await town.settle()
    return answer.status, [receiver for _, receiver, _, _ in town.wire[before + 1 :]]


async def test_a_day_after_the_confirmation_the_hub_holds_nothing_of_it(town, keeping):
    await confirmed(town)
    await keep(town, keeping)
    before = await town[HUB].message("ref-1")
    assert await readable(town, HUB, before) == {
        "payload": True,
        "bericht": True,
        "signaal": True,
    }

    await go_on(town, keeping, hours=24)

    view = await town[HUB].message("ref-1")
    assert await readable(town, HUB, view) == {
        "payload": False,
        "bericht": False,
        "signaal": True,
    }
    assert view.message == before.message
    assert events(view) == [*events(before), "payload.destroyed"]
    assert await town[HUB].store.verify_chain() is None


async def test_a_duplicate_is_still_answered_and_delivered_to_nobody(town, keeping):
    await confirmed(town)
    again = of_politie(town)
    await go_on(town, keeping, hours=24)

    assert await send_again(town, again) == (204, [POLITIE])

    assert await waiting(town) == ()
    trace = events(await town[POLITIE].message("ref-1"))
    assert trace[-1] == "signal.repeated"


async def test_a_duplicate_after_its_window_is_known_and_gets_no_second_delivery(town, keeping):
    await confirmed(town)
    again = of_politie(town)
    await go_on(town, keeping, hours=24)
    town.clock.forward(days=7)
    # The clock of a test jumps: a new run of the gateway, which knows no earlier moment.
    keeping = {oin: housekeeping(town, oin) for oin in town.installations}
    await keep(town, keeping)
    assert (await readable(town, HUB, await town[HUB].message("ref-1")))["signaal"] is False

    assert await send_again(town, again) == (204, [])

    assert events(await town[HUB].message("ref-1"))[-1] == "message.duplicate"


async def test_an_acknowledgement_that_was_the_answer_itself_goes_when_its_window_is_over(tmp_path):
    town = await town_of(tmp_path, sync_reply=SyncReply.SIGNALS)
    await hand_in(town, melding("ref-1"))
    await town.settle()
    view = await town[HUB].message("ref-1")
    kept = await readable(town, HUB, view)
    # The clock of a test jumps: a new run of the gateway, which knows no earlier moment.
    town.clock.forward(days=30)

    await keep(town, {HUB: housekeeping(town, HUB)})

    gone = await readable(town, HUB, view)
    await town.close()
    assert (kept["signaal"], gone["signaal"]) == (True, False)


async def test_nothing_that_is_not_confirmed_goes(town, keeping):
    town[VT].up = False
    await hand_in(town, melding("ref-1"))
    for _ in range(5):
        town.clock.forward(seconds=11)
        await town.settle()
        await keep(town, keeping)
    hub = await town[HUB].message("ref-1")
    assert State.READY in {d.state for d in hub.deliveries}

    assert (await readable(town, HUB, hub))["payload"]
    assert (await readable(town, POLITIE, await town[POLITIE].message("ref-1")))["payload"]

    town[VT].up = True
    await go_on(town, keeping, hours=1)
    (item,) = await waiting(town)
    assert await town[VT].store.payloads.get(item.payload_id) == melding("ref-1")
    await go_on(town, keeping, hours=30)
    assert await town[VT].store.payloads.get(item.payload_id) == melding("ref-1")


async def test_the_access_points_keep_theirs_until_it_was_answered(town, keeping):
    await hand_in(town, melding("ref-1"))
    await town.settle()
    await go_on(town, keeping, hours=30)
    sender = await town[POLITIE].message("ref-1")
    receiver = await town[VT].message("ref-1")
    assert (await readable(town, POLITIE, sender))["payload"]
    assert (await readable(town, VT, receiver))["payload"]

    (item,) = await waiting(town)
    await town[VT].gateway.confirm(item.delivery, town[VT].backend)
    await go_on(town, keeping, hours=26)

    assert set((await readable(town, POLITIE, sender)).values()) == {False}
    assert (await readable(town, VT, receiver))["payload"] is False


async def test_a_damaged_key_keeps_a_delivery_waiting_until_it_is_put_back(town, tmp_path):
    town[POLITIE].up = False
    receipt = await hand_in(town, melding("ref-1"))
    (path,) = (tmp_path / POLITIE / "epochs").glob("*.epoch")
    good = path.read_bytes()
    path.write_bytes(b"")
    town.clock.forward(minutes=2)  # what was handed in a moment ago is not read back
    town[POLITIE].up = True
    await town.settle()
    view = await town[POLITIE].store.reader.message(receipt.id)
    assert [(d.state, d.last_code) for d in view.deliveries] == [(State.READY, "epoch_key.damaged")]

    path.write_bytes(good)
    town.clock.forward(minutes=2)
    await town.settle()

    assert len(await waiting(town)) == 1


# --- the run itself -------------------------------------------------------------------


async def test_a_clock_that_steps_destroys_nothing_until_somebody_could_look(town):
    await confirmed(town)
    keeping = housekeeping(town, HUB, clock=town.clock)
    seconds = 0.0
    town.clock.monotonic = lambda: seconds
    assert (await keeping.run_once(town.clock.now())).failed == []

    town.clock.forward(days=3)
    seconds += 60
    kept = await keeping.run_once(town.clock.now())
    assert (kept.failed, kept.destroyed) == (["clock.stepped"], 0)

    town.clock.forward(seconds=HOLD.total_seconds())
    seconds += HOLD.total_seconds()
    kept = await keeping.run_once(town.clock.now())
    assert kept.failed == []
    assert kept.destroyed > 0


async def test_a_step_that_fails_does_not_keep_the_others_from_being_made(town):
    class Broken:
        async def sweep_orphans(self, older_than):
            del older_than
            raise StoreUnavailable("store.failed", "the database failed")

    await confirmed(town)
    keeping = housekeeping(town, HUB, payloads=Broken())
    await keeping.run_once(town.clock.now())
    for _ in range(24):
        town.clock.forward(hours=1)
        kept = await keeping.run_once(town.clock.now())

    assert kept.failed == ["store.failed"]
    assert kept.backlog.due == 0
    assert kept.backlog.oldest_key > timedelta(hours=23)
    assert events(await town[HUB].message("ref-1"))[-1] == "payload.destroyed"


async def test_requests_and_decisions_are_looked_at_once_a_day(town):
    class Counting:
        times = 0

        def __getattr__(self, name):
            return getattr(town[HUB].store.retention, name)

        async def forget(self, terms):
            assert terms.decisions == timedelta(days=RetentionSettings().decision_days)
            self.times += 1
            return 3

    counting = Counting()
    keeping = housekeeping(town, HUB, retention=counting)

    forgotten = []
    for _ in range(26):
        kept = await keeping.run_once(town.clock.now())
        forgotten.append(kept.forgotten)
        town.clock.forward(hours=1)

    assert counting.times == 2
    assert [n for n, rows in enumerate(forgotten) if rows] == [0, 24]
