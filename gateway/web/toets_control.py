"""What an officer asks at the command line, carried out as what the OM's own system asks.

Who may use the socket of the process, or open its database and keys, is trusted to be the officer
that he names; what was asked, for whom and by which user is written down first.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Any

from aiohttp import web
from pydantic import BaseModel, Field

from gateway.errors import PolicyViolation
from gateway.message import Oin
from gateway.pipeline.desk import Deciding
from gateway.ports import RequestsWanted
from gateway.web.api import models, toets_shapes
from gateway.web.api.body import JsonBody, parse_json
from gateway.web.api.toets_shapes import (
    CODE,
    BesluitBody,
    IntrekToestemmingBody,
    OfficierBody,
    RedenBody,
)

NOTHING = "-"
"""In the place of an id, where there is none."""
MOST_WHO = 64


class Ask(StrEnum):
    """What is asked; each is also a part of its path."""

    LIST = "lijst"
    SHOW = "toon"
    READ = "lees"
    TAKE = "neem"
    LET_GO = "laat"
    DECIDE = "besluit"
    CONFIRM = "bevestig"
    REJECT = "wijs-af"
    WITHDRAW = "trek-in"
    REVOKE = "trek-toestemming-in"


class Lijst(JsonBody):
    """Which requests."""

    alle: bool = Field(default=False, description="Ook waarop besloten is, de nieuwste eerst.")
    parket: str = Field(default="", max_length=200, description="Alleen van dit parket.")
    limiet: int = Field(default=50, ge=1, le=1_000, description="Hoeveel.")


class LezenBody(JsonBody):
    """Who reads, and what for."""

    officier: str = Field(min_length=1, max_length=64, description="Id van de officier.")
    doel: str = Field(max_length=200, description="Waarvoor; wordt vastgelegd.")


class Niets(JsonBody):
    """Nothing more is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One of them. Raises PolicyViolation `command.door` when nobody can be named so."""

    ask: Ask
    id: str
    """Of a request or a decision; `NOTHING` where neither is meant."""
    door: str
    """User of the terminal."""
    fields: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Keep audit rows short and readable."""
        if not self.door.strip() or len(self.door) > MOST_WHO or not self.door.isprintable():
            text = f"Geef --door met 1 tot {MOST_WHO} leesbare tekens."
            raise PolicyViolation("command.door", text)

    def body(self) -> bytes:
        """Return it as it travels, without what the path says."""
        return json.dumps({"door": self.door, "velden": dict(self.fields)}).encode()


Answer = BaseModel | bytes
_Way = Callable[[Deciding, str, Any], Awaitable[Answer]]


async def carry_out(deciding: Deciding, order: Order) -> Answer:
    """Return what came of it: a shape of the API, or the octets that are held.

    Raises SchemaViolation `toets.vorm`, and what the desk raises.
    """
    model, way = WAYS[order.ask]
    body = parse_json(json.dumps(dict(order.fields)).encode(), model, code=CODE)
    officer = str(getattr(body, "officier", ""))
    if officer:
        await deciding.by_command(str(order.ask), order.id, officer=officer, who=order.door)
    return await way(deciding, order.id, body)


async def _list(deciding: Deciding, _id: str, body: Lijst) -> Answer:
    wanted = RequestsWanted(open=not body.alle, parket=body.parket or None, limit=body.limiet)
    found = await deciding.requests(wanted)
    return models.Toetsverzoekenlijst(
        verzoeken=[toets_shapes.verzoek(one) for one in found], cursor=None
    )


async def _show(deciding: Deciding, id_: str, _body: Niets) -> Answer:
    return toets_shapes.zaak(await deciding.case(id_))


async def _read(deciding: Deciding, id_: str, body: LezenBody) -> Answer:
    return await deciding.read(id_, officer=body.officier, purpose=body.doel)


async def _take(deciding: Deciding, id_: str, body: OfficierBody) -> Answer:
    until = await deciding.take(id_, officer=body.officier)
    return models.Behandeling(id=id_, officier=body.officier, tot=until)


async def _let_go(deciding: Deciding, id_: str, body: OfficierBody) -> Answer:
    await deciding.let_go(id_, officer=body.officier)
    return models.Behandeling(id=id_, officier="", tot=None)


async def _decide(deciding: Deciding, id_: str, body: BesluitBody) -> Answer:
    verdict = await deciding.decide(id_, officer=body.officier, wish=body.wish())
    return toets_shapes.besluit(verdict)


async def _confirm(deciding: Deciding, id_: str, body: OfficierBody) -> Answer:
    return toets_shapes.besluit(await deciding.confirm(id_, officer=body.officier))


async def _reject(deciding: Deciding, id_: str, body: RedenBody) -> Answer:
    verdict = await deciding.reject(id_, officer=body.officier, why=body.reden)
    return toets_shapes.besluit(verdict)


async def _withdraw(deciding: Deciding, id_: str, body: RedenBody) -> Answer:
    verdict = await deciding.withdraw(id_, officer=body.officier, why=body.reden)
    return toets_shapes.besluit(verdict)


async def _revoke(deciding: Deciding, _id: str, body: IntrekToestemmingBody) -> Answer:
    holder = Oin(body.politie)
    await deciding.revoke(body.toestemming, officer=body.officier, why=body.reden, holder=holder)
    return models.Intrekking(toestemming=body.toestemming, politie=body.politie)


WAYS: Mapping[Ask, tuple[type[JsonBody], _Way]] = MappingProxyType(
    {
        Ask.LIST: (Lijst, _list),
        Ask.SHOW: (Niets, _show),
        Ask.READ: (LezenBody, _read),
        Ask.TAKE: (OfficierBody, _take),
        Ask.LET_GO: (OfficierBody, _let_go),
        Ask.DECIDE: (BesluitBody, _decide),
        Ask.CONFIRM: (OfficierBody, _confirm),
        Ask.REJECT: (RedenBody, _reject),
        Ask.WITHDRAW: (RedenBody, _withdraw),
        Ask.REVOKE: (IntrekToestemmingBody, _revoke),
    }
)


# --- over the socket ------------------------------------------------------------------


def add_toets(app: web.Application, deciding: Deciding) -> None:
    """Answer officers on the socket of the process that writes."""
    asks = "|".join(Ask)
    app.router.add_post(f"/toets/{{ask:{asks}}}/{{id}}", partial(_answer, deciding))


async def _answer(deciding: Deciding, request: web.Request) -> web.Response:
    done = await carry_out(deciding, _order(request.match_info, await request.text()))
    if isinstance(done, bytes):
        return web.Response(body=done, content_type="application/xml")
    return web.json_response(text=done.model_dump_json(by_alias=True))


def _order(path: Mapping[str, str], text: str) -> Order:
    try:
        body: Any = json.loads(text)
        door, fields = body["door"], body["velden"]
    except (ValueError, TypeError, KeyError) as error:
        raise PolicyViolation("command.body", "Het verzoek is geen opdracht.") from error
    if not isinstance(door, str) or not isinstance(fields, dict):
        raise PolicyViolation("command.body", "Het verzoek is geen opdracht.")
    return Order(ask=Ask(path["ask"]), id=path["id"], door=door, fields=fields)
