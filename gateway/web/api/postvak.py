"""What came in for a back-end: look, read, confirm or refuse."""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable
from datetime import timedelta
from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from gateway.errors import Finding, NoRoute, SchemaViolation
from gateway.pipeline import Weigering
from gateway.ports import PostvakItem
from gateway.web.api import query, shapes
from gateway.web.api.berichten import must_be_json
from gateway.web.api.office import BACKEND, OFFICE

LONGEST_WAIT = 60
"""Seconds."""
NAP = 5.0
"""Seconds after which a waiting request looks again by itself: leases end without a bell."""


async def look(request: web.Request) -> web.Response:
    """Return what waits, leased to this back-end; wait for it when asked to."""
    query.only(request, "wacht", "limiet")
    seconds = query.whole(request, "wacht", default=0, least=0, most=LONGEST_WAIT)
    limit = query.whole(request, "limiet", default=20, least=1, most=100)
    office = request.app[OFFICE]
    deadline = office.clock.monotonic() + seconds
    while True:
        found = await _take(request, limit)
        left = deadline - office.clock.monotonic()
        if found or left <= 0 or not await _wait(request, min(left, NAP)):
            return shapes.answer({"berichten": [shapes.item(item) for item in found]})


async def content(request: web.Request) -> web.Response:
    """Return the octets as the sender signed them."""
    query.only(request)
    item = await _item(request)
    octets = await request.app[OFFICE].gateway.payloads.get(item.payload_id)
    digest = b64encode(bytes.fromhex(item.payload_sha256)).decode("ascii")
    return web.Response(
        body=octets,
        headers={
            "Content-Type": "application/xml",
            "Content-Disposition": 'attachment; filename="bericht.xml"',
            "Repr-Digest": f"sha-256=:{digest}:",
        },
    )


async def confirm(request: web.Request) -> web.Response:
    """Confirm; the sender gets a Bv01. Confirming again changes nothing."""
    query.only(request)
    delivery = request.match_info["id"]
    fresh = await request.app[OFFICE].gateway.confirm(delivery, request[BACKEND])
    return shapes.answer({"id": delivery, "status": "bevestigd", "herhaald": not fresh})


async def refuse(request: web.Request) -> web.Response:
    """Refuse; the sender gets a Fo01. Refusing again changes nothing."""
    query.only(request)
    must_be_json(request)
    office = request.app[OFFICE]
    delivery = request.match_info["id"]
    most = office.limits.refusal_bytes
    async with office.intake.body(request, most=most, code="size.request") as octets:
        weigering = _weigering(octets)
    fresh = await office.gateway.refuse(delivery, request[BACKEND], weigering)
    return shapes.answer({"id": delivery, "status": "geweigerd", "herhaald": not fresh})


async def _take(request: web.Request, limit: int) -> tuple[PostvakItem, ...]:
    office, backend = request.app[OFFICE], request[BACKEND]
    return await office.gateway.postvak.take(
        party=backend.party,
        applicaties=backend.applicaties,
        consumer=backend.name,
        limit=limit,
        lease=office.limits.lease,
    )


async def _wait(request: web.Request, seconds: float) -> bool:
    """Wait for something new; False when nobody would see it: gone, or we are closing.

    What is leased to a client that has gone is kept from the next one until the lease ends.
    """
    office = request.app[OFFICE]
    news = office.gateway.postvak.wait(
        party=request[BACKEND].party, timeout=timedelta(seconds=seconds)
    )
    await _first_of(news, office.closing.wait())
    gone = request.transport is None or request.transport.is_closing()
    return not gone and not office.closing.is_set()


async def _first_of(*waits: Awaitable[object]) -> None:
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    for result in results:
        if isinstance(result, Exception):
            raise result


async def _item(request: web.Request) -> PostvakItem:
    """Find a delivery of this party and one of this system's applicaties."""
    backend = request[BACKEND]
    postvak = request.app[OFFICE].gateway.postvak
    item = await postvak.get(request.match_info["id"], party=backend.party)
    if item is None or item.applicatie not in backend.applicaties:
        raise NoRoute("postvak.unknown", "Dit bericht staat niet in dit postvak.")
    return item


# --- the weigering --------------------------------------------------------------------


class _Body(BaseModel):
    """JSON of a weigering. Bounds are those of the StUF foutbericht."""

    model_config = ConfigDict(extra="forbid", strict=True)

    code: Annotated[str, StringConstraints(min_length=1, max_length=7)]
    omschrijving: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    details: Annotated[str, StringConstraints(max_length=1000)] = ""


_REMEDY = (
    "Stuur een JSON-object met code (1 tot 7 tekens), omschrijving (1 tot 200 tekens) "
    "en zo nodig details (tot 1000 tekens)."
)


def _weigering(octets: bytes) -> Weigering:
    try:
        body = _Body.model_validate_json(octets)
    except ValidationError as error:
        wrong = tuple(_finding(problem["loc"]) for problem in error.errors(include_input=False))
        raise SchemaViolation(wrong, code="weigering.vorm") from None
    return Weigering(code=body.code, omschrijving=body.omschrijving, details=body.details)


def _finding(place: tuple[int | str, ...]) -> Finding:
    """Name the field when it is one of ours; other names are the client's own text."""
    field = str(place[0]) if place and place[0] in _Body.model_fields else ""
    return Finding(
        code="weigering.vorm",
        rule="json",
        path=f"/{field}",
        text="Dit veld ontbreekt, is te lang of hoort hier niet." if place else "Geen JSON.",
        remedy=_REMEDY,
    )
