"""An exception of one partner in the whole of a hub: for it alone, by the clock, written down."""

from datetime import timedelta

import pytest

from gateway.config_algorithms import Weakness
from gateway.message import Part, Payload
from gateway.security.algorithms import AES256_CBC, RSA_15, RSA_OAEP_MGF1P
from gateway.wire.ebms2 import header as wire
from tests.flow import bad_input as bad
from tests.flow import town as towns
from tests.flow.bad_input import Recipe, make
from tests.flow.town import HUB, NOW, POLITIE, VT
from tests.weak import allowing, encrypted

ENDS = NOW + timedelta(hours=1)


def cbc(payload: Payload, encryption) -> Part:
    return encrypted(
        payload.content_id,
        payload.octets,
        encryption.certificate,
        cipher=AES256_CBC,
        transport=RSA_OAEP_MGF1P,
    )


def rsa15_and_cbc(payload: Payload, encryption) -> Part:
    return encrypted(
        payload.content_id,
        payload.octets,
        encryption.certificate,
        cipher=AES256_CBC,
        transport=RSA_15,
    )


@pytest.fixture
async def town(tmp_path):
    made = await towns.build(tmp_path, parties=(HUB,))
    yield made
    await made.close()


async def grant(town, oin, *what):
    parties = town[HUB].snapshots.current().parties
    party = allowing(parties[oin], *what, until=ENDS)
    await town[HUB].change(parties={**parties, oin: party})


async def rows(town, event):
    await town[HUB].gateway.close()  # what is still being counted
    found = await town[HUB].store.reader.audit(after=0, limit=100)
    return [row.event for row in found if row.event.event == event]


async def test_it_counts_for_its_own_partner_and_each_use_is_written_down(town):
    await grant(town, POLITIE, Weakness.CBC)

    answer = await town[HUB].gateway.receive(make(Recipe(encrypt=cbc)))

    assert answer.status == 204
    (row,) = await rows(town, "message.excepted")
    assert row.party == POLITIE
    assert row.data["what"] == "aes-cbc"
    assert row.data["message_id"] == bad.MESSAGE_ID
    assert await rows(town, "message.routed")


@pytest.mark.parametrize("case", ["none", "of another", "of another kind", "over"])
async def test_without_it_the_partner_gets_the_answer_that_all_get(town, case):
    if case == "of another":
        await grant(town, VT, *Weakness)
    if case == "of another kind":
        await grant(town, POLITIE, *(set(Weakness) - {Weakness.CBC}))
    if case == "over":
        await grant(town, POLITIE, Weakness.CBC)
    late = ENDS - NOW if case == "over" else timedelta(0)
    recipe = Recipe(encrypt=cbc, at=late, header={"time_to_live": NOW + timedelta(hours=9)})

    answer = await town[HUB].gateway.receive(make(recipe))

    claimed = wire.read(answer.message.body, answer.message.content_type, limits=towns.Limits())
    assert [error.code for error in claimed.content.errors] == ["SecurityFailure"]
    assert await rows(town, "message.excepted") == []
    refused = [row for row in await rows(town, "input.refused") if row.code]
    assert [row.code for row in refused] == ["decryption.algorithm"]


async def test_two_exceptions_in_one_message_stand_in_one_row(town):
    await grant(town, POLITIE, Weakness.CBC, Weakness.RSA15)

    await town[HUB].gateway.receive(make(Recipe(encrypt=rsa15_and_cbc)))

    (row,) = await rows(town, "message.excepted")
    assert row.data["what"] == "aes-cbc,rsa-1.5"
