"""Requests to the OM and decisions on them, for the OM's own system (domain 9.1).

The system speaks for an officer, whom it names; for which officers it may, its settings say. What
an officer may is asked anew each time.
"""

from collections.abc import Awaitable, Callable
from http import HTTPMethod
from typing import Any

from aiohttp import web
from pydantic import Field

from gateway.credentials import Scope
from gateway.errors import PolicyViolation
from gateway.message import Oin
from gateway.moments import from_micros, to_micros
from gateway.ports import Request, RequestPlace, RequestsWanted
from gateway.web.api import cursor, models, shapes, toets_shapes
from gateway.web.api.body import JsonBody, read_json
from gateway.web.api.office import BACKEND, OFFICE
from gateway.web.api.operation import Answer, Body, Operation
from gateway.web.api.query import Query, Text, Whole, Word, page
from gateway.web.api.toets_shapes import (
    CODE,
    BesluitBody,
    IntrekToestemmingBody,
    OfficierBody,
    RedenBody,
)
from gateway.web.outgoing import send


class Verzoekenlijst(Query):
    """Which requests."""

    alle: Word = Field(
        default=False, description="`true`: ook waarop besloten is, de nieuwste eerst."
    )
    parket: Text | None = Field(None, description="Alleen van dit parket.")
    na: Text | None = Field(
        None, description="Cursor van een vorig antwoord op wat er wacht: wat minder dringend is."
    )
    voor: Text | None = Field(
        None, description="Met `alle`: cursor van een vorig antwoord, verder terug."
    )
    limiet: Whole = page(default=50, most=200)


class Lezen(Query):
    """Who reads, and what for."""

    officier: Text = Field(description="Id van de officier.")
    doel: Text = Field(description="Waarvoor de inhoud wordt gelezen; wordt vastgelegd.")


# --- handlers -------------------------------------------------------------------------


def _speaks_for(request: web.Request, officer: str) -> str:
    """Return the officer; raise PolicyViolation `toets.officier.namens`."""
    if officer not in request[BACKEND].officers:
        raise PolicyViolation(
            "toets.officier.namens", "Dit systeem mag niet namens deze officier handelen."
        )
    return officer


async def overview(request: web.Request, query: Verzoekenlijst) -> web.Response:
    """Return what waits, the most urgent first; or all, the newest first."""
    _some(request)
    wanted = RequestsWanted(
        open=not query.alle,
        parket=query.parket,
        after=_after(query),
        before=_before(query),
        limit=query.limiet,
    )
    found = await request.app[OFFICE].gateway.deciding.requests(wanted)
    last = found[-1] if found else None
    body = models.Toetsverzoekenlijst(
        verzoeken=[toets_shapes.verzoek(one) for one in found],
        cursor=None if last is None else _cursor(last, everything=query.alle),
    )
    return shapes.answer(body)


def _after(query: Verzoekenlijst) -> RequestPlace | None:
    if query.na is None:
        return None
    if query.alle:
        raise cursor.refusal("na", "Met `alle` gaat de lijst verder met `voor`.")
    micros, seq = cursor.read_all(query.na, "na", count=2)
    try:
        return RequestPlace(deadline=from_micros(micros), seq=seq)
    except OverflowError as error:
        raise cursor.refusal("na", "Dit is geen cursor van deze lijst.") from error


def _before(query: Verzoekenlijst) -> int | None:
    if query.voor is None:
        return None
    if not query.alle:
        raise cursor.refusal("voor", "Wat er wacht gaat verder met `na`.")
    return cursor.read(query.voor, "voor")


def _cursor(last: Request, *, everything: bool) -> str:
    if everything:
        return cursor.write(last.seq)
    return cursor.write(to_micros(last.deadline), last.seq)


async def show(request: web.Request, _query: Query) -> web.Response:
    """Return one request, with what was decided, and earlier ones on the same case."""
    _some(request)
    case = await request.app[OFFICE].gateway.deciding.case(request.match_info["id"])
    return shapes.answer(toets_shapes.zaak(case))


def _some(request: web.Request) -> None:
    """A system that speaks for nobody sees nothing."""
    if not request[BACKEND].officers:
        raise PolicyViolation(
            "toets.officier.namens", "Dit systeem mag namens geen officier handelen."
        )


