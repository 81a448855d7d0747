import asyncio
import os
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError, Misconfigured, StoreUnavailable
from gateway.keys.epochs import EpochKeys, is_writable
from gateway.store.fresh import Fresh
from gateway.store.sealing import CHUNK, seal, unseal
from tests.store.stage import LARGE, START, Dice

KEY = ("20261124T080000Z-00", bytes(range(32)))


def _seal(octets, id_="p"):
    return seal(octets, id_=id_, key=b"k" * 32, nonce=b"n" * 12, epoch_key=KEY)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 20 * CHUNK + 7])
async def test_a_payload_comes_back_as_it_went_in(stage, size):
    octets = os.urandom(size)

    stored = await stage.store.payloads.put(octets)

    assert stored.size == size
    assert await stage.store.payloads.get(stored.id) == octets


async def stored(stage, n, octets, label):
    await stage.admit(n, octets=octets, label=label)
    return (await stage.view(n)).message.payload_id


@pytest.mark.parametrize("size", [7, 2 * CHUNK])
async def test_a_label_is_proven_by_the_key_of_its_payload(stage, size):
    payloads = stage.store.payloads
    mine, other = [await stored(stage, n, os.urandom(size), b"onderzoek") for n in (1, 2)]
    bare = await stored(stage, 3, os.urandom(size), b"")

    async def proven(id_, label):
        _, is_label = await payloads.opened(id_, label)
        return is_label

    assert await proven(mine, b"onderzoek")
    assert not await proven(mine, b"geen onderzoek")
    assert not await proven(mine, b"")
    assert not await proven(bare, b"onderzoek")
    assert not await proven(bare, b"")

    # The label of another payload, with the same words, is of that payload alone.
    stage.raw(
        f"UPDATE payloads SET label = (SELECT label FROM payloads WHERE id = '{other}') "
        f"WHERE id = '{mine}'"
    )
    assert not await proven(mine, b"onderzoek")

    await payloads.destroy([other])
    with pytest.raises(GatewayError, match=r"payload\.destroyed"):
        await proven(other, b"onderzoek")


async def test_many_payloads_at_once_stay_apart(stage):
    stored = await asyncio.gather(*(stage.store.payloads.put(b"%d" % n) for n in range(30)))

    back = await asyncio.gather(*(stage.store.payloads.get(s.id) for s in stored))

    assert back == [b"%d" % n for n in range(30)]


async def test_no_plain_octet_stands_in_the_database(stage):
    await stage.store.payloads.put(b"Jansen, 999990019" * 100)
    await stage.store.close()

    files = [p.read_bytes() for p in stage.folder.iterdir() if p.is_file()]
    await stage.open()

    assert not any(b"Jansen" in octets for octets in files)


TAMPERINGS = [
    "UPDATE payload_chunks SET octets = (SELECT wrapped FROM payloads) WHERE n = 1",
    "DELETE FROM payload_chunks WHERE n = 2",
    "DELETE FROM payload_chunks",
    "UPDATE payload_chunks SET n = 9 WHERE n = 0",
    "UPDATE payloads SET size = size + 1",
    "UPDATE payloads SET sha256 = 'x'",
    "UPDATE payloads SET wrapped = (SELECT octets FROM payload_chunks WHERE n = 2)",
]


@pytest.mark.parametrize("tampering", TAMPERINGS)
async def test_whatever_was_changed_is_noticed(stage, tampering):
    stored = await stage.store.payloads.put(bytes(2 * CHUNK + 5))
    stage.raw(tampering)

    with pytest.raises(GatewayError) as caught:
        await stage.store.payloads.get(stored.id)

    assert caught.value.code == "payload.tampered"


async def test_chunks_of_another_payload_do_not_fit(stage):
    await stage.admit_many((1, 2))
    one, two = [(await stage.view(n)).message.payload_id for n in (1, 2)]
    stage.raw(
        "UPDATE payload_chunks SET octets = (SELECT octets FROM payload_chunks"
        f" WHERE payload_id = '{two}') WHERE payload_id = '{one}'"
    )
    stage.forget()

    with pytest.raises(GatewayError):
        await stage.store.payloads.get(one)


@given(octets=st.binary(max_size=300), at=st.integers(min_value=0), bit=st.integers(0, 7))
def test_any_flipped_bit_of_a_chunk_is_noticed(octets, at, bit):
    sealed = _seal(octets)
    chunk = bytearray(sealed.chunks[0])
    chunk[at % len(chunk)] ^= 1 << bit
    changed = type(sealed)(
        id=sealed.id,
        size=sealed.size,
        sha256=sealed.sha256,
        epoch_key=sealed.epoch_key,
        wrapped=sealed.wrapped,
        chunks=(bytes(chunk),),
    )

    with pytest.raises(GatewayError):
        unseal(changed, wrapping=KEY[1])


def test_a_payload_does_not_open_under_another_id():
    sealed = _seal(b"octets")
    moved = type(sealed)(
        id="other",
        size=sealed.size,
        sha256=sealed.sha256,
        epoch_key=sealed.epoch_key,
        wrapped=sealed.wrapped,
        chunks=sealed.chunks,
    )

    with pytest.raises(GatewayError):
        unseal(moved, wrapping=KEY[1])


async def test_what_was_destroyed_is_gone_and_says_so(stage):
    await stage.admit(1)
    payload = (await stage.view()).message.payload_id

    assert await stage.store.payloads.destroy([payload]) == 1
    assert await stage.store.payloads.destroy([payload]) == 0

    with pytest.raises(GatewayError) as caught:
        await stage.store.payloads.get(payload)
    assert caught.value.code == "payload.destroyed"


