"""One request: what is known beside its content, and the content for who says what for."""

import asyncio
from typing import Any

from aiohttp import web

from gateway.errors import GatewayError
from gateway.pipeline.desk import Case
from gateway.ports import VerdictState
from gateway.web.console import words
from gateway.web.console.language import N_
from gateway.web.console.page import Page, post
from gateway.web.console.pages.officier.officer import (
    OFFICIER,
    case_of,
    holder_of,
    names,
    officer_of,
    page_of,
    possible,
    urgency,
)
from gateway.web.console.visit import Visit, download
from gateway.web.console.words import Tag
from gateway.wire import shown

MOST_PURPOSE = 200
PURPOSES = (
    N_("Toets op opsporingsbelang"),
    N_("Tweede beoordeling"),
    N_("Voorbereiden van een intrekking"),
)
"""What is usual; somebody may say something else."""
_UNDONE = frozenset({VerdictState.WITHDRAWN, VerdictState.TOO_LATE, VerdictState.NOT_ACCEPTED})
_DONE = {
    "genomen": N_("U hebt dit verzoek in behandeling genomen."),
    "vrij": N_("Dit verzoek is weer vrij: een andere officier kan het nemen."),
    "ingetrokken": N_("Het besluit is ingetrokken. Hieronder ziet u of dat op tijd was."),
    "afgewezen": N_("U hebt het besluit niet bevestigd. Het verzoek staat weer open."),
}


async def request(visit: Visit) -> web.Response:
    """Show one request without its content."""
    return await _request(visit)


async def _request(visit: Visit) -> web.Response:
    officer_of(visit)
    case = await case_of(visit, visit.path("id"))
    return visit.show("officier/request.html", **facts(visit, case), purposes=PURPOSES)


def facts(visit: Visit, case: Case) -> dict[str, Any]:
    """Return what every page on a request shows."""
    known = names(visit)
    return {
        "case": case,
        "request": case.request,
        "can": possible(case, visit),
        "urgency": urgency(case.request, visit),
        "fate": fate(case),
        "with_": known.get(holder_of(case.request, visit), holder_of(case.request, visit)),
        "officers": known,
        "page_of": page_of,
        "done": visit.done(_DONE),
    }


def fate(case: Case) -> Tag | None:
    """Return what became of the last decision, where that is not what it says."""
    last = case.verdicts[-1].state if case.verdicts else None
    return words.verdict(last) if last in _UNDONE else None


async def look(visit: Visit) -> web.Response:
    """Keep what somebody reads for, and go to the content."""
    officer_of(visit)
    form, id_ = visit.form, visit.path("id")
    chosen = form.text("doel")
    if chosen == "anders":
        chosen = form.line(
            "anders",
            least=3,
            most=MOST_PURPOSE,
            missing=N_("Zeg in 3 tot 200 tekens waarvoor u leest."),
        )
    elif chosen not in PURPOSES:
        form.wrong("doel", N_("Kies waarvoor u dit bericht leest. Het wordt vastgelegd."))
    if form.faulty:
        return await _request(visit)
    await visit.office.drafts.keep(visit.user.account.id, _draft(id_), {"doel": chosen})
    return visit.go(page_of(id_, "lezen"))


def _draft(id_: str) -> str:
    return f"inzage:{id_}"


async def purpose_of(visit: Visit, id_: str) -> str:
    """Return what this user said he reads it for; empty = nothing yet."""
    kept = await visit.office.drafts.find(visit.user.account.id, _draft(id_))
    return kept.get("doel", "") if kept else ""


async def read(visit: Visit) -> web.Response:
    """Show the content; that it is read, and what for, is written down first."""
    officer, id_ = officer_of(visit), visit.path("id")
    purpose = await purpose_of(visit, id_)
    if not purpose:
        return visit.go(page_of(id_))
    case = await case_of(visit, id_)
    octets = await _octets(visit, id_, officer, purpose)
    document = None
    if octets is not None:
        places = [reason.path for reason in case.request.reasons]
        document = await asyncio.to_thread(shown.show, octets, places)
    return visit.show(
        "officier/reading.html",
        **facts(visit, case),
        purpose=purpose,
        document=document,
        gone=octets is None,
        plain=octets.decode("utf-8", "replace") if octets is not None and not document else "",
    )


async def _octets(visit: Visit, id_: str, officer: str, purpose: str) -> bytes | None:
    """Return what is held, written down first; None when its retention period is over."""
    try:
        return await visit.office.gateway.deciding.read(id_, officer=officer, purpose=purpose)
    except GatewayError as error:
        if error.code != "payload.destroyed":
            raise
        return None


async def file(visit: Visit) -> web.Response:
    """Give the octets as a file: what a page can not hold, and attachments."""
    officer, id_ = officer_of(visit), visit.path("id")
    purpose = await purpose_of(visit, id_)
    if not purpose:
        return visit.go(page_of(id_))
    octets = await _octets(visit, id_, officer, purpose)
    if octets is None:
        raise web.HTTPGone
    return download(octets, kind="application/xml", name="bericht.xml")


async def take(visit: Visit) -> web.Response:
    """Take the request."""
    id_ = visit.path("id")
    await visit.office.gateway.deciding.take(id_, officer=officer_of(visit))
    return visit.go(f"{page_of(id_)}?klaar=genomen")


async def let_go(visit: Visit) -> web.Response:
    """Let another take it."""
    id_ = visit.path("id")
    await visit.office.gateway.deciding.let_go(id_, officer=officer_of(visit))
    return visit.go(f"{page_of(id_)}?klaar=vrij")


PAGES = (
    Page(path="/verzoeken/{id}", handler=request, roles=OFFICIER),
    post("/verzoeken/{id}/inzage", look, roles=OFFICIER),
    Page(path="/verzoeken/{id}/lezen", handler=read, roles=OFFICIER),
    Page(path="/verzoeken/{id}/bestand", handler=file, roles=OFFICIER),
    post("/verzoeken/{id}/nemen", take, roles=OFFICIER),
    post("/verzoeken/{id}/laten", let_go, roles=OFFICIER),
)