async def content(request: web.Request, query: Lezen) -> web.StreamResponse:
    """Return the octets that are held; who reads and what for is written down first."""
    office, id_ = request.app[OFFICE], request.match_info["id"]
    officer = _speaks_for(request, query.officier)
    asked = await office.gateway.deciding.request(id_)
    with office.intake.room(request, asked.size):
        octets = await office.gateway.deciding.read(id_, officer=officer, purpose=query.doel)
        headers = {"Content-Type": "application/xml"}
        return await send(request, octets, headers=headers, limits=office.intake.limits)


async def take(request: web.Request, _query: Query) -> web.Response:
    """Take a request; again = for longer."""
    body = await read_json(request, OfficierBody, code=CODE)
    id_ = request.match_info["id"]
    officer = _speaks_for(request, body.officier)
    until = await request.app[OFFICE].gateway.deciding.take(id_, officer=officer)
    return shapes.answer(models.Behandeling(id=id_, officier=officer, tot=until))


async def let_go(request: web.Request, _query: Query) -> web.Response:
    """Let others take it."""
    body = await read_json(request, OfficierBody, code=CODE)
    id_ = request.match_info["id"]
    officer = _speaks_for(request, body.officier)
    await request.app[OFFICE].gateway.deciding.let_go(id_, officer=officer)
    return shapes.answer(models.Behandeling(id=id_, officier="", tot=None))


async def decide(request: web.Request, _query: Query) -> web.Response:
    """Decide: 201, carried out at once or when a second officer has confirmed it."""
    body = await read_json(request, BesluitBody, code=CODE)
    verdict = await request.app[OFFICE].gateway.deciding.decide(
        request.match_info["id"], officer=_speaks_for(request, body.officier), wish=body.wish()
    )
    return shapes.answer(toets_shapes.besluit(verdict), status=201)


async def confirm(request: web.Request, _query: Query) -> web.Response:
    """A second officer confirms."""
    body = await read_json(request, OfficierBody, code=CODE)
    verdict = await request.app[OFFICE].gateway.deciding.confirm(
        request.match_info["id"], officer=_speaks_for(request, body.officier)
    )
    return shapes.answer(toets_shapes.besluit(verdict))


async def reject(request: web.Request, _query: Query) -> web.Response:
    """A second officer does not confirm."""
    body = await read_json(request, RedenBody, code=CODE)
    verdict = await request.app[OFFICE].gateway.deciding.reject(
        request.match_info["id"], officer=_speaks_for(request, body.officier), why=body.reden
    )
    return shapes.answer(toets_shapes.besluit(verdict))


async def withdraw(request: web.Request, _query: Query) -> web.Response:
    """Take a decision back; the holder says whether that was in time."""
    body = await read_json(request, RedenBody, code=CODE)
    verdict = await request.app[OFFICE].gateway.deciding.withdraw(
        request.match_info["id"], officer=_speaks_for(request, body.officier), why=body.reden
    )
    return shapes.answer(toets_shapes.besluit(verdict))


async def revoke(request: web.Request, _query: Query) -> web.Response:
    """Withdraw a standing approval at a police."""
    body = await read_json(request, IntrekToestemmingBody, code=CODE)
    await request.app[OFFICE].gateway.deciding.revoke(
        body.toestemming,
        officer=_speaks_for(request, body.officier),
        why=body.reden,
        holder=Oin(body.politie),
    )
    done = models.Intrekking(toestemming=body.toestemming, politie=body.politie)
    return shapes.answer(done, status=202)


_TAKEN = frozenset({409})


def _post(  # noqa: PLR0913 - an operation, its texts by name
    id_: str,
    path: str,
    handler: Callable[[web.Request, Any], Awaitable[web.StreamResponse]],
    body: type[JsonBody],
    *,
    summary: str,
    description: str,
    answer: Answer,
    status: int = 200,
    method: HTTPMethod = HTTPMethod.POST,
) -> Operation:
    return Operation(
        id=id_,
        method=method,
        path=path,
        handler=handler,
        tag="toetsing",
        summary=summary,
        description=description,
        scope=Scope.DECIDE,
        answers={status: answer},
        body=Body(description="Wie het doet, en wat.", model=body),
        problems=_TAKEN,
    )


