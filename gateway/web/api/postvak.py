"""What came in for a back-end: look, read, confirm or refuse."""

import asyncio
from base64 import b64encode
from collections.abc import Awaitable
from datetime import timedelta
from http import HTTPMethod

from aiohttp import web
from pydantic import Field

from gateway.credentials import Scope
from gateway.errors import Finding, SchemaViolation
from gateway.pipeline import Weigering
from gateway.ports import PostvakItem
from gateway.web.api import models, shapes
from gateway.web.api.body import JsonBody, read_json
from gateway.web.api.office import BACKEND, OFFICE
from gateway.web.api.operation import Answer, Body, Operation
from gateway.web.api.query import CODE, Query, Text, Whole, page
from gateway.web.outgoing import send

LONGEST_WAIT = 60
"""Seconds."""
NAP = 5.0
"""Seconds after which a waiting request looks again by itself: leases end without a bell."""


class Look(Query):
    """What to look for."""

    wacht: Whole = Field(
        0, ge=0, le=LONGEST_WAIT, description="Seconden om te wachten als er nog niets is."
    )
    applicatie: Text | None = Field(
        None, description="Alleen voor deze applicatie van dit systeem; anders voor al zijn."
    )
    soort: Text | None = Field(
        None, description="Alleen dit bericht, zoals `vtTerugkoppelingDi01`."
    )
    limiet: Whole = page(default=20, most=100)


async def look(request: web.Request, query: Look) -> web.Response:
    """Return what waits, leased to this back-end; wait for it when asked to."""
    office = request.app[OFFICE]
    _own(request, query)
    deadline = office.clock.monotonic() + query.wacht
    while True:
        found = await _take(request, query)
        left = deadline - office.clock.monotonic()
        if found or left <= 0 or not await _wait(request, min(left, NAP)):
            return shapes.answer(models.Postvak(berichten=[shapes.item(item) for item in found]))


async def content(request: web.Request, _query: Query) -> web.StreamResponse:
    """Return the octets as the sender signed them."""
    office = request.app[OFFICE]
    item = await _item(request)
    digest = b64encode(bytes.fromhex(item.payload_sha256)).decode("ascii")
    headers = {
        "Content-Type": "application/xml",
        "Content-Disposition": 'attachment; filename="bericht.xml"',
        "Repr-Digest": f"sha-256=:{digest}:",
    }
    with office.intake.room(request, item.size):
        octets = await office.gateway.payloads.get(item.payload_id)
        return await send(request, octets, headers=headers, limits=office.intake.limits)


async def confirm(request: web.Request, _query: Query) -> web.Response:
    """Confirm; the sender gets a Bv01. Confirming again changes nothing."""
    delivery = request.match_info["id"]
    fresh = await request.app[OFFICE].gateway.confirm(delivery, request[BACKEND])
    done = models.Afhandeling(id=delivery, status="bevestigd", herhaald=not fresh)
    return shapes.answer(done)


class WeigeringBody(JsonBody):
    """Waarom een bericht niet verwerkt wordt. De grenzen zijn die van het StUF-foutbericht."""

    code: str = Field(min_length=1, max_length=7, description="1 tot 7 tekens")
    omschrijving: str = Field(min_length=1, max_length=200, description="1 tot 200 tekens")
    details: str = Field("", max_length=1000, description="zo nodig, tot 1000 tekens")

    def weigering(self) -> Weigering:
        """Return what the pipeline takes."""
        return Weigering(code=self.code, omschrijving=self.omschrijving, details=self.details)


async def refuse(request: web.Request, _query: Query) -> web.Response:
    """Refuse; the sender gets a Fo01. Refusing again changes nothing."""
    delivery = request.match_info["id"]
    body = await read_json(request, WeigeringBody, code="weigering.vorm")
    fresh = await request.app[OFFICE].gateway.refuse(delivery, request[BACKEND], body.weigering())
    done = models.Afhandeling(id=delivery, status="geweigerd", herhaald=not fresh)
    return shapes.answer(done)


def _own(request: web.Request, query: Look) -> None:
    if query.applicatie is not None and query.applicatie not in request[BACKEND].applicaties:
        text = "Deze applicatie is niet aan dit systeem toegewezen."
        found = Finding(code=CODE, rule="query", path="?applicatie", text=text)
        raise SchemaViolation((found,), code=CODE)


async def _take(request: web.Request, query: Look) -> tuple[PostvakItem, ...]:
    office, backend = request.app[OFFICE], request[BACKEND]
    return await office.gateway.collect(
        backend,
        (query.applicatie,) if query.applicatie else backend.applicaties,
        limit=query.limiet,
        lease=office.limits.lease,
        kind=query.soort,
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
    office = request.app[OFFICE]
    return await office.gateway.reach(
        request.match_info["id"], request[BACKEND], lease=office.limits.lease
    )


OPERATIONS = (
    Operation(
        id="geefPostvak",
        method=HTTPMethod.GET,
        path="/postvak",
        handler=look,
        tag="postvak",
        summary="Wat er wacht",
        description="Wat wordt gegeven is een poos (`leaseTot`) voor niemand anders. Wat dan niet "
        "is bevestigd of geweigerd wordt opnieuw gegeven, met `herhaald`.",
        scope=Scope.POSTVAK_LOOK,
        waits=True,
        query=Look,
        answers={200: Answer(description="Wat er wacht; leeg kan.", model=models.Postvak)},
    ),
    Operation(
        id="geefInhoud",
        method=HTTPMethod.GET,
        path="/postvak/{id}/inhoud",
        handler=content,
        tag="postvak",
        summary="De inhoud van een bericht",
        description="De octetten zoals de zender ze ondertekende.",
        scope=Scope.POSTVAK_LOOK,
        answers={
            200: Answer(
                description="Het document.",
                content_type="application/xml",
                schema={"type": "string"},
                headers={"Repr-Digest": "SHA-256 over het document (RFC 9530)."},
            )
        },
        problems=frozenset({410}),
    ),
    Operation(
        id="bevestigBericht",
        method=HTTPMethod.POST,
        path="/postvak/{id}/bevestiging",
        handler=confirm,
        tag="postvak",
        summary="Bevestigen dat een bericht is verwerkt",
        description="De zender krijgt een Bv01. Nog eens bevestigen verandert niets; bevestigen na "
        "weigeren is een 409.",
        scope=Scope.POSTVAK_CLOSE,
        answers={200: Answer(description="Bevestigd.", model=models.Afhandeling)},
        problems=frozenset({409, 422}),
    ),
    Operation(
        id="weigerBericht",
        method=HTTPMethod.POST,
        path="/postvak/{id}/weigering",
        handler=refuse,
        tag="postvak",
        summary="Een bericht weigeren",
        description="De zender krijgt een Fo01 met deze code en tekst. Nog eens weigeren verandert "
        "niets; weigeren na bevestigen is een 409.",
        scope=Scope.POSTVAK_CLOSE,
        body=Body(description="Waarom.", model=WeigeringBody),
        answers={200: Answer(description="Geweigerd.", model=models.Afhandeling)},
        problems=frozenset({409}),
    ),
)