async def test_orphans_are_swept_and_what_was_admitted_stays(stage):
    orphan = await stage.store.payloads.put(LARGE)
    await stage.admit(1, octets=LARGE)
    (claim,) = await stage.claim()
    await stage.seal(claim, b"digest")
    stage.clock.forward(hours=2)
    young = await stage.store.payloads.put(LARGE)

    assert await stage.store.payloads.sweep_orphans(timedelta(hours=1)) == 1

    with pytest.raises(GatewayError):
        await stage.store.payloads.get(orphan.id)
    assert await stage.store.payloads.get(young.id) == LARGE
    kept = (await stage.view()).message.payload_id
    assert await stage.store.payloads.get(kept) == LARGE


async def test_small_octets_go_with_the_commit_that_refers_to_them(stage):
    before = stage.store.counters()["units"]
    await stage.store.payloads.put(b"nobody refers to it")
    assert stage.store.counters()["units"] == before

    await stage.admit(1)
    stage.forget()

    assert stage.rows("SELECT count(*) FROM payloads")[0][0] == 1
    kept = (await stage.view()).message.payload_id
    assert await stage.store.payloads.get(kept) == b"<bericht>1</bericht>"


async def test_octets_that_waited_too_long_for_their_commit_are_refused(stage):
    """Their epoch key may be closed by now, and destroyed before anybody reads them."""
    admission = await stage.admission(1)
    stage.clock.forward(minutes=11)

    with pytest.raises(StoreUnavailable) as caught:
        await stage.store.inbox.admit(admission)

    assert caught.value.code == "payload.late"
    assert await stage.store.reader.message("m-1") is None


def test_octets_of_a_moment_ago_are_held_within_time_and_room():
    fresh = Fresh(seconds=60, room=10)
    fresh.put("a", b"aaaa", 0.0)
    fresh.put("b", b"bbbb", 1.0)
    fresh.put("c", b"cccc", 2.0)
    fresh.put("d", b"dd", 3.0)
    fresh.forget(["d"])

    assert fresh.take("a", 3.0) is None
    assert fresh.take("b", 3.0) == (b"bbbb", b"")
    assert fresh.take("b", 3.0) is None
    assert fresh.take("c", 63.0) is None
    assert fresh.take("d", 3.0) is None


# --- epoch keys -----------------------------------------------------------------------


async def test_destroying_the_epoch_key_destroys_what_it_wraps(stage):
    old = await stage.store.payloads.put(b"old")
    stage.clock.forward(days=1)
    new = await stage.store.payloads.put(b"new")
    first, second = stage.epochs.ids()

    assert stage.epochs.destroy(first)

    with pytest.raises(GatewayError) as caught:
        await stage.store.payloads.get(old.id)
    assert caught.value.code == "payload.destroyed"
    assert await stage.store.payloads.get(new.id) == b"new"
    assert stage.epochs.ids() == (second,)
    assert not stage.epochs.destroy(first)


def test_a_key_wraps_for_a_day(tmp_path):
    keys = EpochKeys(tmp_path / "epochs", dice=Dice())

    first = keys.current(START)

    assert keys.current(START + timedelta(hours=23)) == first
    assert keys.current(START + timedelta(hours=24)) != first
    assert keys.key(first[0]) == first[1]


def test_keys_outlive_the_process(tmp_path):
    first = EpochKeys(tmp_path / "epochs", dice=Dice(1)).current(START)

    assert EpochKeys(tmp_path / "epochs", dice=Dice(2)).current(START) == first


def test_a_clock_that_was_far_ahead_makes_one_more_key_and_not_one_per_payload(tmp_path):
    keys = EpochKeys(tmp_path / "epochs", dice=Dice())
    keys.current(START + timedelta(days=400))

    assert keys.current(START) == keys.current(START + timedelta(minutes=1))
    assert len(keys.ids()) == 2


def test_key_files_are_for_their_owner_only(tmp_path):
    keys = EpochKeys(tmp_path / "epochs", dice=Dice())
    id_, _ = keys.current(START)
    path = tmp_path / "epochs" / f"{id_}.epoch"

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.chmod(0o640)
    with pytest.raises(Misconfigured) as caught:
        EpochKeys(tmp_path / "epochs", dice=Dice())
    assert caught.value.code == "keys.permissions"


@pytest.mark.parametrize("id_", ["", "../etc/passwd", "nope"])
def test_a_strange_key_id_is_only_unknown(tmp_path, id_):
    keys = EpochKeys(tmp_path / "epochs", dice=Dice())

    with pytest.raises(GatewayError) as caught:
        keys.key(id_)

    assert caught.value.code == "epoch_key.destroyed"


async def test_a_key_that_can_not_be_made_is_trouble_that_passes(stage):
    folder = stage.folder / "epochs"
    kept = folder.rename(stage.folder / "kept")

    with pytest.raises(StoreUnavailable) as caught:
        await stage.store.payloads.put(b"octets")
    kept.rename(folder)
    stored = await stage.store.payloads.put(b"octets")

    assert caught.value.code == "epoch_key.not_made"
    assert await stage.store.payloads.get(stored.id) == b"octets"


def test_whether_a_new_key_could_be_written_is_seen_without_leaving_anything(tmp_path):
    (tmp_path / "epochs").mkdir()
    (tmp_path / "file").write_bytes(b"")

    assert is_writable(tmp_path / "epochs")
    assert list((tmp_path / "epochs").iterdir()) == []
    assert not is_writable(tmp_path / "gone")
    assert not is_writable(tmp_path / "file")
