"""What a receiver refused with a Fo01 goes again, as an operator decides."""

import asyncio

import pytest

from gateway.cli.deciding import ask_process
from gateway.consoles import desk_of
from gateway.errors import NoRoute, PolicyViolation, Refused
from gateway.lifecycle import State
from gateway.message import Aanlevering
from gateway.pipeline import Weigering
from gateway.web.control import NAME, open_control
from gateway.wire.stuf import read_document
from tests.consoles import refused_by_vt
from tests.flow import town as towns
from tests.flow.test_gate import FREE, hand_in, melding
from tests.flow.test_toets import decide, state_of
from tests.flow.town import HUB, OM, POLITIE, VT

NO = Weigering(code="VT001", omschrijving="Nu niet te verwerken")


@pytest.fixture
async def town(tmp_path):
    made = await towns.build(tmp_path, parties=(POLITIE, HUB, VT, OM))
    police = made[POLITIE]
    await police.change(backends=(police.backend,))
    yield made
    await made.close()


async def refused(town, octets=None, aanlevering=FREE):
    receipt = await hand_in(town, octets or melding(), aanlevering)
    await town.settle()
    if receipt.held:
        await decide(town)
    await refused_by_vt(town, NO)
    return receipt


def again(town, receipt, *, who="otto", why="route hersteld"):
    return town[POLITIE].gateway.send_again(receipt.id, who=who, why=why)


async def refusal(call):
    with pytest.raises(PolicyViolation) as caught:
        await call
    return caught.value.code


async def test_it_arrives_under_a_new_number_with_the_same_words(town):
    receipt = await refused(town)

    fresh = await again(town, receipt)
    await town.settle()

    assert await state_of(town, fresh) is State.DELIVERED
    view = await town[VT].message(fresh.referentienummer)
    octets = await town[VT].store.payloads.get(view.message.payload_id)
    came = read_document(octets)
    assert came.stuurgegevens.referentienummer == fresh.referentienummer != "ref-1"
    first, second = (read_document(one).tree.find("{*}object") for one in (melding(), octets))
    assert first.xpath("string()") == second.xpath("string()")


async def test_both_are_linked_and_who_did_it_and_why_is_written_down(town):
    receipt = await refused(town)

    fresh = await again(town, receipt)

    inbox = town[POLITIE].store.inbox
    old = await town[POLITIE].store.reader.message(receipt.id)
    new = await inbox.replacement(old.message)
    assert new.id == fresh.id
    assert new.aanlevering == Aanlevering(
        acuut=FREE.acuut, onderzoek=FREE.onderzoek, wpg_artikel=FREE.wpg_artikel, vervangt="ref-1"
    )
    (event,) = [row.event for row in old.trace if row.event.event == "message.sent_again"]
    assert (event.actor, event.data["reason"]) == ("otto", "route hersteld")
    assert event.data["referentienummer"] == new.referentienummer


async def test_what_is_criminal_waits_for_the_om_again(town):
    receipt = await refused(town, melding(aanhouding="ja, ter plaatse"))

    fresh = await again(town, receipt)
    await town.settle()

    assert fresh.held
    assert await state_of(town, fresh) is State.HELD


async def test_two_who_do_it_at_once_send_it_once(town):
    receipt = await refused(town)

    done = await asyncio.gather(
        again(town, receipt), again(town, receipt, who="ozan"), return_exceptions=True
    )
    await town.settle()

    (failed,) = [one for one in done if isinstance(one, PolicyViolation)]
    assert failed.code == "opnieuw.vervangen"
    assert await refusal(again(town, receipt)) == "opnieuw.vervangen"
    found = await town[VT].store.reader.messages(party=None, before=None, limit=50)
    assert len([m for m in found if m.kind == "vtMeldingDi01"]) == 2


async def test_one_that_its_system_replaced_does_not_go_again(town):
    receipt = await refused(town)
    mended = melding().replace(b"ref-1", b"ref-2")
    await hand_in(town, mended, Aanlevering(onderzoek=False, wpg_artikel="8", vervangt="ref-1"))

    assert await refusal(again(town, receipt)) == "opnieuw.vervangen"


async def test_one_that_was_not_refused_does_not_go_again(town):
    receipt = await hand_in(town, melding())
    await town.settle()

    assert await refusal(again(town, receipt)) == "opnieuw.niet_geweigerd"
    came = await town[HUB].message("ref-1")
    with pytest.raises(PolicyViolation):
        await town[HUB].gateway.send_again(came.message.id, who="otto", why="hersteld")
    with pytest.raises(NoRoute):
        await town[POLITIE].gateway.send_again("geen", who="otto", why="hersteld")


async def test_without_content_or_system_it_does_not_go_again(town):
    receipt = await refused(town)
    view = await town[POLITIE].store.reader.message(receipt.id)

    await town[POLITIE].change(backends=())
    assert await refusal(again(town, receipt)) == "opnieuw.systeem"
    await town[POLITIE].change(backends=(town[POLITIE].backend,))
    await town[POLITIE].store.payloads.destroy((view.message.payload_id,))
    assert await refusal(again(town, receipt)) == "opnieuw.vernietigd"


async def test_the_command_line_asks_the_running_process(town, tmp_path):
    receipt = await refused(town)
    police = town[POLITIE]
    control = await open_control(desk_of(police.store, police.gateway), tmp_path)
    path = f"berichten/{receipt.id}/opnieuw"
    said = {"door": "otto", "reden": "route hersteld"}

    done = await ask_process(tmp_path / NAME, path, said)
    with pytest.raises(Refused) as twice:
        await ask_process(tmp_path / NAME, path, said)
    await control.close()

    view = await police.store.reader.message(done["bericht"])
    assert view.message.referentienummer == done["referentienummer"]
    assert (view.message.aanlevering.vervangt, done["status"]) == ("ref-1", "onderweg")
    assert twice.value.code == "opnieuw.vervangen"


async def test_where_only_the_store_is_open_nothing_goes_again(town, tmp_path):
    receipt = await refused(town)
    control = await open_control(desk_of(town[POLITIE].store), tmp_path)
    with pytest.raises(Refused) as caught:
        await ask_process(
            tmp_path / NAME, f"berichten/{receipt.id}/opnieuw", {"door": "otto", "reden": "klaar"}
        )
    await control.close()

    assert caught.value.code == "command.body"
