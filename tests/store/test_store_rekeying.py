"""Epoch keys end on schedule, and nothing that lives ends with them."""

import asyncio
from datetime import timedelta

import pytest

from gateway.errors import GatewayError, Misconfigured
from gateway.keys.epochs import GRACE, LIFETIME, EpochKeys
from gateway.keys.epochs import look as look_at
from gateway.lifecycle import State
from gateway.store import rekeying
from tests.store.stage import LARGE, START, Dice

AGE = timedelta(hours=36)
BACKUP = timedelta(hours=24)


async def rekey(stage, *, backup=BACKUP):
    return await stage.store.retention.rekey(age=AGE, backup=backup)


async def waiting(stage, n=1):
    """Admit a message that is held; return the id of its payload."""
    await stage.admit(n, deliveries=(stage.delivery(n, state=State.HELD),))
    return (await stage.view(n)).message.payload_id


async def key_of(stage, payload):
    (row,) = stage.rows(f"SELECT epoch_key FROM payloads WHERE id = '{payload}'")
    return row.epoch_key


async def events(stage):
    return [row.event for row in await stage.store.reader.audit(after=0, limit=1000)]


async def destroyed_keys(stage):
    return [e.data["key"] for e in await events(stage) if e.event == "epoch_key.destroyed"]


async def test_what_lives_moves_to_the_current_key_and_the_old_one_goes(stage):
    payload = await waiting(stage)
    old = await key_of(stage, payload)
    stage.clock.forward(hours=35)
    assert (await rekey(stage)).wrapped == 0
    stage.clock.forward(hours=2)

    assert (await rekey(stage)).wrapped == 1

    new = await key_of(stage, payload)
    assert new != old
    assert stage.epochs.ids() == (old, new)
    assert await stage.store.payloads.get(payload) == b"<bericht>1</bericht>"
    stage.clock.forward(hours=23)
    assert (await rekey(stage)).destroyed == 0
    stage.clock.forward(hours=2)

    assert (await rekey(stage)).destroyed == 1

    assert old not in stage.epochs.ids()
    assert await destroyed_keys(stage) == [old]
    assert await stage.store.payloads.get(payload) == b"<bericht>1</bericht>"
    assert await stage.store.verify_chain() is None


async def test_a_key_in_use_is_never_touched(stage):
    payload = await waiting(stage)

    for _ in range(25):
        stage.clock.forward(hours=1)
        assert await rekey(stage, backup=timedelta(0)) == rekeying.Rekeyed()

    assert stage.epochs.is_open(await key_of(stage, payload))


async def test_a_message_that_waits_for_a_year_is_read_after_each_of_its_keys_went(stage):
    payload = await waiting(stage)

    for _ in range(30):
        stage.clock.forward(days=12)
        await rekey(stage, backup=timedelta(0))

    assert await stage.store.payloads.get(payload) == b"<bericht>1</bericht>"
    assert len(stage.epochs.ids()) == 1
    assert len(await destroyed_keys(stage)) == 30


async def test_a_key_that_wraps_only_destroyed_payloads_and_orphans_goes(stage):
    destroyed = await waiting(stage)
    await stage.store.payloads.put(b"orphan")
    await stage.store.payloads.destroy([destroyed])
    stage.clock.forward(hours=37)
    await stage.store.payloads.sweep_orphans(timedelta(hours=1))

    done = await rekey(stage, backup=timedelta(0))

    assert (done.wrapped, done.destroyed) == (0, 1)
    assert stage.epochs.ids() == ()


async def test_more_than_one_batch_moves(stage, monkeypatch):
    monkeypatch.setattr(rekeying, "_UNDER", rekeying._UNDER.limit(2))
    payloads = [await waiting(stage, n) for n in range(1, 6)]
    stage.clock.forward(hours=37)

    assert (await rekey(stage)).wrapped == 5

    assert len({await key_of(stage, p) for p in payloads}) == 1


