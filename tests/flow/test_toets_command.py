"""What an officer asks at the command line goes by the rules of the desk."""

import json

import pytest

from gateway.cli.deciding import post
from gateway.cli.toets import _conditions
from gateway.consoles import desk_of
from gateway.errors import PolicyViolation, Refused
from gateway.lifecycle import State
from gateway.ports import RequestsWanted
from gateway.web.control import NAME, open_control
from gateway.web.toets_control import NOTHING, Ask, Order
from tests.flow import town as towns
from tests.flow.test_gate import hand_in, melding
from tests.flow.test_toets import state_of
from tests.flow.town import HUB, OM, ON_BOTH, POLITIE, VT

RELEASE = {"officier": "anders", "uitkomst": "vrijgeven", "grond": "Aanwijzing 15.1"}


class Desk:
    """The socket of the OM's process, and one melding that waits."""

    def __init__(self, town, socket, receipt, request):
        self.town, self.socket, self.receipt, self.request = town, socket, receipt, request

    async def ask(self, ask, fields, *, id_=None, door="jansen"):
        order = Order(ask=ask, id=id_ or self.request, door=door, fields=fields)
        answer = await post(self.socket, f"toets/{order.ask}/{order.id}", order.body())
        return answer if ask is Ask.READ else json.loads(answer)

    async def refused(self, ask, fields, **given):
        with pytest.raises(Refused) as caught:
            await self.ask(ask, fields, **given)
        return caught.value.code

    async def audited(self, event):
        rows = await self.town[OM].store.reader.audit(after=0, limit=500)
        return [row.event for row in rows if row.event.event == event]


@pytest.fixture
async def desk(tmp_path, place):
    town = await towns.build(tmp_path, parties=(POLITIE, HUB, VT, OM), place=place)
    om = town[OM]
    control = await open_control(desk_of(om.store), tmp_path, deciding=om.gateway.deciding)
    receipt = await hand_in(town, melding(aanhouding="ja, ter plaatse"))
    await town.settle()
    (one,) = await om.gateway.deciding.requests(RequestsWanted())
    yield Desk(town, tmp_path / NAME, receipt, one.id)
    await control.close()
    await town.close()


@ON_BOTH
async def test_an_officer_looks_reads_takes_and_decides(desk):
    (one,) = (await desk.ask(Ask.LIST, {}, id_=NOTHING))["verzoeken"]
    assert one["id"] == desk.request
    assert (await desk.ask(Ask.SHOW, {}))["verzoek"]["redenen"][0]["regel"] == "OM-001"
    reading = {"officier": "anders", "doel": "toets"}
    assert await desk.ask(Ask.READ, reading) == melding(aanhouding="ja, ter plaatse")
    assert (await desk.ask(Ask.TAKE, {"officier": "anders"}))["officier"] == "anders"
    assert (await desk.ask(Ask.LET_GO, {"officier": "anders"}))["officier"] == ""

    verdict = await desk.ask(Ask.DECIDE, RELEASE)
    await desk.town.settle()

    assert verdict["status"] == "genomen"
    assert await state_of(desk.town, desk.receipt) is State.DELIVERED
    late = {"officier": "anders", "reden": "bij nader inzien"}
    taken_back = await desk.ask(Ask.WITHDRAW, late, id_=verdict["id"])
    assert taken_back["status"] in {"ingetrokken", "te laat ingetrokken"}
    told = [(e.actor, e.data["ask"], e.data["officer"]) for e in await desk.audited(BY_COMMAND)]
    assert told == [
        ("jansen", ask, "anders") for ask in ("lees", "neem", "laat", "besluit", "trek-in")
    ]


BY_COMMAND = "toets.by_command"


@ON_BOTH
async def test_a_second_officer_confirms_or_does_not(desk):
    om = desk.town[OM]
    deciding = om.snapshots.current().deciding
    category = (await om.store.desk.request(desk.request)).reasons[0].category
    await om.change(deciding=deciding.model_copy(update={"tweede_officier": (category,)}))
    first = (await desk.ask(Ask.DECIDE, RELEASE))["id"]

    assert await desk.refused(Ask.CONFIRM, {"officier": "anders"}, id_=first) == "toets.vier_ogen"
    no = {"officier": "bos", "reden": "eerst navragen"}
    assert (await desk.ask(Ask.REJECT, no, id_=first))["status"] == "niet bevestigd"
    second = (await desk.ask(Ask.DECIDE, RELEASE))["id"]
    assert (await desk.ask(Ask.CONFIRM, {"officier": "bos"}, id_=second))["status"] == "genomen"
    await desk.town.settle()

    assert await state_of(desk.town, desk.receipt) is State.DELIVERED


REFUSED = {
    "not known": (Ask.SHOW, {}, {"id_": "geen"}, "toets.verzoek.onbekend"),
    "no purpose": (Ask.READ, {"officier": "anders", "doel": "?"}, {}, "toets.doel"),
    "a stranger": (Ask.DECIDE, {**RELEASE, "officier": "niemand"}, {}, "toets.officier.onbekend"),
    "a stranger who lets go": (
        Ask.LET_GO,
        {"officier": "niemand"},
        {},
        "toets.officier.onbekend",
    ),
    "no ground": (Ask.DECIDE, {**RELEASE, "grond": " "}, {}, "toets.besluit.grond"),
    "nothing told": (
        Ask.DECIDE,
        {**RELEASE, "uitkomst": "nietVrijgeven"},
        {},
        "toets.besluit.melding",
    ),
    "no outcome": (Ask.DECIDE, {**RELEASE, "uitkomst": "misschien"}, {}, "toets.vorm"),
    "something more": (Ask.TAKE, {"officier": "anders", "meer": 1}, {}, "toets.vorm"),
    "no officer": (Ask.TAKE, {}, {}, "toets.vorm"),
    "no decision": (Ask.CONFIRM, {"officier": "bos"}, {"id_": "geen"}, "toets.besluit.onbekend"),
}


@pytest.mark.parametrize(("ask", "fields", "given", "code"), REFUSED.values(), ids=list(REFUSED))
async def test_the_rules_of_the_desk_hold_at_the_command_line(desk, ask, fields, given, code):
    assert await desk.refused(ask, fields, **given) == code

    await desk.town.settle()
    assert await state_of(desk.town, desk.receipt) is State.HELD


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"door": 1, "velden": {}}'])
async def test_what_is_no_order_is_refused(desk, body):
    with pytest.raises(Refused, match=r"command\.body"):
        await post(desk.socket, "toets/lijst/-", body)


def test_who_asks_has_a_name():
    for door in ("", "  ", "a\tb", "x" * 65):
        with pytest.raises(PolicyViolation, match=r"command\.door"):
            Order(ask=Ask.LIST, id=NOTHING, door=door, fields={})


def test_conditions_are_given_with_their_code():
    assert _conditions(["V1=Niet delen=nooit"], ["V1"]) == [
        {"code": "V1", "tekst": "Niet delen=nooit", "aanvaarding": True}
    ]
    for given, accepted in ((["zonder"], []), (["V1=x"], ["V2"])):
        with pytest.raises(PolicyViolation, match=r"command\.voorwaarde"):
            _conditions(given, accepted)
