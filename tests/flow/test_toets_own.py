"""Messages of the gate: only the gateway makes them, and they carry the largest payload."""

from hashlib import sha256

import pytest

from gateway.directory import Limits
from gateway.errors import Malformed, PolicyViolation
from gateway.lifecycle import State
from gateway.pipeline.trying import Check, Oordeel, Outcome
from gateway.ports import RequestsWanted
from gateway.rules.officers import Wish
from gateway.wire import toets
from gateway.wire.toets import Uitkomst
from tests.flow import town as towns
from tests.flow.test_gate import hand_in, listen, melding
from tests.flow.test_trying import outcome, try_out
from tests.flow.town import HUB, OM, POLITIE, VT
from tests.parties import EXAMPLES

LARGEST = Limits().payload_bytes
RELEASE = Wish(outcome=Uitkomst.VRIJGEVEN, ground="Aanwijzing 15.5.1.")


@pytest.fixture
async def town(tmp_path):
    made = await towns.build(tmp_path, parties=(POLITIE, HUB, VT, OM))
    yield made
    await made.close()


def own(name: str) -> bytes:
    return (EXAMPLES / f"{name}.xml").read_bytes()


@pytest.mark.parametrize("name", sorted(toets.KINDS))
@pytest.mark.parametrize("party", [POLITIE, OM, VT])
async def test_message_of_the_gate_can_not_be_handed_in(town, name, party):
    attempts = listen(town)

    with pytest.raises(PolicyViolation) as caught:
        await hand_in(town, own(name), oin=party)
    await town.settle()

    assert (caught.value.code, caught.value.where) == ("toets.eigen", f"/{name}")
    assert attempts == []
    assert await town[party].store.reader.messages(party=None, before=None, limit=5) == ()


@pytest.mark.parametrize("name", sorted(toets.KINDS))
async def test_dry_run_says_so_too(town, name):
    trial = await try_out(town, own(name))

    assert trial.oordeel is Oordeel.REFUSED
    assert outcome(trial, Check.AFZENDER) is Outcome.REFUSED
    assert trial.error.code == "toets.eigen"


def largest() -> bytes:
    """A held melding of exactly the size that a payload may have."""
    octets = melding(aanhouding="ja, ter plaatse")
    return octets + b"\n" * (LARGEST - len(octets))


async def test_largest_payload_is_asked_through_the_hub_decided_and_delivered(town):
    octets, posted = largest(), []

    async def watches(me, _endpoint, message):
        posted.append((me, len(message.body)))

    town.breaks.append(watches)
    receipt = await hand_in(town, octets)
    await town.settle()
    (request,) = await town[OM].gateway.deciding.requests(RequestsWanted())

    asked = [size for _, size in posted if size > LARGEST]
    assert len(asked) == 2  # politie → hub, hub → OM
    assert max(asked) < Limits().wire_bytes
    assert request.payload_sha256 == sha256(octets).hexdigest()
    read = await town[OM].gateway.deciding.read(request.id, officer="anders", purpose="toets")
    assert read == octets

    await town[OM].gateway.deciding.decide(request.id, officer="anders", wish=RELEASE)
    await town.settle()

    view = await town[POLITIE].store.reader.message(receipt.id)
    assert view.deliveries[0].state is State.DELIVERED


async def test_payload_of_one_octet_more_is_refused_before_anything_is_asked(town):
    with pytest.raises(Malformed) as caught:
        await hand_in(town, largest() + b"\n")

    assert caught.value.code == "xml.size"
    assert await town[POLITIE].store.reader.messages(party=None, before=None, limit=5) == ()
