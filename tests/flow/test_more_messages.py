"""Enrichment requests and generic reports cross the hub as a melding does."""

import pytest

from gateway.errors import NoRoute, SchemaViolation
from gateway.lifecycle import State
from gateway.message import Aanlevering
from tests.flow.test_melding import waiting
from tests.flow.town import HUB, POLITIE, VT
from tests.parties import EXAMPLES

PLAIN = Aanlevering(acuut=False, onderzoek=False, wpg_artikel="8")


def octets(name, folder="."):
    return (EXAMPLES / folder / f"{name}.xml").read_bytes()


async def hand_in(town, sender, message, aanlevering=None):
    place = town[sender]
    return await place.gateway.hand_in(message, aanlevering or Aanlevering(), place.backend)


@pytest.mark.parametrize("name", ["vcobDi01", "vciDi01", "uitkomstMeldingGeneriekDi01"])
async def test_message_of_veilig_thuis_reaches_the_police_unchanged(town, name):
    message = octets(name)

    receipt = await hand_in(town, VT, message)
    await town.settle()
    (item,) = await waiting(town, POLITIE)
    assert item.message.kind == name
    assert await town[POLITIE].store.payloads.get(item.payload_id) == message
    assert await town[POLITIE].gateway.confirm(item.delivery, town[POLITIE].backend)
    await town.settle()

    view = await town[VT].store.reader.message(receipt.id)
    assert [d.state for d in view.deliveries] == [State.DELIVERED]
    assert view.message.answer == "Bv01Bericht"


@pytest.mark.parametrize("name", ["ucobDi01", "uciDi01", "meldingGeneriekDi01"])
async def test_message_of_the_police_that_no_table_names_is_held(town, name):
    receipt = await hand_in(town, POLITIE, octets(name), PLAIN)
    await town.settle()

    view = await town[POLITIE].store.reader.message(receipt.id)
    assert [d.state for d in view.deliveries] == [State.HELD]
    assert await waiting(town, VT) == ()
    assert await town[HUB].message(view.message.referentienummer) is None


async def test_request_without_a_reason_is_refused_with_its_place(town):
    message = octets("vcobDi01").replace(b"<JZ:code>01</JZ:code>", b"<JZ:code>99</JZ:code>")

    with pytest.raises(SchemaViolation) as caught:
        await hand_in(town, VT, message)

    (found,) = caught.value.findings
    assert found.code == "schema.keuzelijst"
    assert found.path == "/vcobDi01/object/redenVerzoek/code"


async def test_zorgmelding_needs_an_agreement_of_its_own_version(town):
    with pytest.raises(NoRoute) as caught:
        await hand_in(town, POLITIE, octets("zorgmeldingDi01"), PLAIN)

    assert caught.value.code == "route.agreement"