async def test_a_payload_destroyed_while_it_moves_stays_destroyed(stage):
    payload = await waiting(stage)
    old = await key_of(stage, payload)
    late = rekeying.Rewrap(rows=((payload, b"wrapped"),), old=old, new="other")
    await stage.store.payloads.destroy([payload])

    await stage.store._writer.commit(late)

    (row,) = stage.rows(f"SELECT epoch_key, wrapped FROM payloads WHERE id = '{payload}'")
    assert (row.epoch_key, bytes(row.wrapped)) == ("", b"")


# --- races ----------------------------------------------------------------------------


class Stalling(EpochKeys):
    """Hands out a key, and lets something happen before it is used."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.meanwhile = None

    def current(self, now):
        given = super().current(now)
        if self.meanwhile is not None:
            happens, self.meanwhile = self.meanwhile, None
            happens(given[0])
        return given


@pytest.fixture
async def stalling(stage):
    await stage.store.close()
    stage.epochs = Stalling(stage.folder / "epochs", dice=stage.dice)
    await stage.open()
    return stage


async def test_a_payload_wrapped_with_a_key_that_closed_meanwhile_is_wrapped_again(stalling):
    stalling.epochs.meanwhile = lambda key: stalling.epochs.close(key, stalling.clock.now())

    stored = await stalling.store.payloads.put(LARGE)

    assert stalling.epochs.is_open(await key_of(stalling, stored.id))
    assert await stalling.store.payloads.get(stored.id) == LARGE


async def test_a_payload_wrapped_with_a_key_that_was_destroyed_meanwhile_is_wrapped_again(stalling):
    stalling.epochs.meanwhile = stalling.epochs.destroy

    stored = await stalling.store.payloads.put(LARGE)

    assert await stalling.store.payloads.get(stored.id) == LARGE


async def test_what_moved_to_a_key_that_was_destroyed_meanwhile_moves_again(stalling):
    payload = await waiting(stalling)
    stalling.clock.forward(hours=37)
    stalling.epochs.meanwhile = stalling.epochs.destroy

    await rekey(stalling)

    assert await stalling.store.payloads.get(payload) == b"<bericht>1</bericht>"


async def test_a_payload_that_came_under_a_closed_key_keeps_it(stage):
    payload = await waiting(stage)
    old = await key_of(stage, payload)
    stage.epochs.close(old, stage.clock.now())
    stage.clock.forward(days=3)
    assert await stage.store._writer.commit(rekeying.Unused(key=old)) is False

    await rekey(stage)

    assert await stage.store.payloads.get(payload) == b"<bericht>1</bericht>"


async def test_two_processes_that_make_a_key_at_once_both_have_a_good_one(tmp_path):
    folder = tmp_path / "epochs"
    one, two = (EpochKeys(folder, dice=Dice(seed)) for seed in (1, 2))

    made = [one._make(START), two._make(START)]

    assert len({key.id for key in made}) == 2
    assert [two.key(made[0].id), one.key(made[1].id)] == [key.octets for key in made]
    assert one.current(START) == two.current(START)


async def test_a_key_that_another_process_closed_wraps_no_more_here(tmp_path):
    one, two = (EpochKeys(tmp_path / "epochs", dice=Dice(seed)) for seed in (1, 2))
    id_, octets = one.current(START)
    assert one.is_open(id_)

    two.close(id_, START)

    assert not one.is_open(id_)
    assert one.key(id_) == octets
    assert one.current(START)[0] != id_
    two.destroy(id_)
    with pytest.raises(GatewayError):
        one.key(id_)


async def test_a_key_that_another_process_ended_is_no_trouble(stage):
    await waiting(stage)
    stage.clock.forward(hours=37)

    both = await asyncio.gather(rekey(stage, backup=timedelta(0)), rekey(stage))

    assert sum(done.wrapped for done in both) >= 1
    assert len(stage.epochs.ids()) <= 2
    assert await stage.store.payloads.get((await stage.view()).message.payload_id)


# --- crashes --------------------------------------------------------------------------


async def test_after_a_crash_behind_the_overwriting_the_audit_row_is_still_written(stage):
    payload = await waiting(stage)
    old = await key_of(stage, payload)
    await stage.store.payloads.destroy([payload])
    stage.epochs.destroy(old)
    assert await destroyed_keys(stage) == []
    await stage.reopen()

    assert (await rekey(stage)).destroyed == 1

    assert await destroyed_keys(stage) == [old]
    assert list((stage.folder / "epochs").iterdir()) == []


async def test_the_octets_of_a_destroyed_key_are_overwritten(tmp_path):
    keys = EpochKeys(tmp_path / "epochs", dice=Dice())
    id_, octets = keys.current(START)

    keys.destroy(id_)

    (left,) = (tmp_path / "epochs").iterdir()
    assert octets not in left.read_bytes()
    assert left.suffix == ".gone"


async def test_a_half_made_key_is_cleared_away_when_nobody_can_be_making_it(tmp_path):
    keys = EpochKeys(tmp_path / "epochs", dice=Dice())
    id_, _ = keys.current(START)
    draft = tmp_path / "epochs" / f"{id_}.new"
    draft.write_bytes(b"half")

    keys.clear_drafts(START + timedelta(minutes=1))
    assert draft.exists()
    keys.clear_drafts(START + timedelta(hours=2))

    assert not draft.exists()
    assert keys.ids() == (id_,)


# --- clocks and damage ----------------------------------------------------------------


async def test_a_key_from_a_clock_that_was_ahead_ends_like_any_other(stage):
    stage.clock.forward(days=400)
    payload = await waiting(stage)
    future = await key_of(stage, payload)
    stage.clock.forward(days=-400)

    await rekey(stage, backup=timedelta(0))

    assert future not in stage.epochs.ids()
    assert await stage.store.payloads.get(payload) == b"<bericht>1</bericht>"


def test_no_key_rests_while_it_may_wrap_whatever_the_setting(tmp_path):
    EpochKeys(tmp_path, dice=Dice()).current(START)
    (key,) = look_at(tmp_path)

    assert not key.rests(START + LIFETIME + GRACE - timedelta(seconds=1), timedelta(0))
    assert key.rests(START + LIFETIME + GRACE, timedelta(0))


@pytest.mark.parametrize("octets", [b"", b"short", bytes(32)])
async def test_a_damaged_key_is_told_and_stays_until_it_is_put_back(stage, octets):
    payload = await waiting(stage)
    old = await key_of(stage, payload)
    path = stage.folder / "epochs" / f"{old}.epoch"
    good = path.read_bytes()
    path.write_bytes(octets)
    stage.clock.forward(days=10)

    done = await rekey(stage, backup=timedelta(0))

    assert done == rekeying.Rekeyed(wrapped=0, destroyed=0, stuck=(old,))
    with pytest.raises(Misconfigured) as caught:
        await stage.store.payloads.get(payload)
    assert caught.value.code == "epoch_key.damaged"
    path.write_bytes(good)
    assert (await rekey(stage)).wrapped == 1


async def test_a_tampered_payload_does_not_keep_others_from_moving(stage):
    payloads = [await waiting(stage, n) for n in (1, 2, 3)]
    old = await key_of(stage, payloads[1])
    other = f"(SELECT wrapped FROM payloads WHERE id = '{payloads[0]}')"
    stage.raw(f"UPDATE payloads SET wrapped = {other} WHERE id = '{payloads[1]}'")
    stage.clock.forward(hours=37)

    done = await rekey(stage, backup=timedelta(0))

    assert (done.wrapped, done.stuck) == (2, (old,))
    assert await stage.store.payloads.get(payloads[2]) == b"<bericht>3</bericht>"


async def test_a_live_payload_whose_key_is_gone_reads_as_destroyed(stage):
    payload = await waiting(stage)
    stage.epochs.destroy(await key_of(stage, payload))
    stage.forget()

    with pytest.raises(GatewayError) as caught:
        await stage.store.payloads.get(payload)

    assert caught.value.code == "payload.destroyed"