_BESLUIT = Answer(description="Het besluit.", model=models.Toetsbesluit)
_BEHANDELING = Answer(description="Bij wie het ligt.", model=models.Behandeling)

OPERATIONS = (
    Operation(
        id="geefToetsverzoeken",
        method=HTTPMethod.GET,
        path="/toetsverzoeken",
        handler=overview,
        tag="toetsing",
        summary="Wat er wacht op een besluit van het OM",
        description="De dringendste eerst, met de redenen waarom het bericht wordt vastgehouden; "
        "nooit met de inhoud.",
        scope=Scope.DECIDE_LOOK,
        query=Verzoekenlijst,
        answers={200: Answer(description="De verzoeken.", model=models.Toetsverzoekenlijst)},
    ),
    Operation(
        id="geefToetsverzoek",
        method=HTTPMethod.GET,
        path="/toetsverzoeken/{id}",
        handler=show,
        tag="toetsing",
        summary="Eén verzoek, met zijn besluiten",
        description="Met eerdere verzoeken in dezelfde zaak (Aanwijzing Wpg, 15.1).",
        scope=Scope.DECIDE_LOOK,
        answers={200: Answer(description="Het verzoek.", model=models.Toetszaak)},
    ),
    Operation(
        id="leesToetsverzoek",
        method=HTTPMethod.GET,
        path="/toetsverzoeken/{id}/inhoud",
        handler=content,
        tag="toetsing",
        summary="De inhoud die wordt vastgehouden",
        description="Precies de octetten waarop wordt besloten. Wie leest en waarvoor wordt "
        "vastgelegd.",
        scope=Scope.DECIDE_LOOK,
        query=Lezen,
        answers={
            200: Answer(
                description="Het bericht.",
                content_type="application/xml",
                schema={"type": "string"},
            )
        },
        problems=frozenset({410, 422}),
    ),
    _post(
        "neemToetsverzoek",
        "/toetsverzoeken/{id}/behandelaar",
        take,
        OfficierBody,
        summary="Een verzoek in behandeling nemen",
        description="Een andere officier kan het zolang niet nemen of erop besluiten.",
        answer=_BEHANDELING,
    ),
    _post(
        "laatToetsverzoek",
        "/toetsverzoeken/{id}/vrijmaking",
        let_go,
        OfficierBody,
        summary="Een verzoek weer vrijmaken",
        description="Ieder kan het weer nemen.",
        answer=_BEHANDELING,
    ),
    _post(
        "besluitToetsverzoek",
        "/toetsverzoeken/{id}/besluiten",
        decide,
        BesluitBody,
        summary="Besluiten op een verzoek",
        description="Het besluit wordt ondertekend en uitgevoerd; waar de categorie een tweede "
        "officier vraagt, pas na diens bevestiging.",
        answer=_BESLUIT,
        status=201,
    ),
    _post(
        "bevestigToetsbesluit",
        "/toetsbesluiten/{id}/bevestiging",
        confirm,
        OfficierBody,
        summary="Een besluit als tweede officier bevestigen",
        description="Daarna wordt het uitgevoerd.",
        answer=_BESLUIT,
    ),
    _post(
        "wijsToetsbesluitAf",
        "/toetsbesluiten/{id}/afwijzing",
        reject,
        RedenBody,
        summary="Een besluit als tweede officier niet bevestigen",
        description="Het verzoek staat weer open.",
        answer=_BESLUIT,
    ),
    _post(
        "trekToetsbesluitIn",
        "/toetsbesluiten/{id}/intrekking",
        withdraw,
        RedenBody,
        summary="Een besluit intrekken",
        description="Op tijd zolang er niets is verstuurd; dat zegt wie het bericht vasthoudt.",
        answer=_BESLUIT,
    ),
    _post(
        "trekToestemmingIn",
        "/toestemmingen/intrekkingen",
        revoke,
        IntrekToestemmingBody,
        summary="Een doorlopende toestemming intrekken",
        description="Ondertekend naar de politie, waar zij meteen eindigt.",
        answer=Answer(description="Onderweg.", model=models.Intrekking),
        status=202,
    ),
)
