"""Mail that no system took in: why, who looks at it, and what it says to who says what for."""

import asyncio
from typing import Any
from urllib.parse import quote

from aiohttp import web

from gateway.errors import GatewayError
from gateway.ports.incoming import Ground, Item
from gateway.web.console import held_words, lists
from gateway.web.console.language import N_
from gateway.web.console.lists import Listed
from gateway.web.console.page import Page, post
from gateway.web.console.pages.operator.today import LOOKING, OPERATOR
from gateway.web.console.visit import Visit, download
from gateway.web.control import WHY
from gateway.wire.mail_read import MailLimits
from gateway.wire.mail_shown import part_of, show_mail

MOST_PURPOSE = 200
PURPOSES = (
    N_("Nagaan of er een bericht in zit"),
    N_("De afzender antwoorden"),
    N_("Onderzoek naar misbruik"),
)
"""What is usual; somebody may say something else."""
CLOSE = "sluit"
_ALL = "alles"
_LIMITS = MailLimits(octets=100_000_000)
"""As large as a setting may let in."""
_DIGITS = 4
_AS_IT_IS = "application/octet-stream"
_ENDINGS = {
    "application/pdf": "pdf",
    "application/xml": "xml",
    "image/jpeg": "jpg",
    "image/png": "png",
    "text/plain": "txt",
    "text/xml": "xml",
}
_DONE = {
    "neem": N_("Anderen zien nu dat u dit in behandeling hebt."),
    "laat": N_("Anderen kunnen dit nu in behandeling nemen."),
    "sluit": N_("Afgesloten. De inhoud wordt binnenkort vernietigd."),
}


def page_of(id_: str, *rest: str) -> str:
    """Return the address of one mail, or of something below it."""
    return "/".join(("/quarantaine", quote(id_, safe=""), *rest))


async def overview(visit: Visit) -> web.Response:
    """List what stands open, or everything, the newest first."""
    office = visit.office
    place = lists.place(office.marks, "quarantaine", visit.query("na"))
    everything = visit.query("wat") == _ALL
    filters = {"wat": _ALL} if everything else {}
    found = await office.gateway.quarantined.items(
        below=int(place) if place else None, limit=lists.PAGE + 1, open_only=not everything
    )
    rows = found[: lists.PAGE]
    last = rows[-1].seq if len(found) > lists.PAGE else None
    return visit.show(
        "operator/quarantine.html",
        listed=Listed(
            rows=rows,
            first=lists.link("/quarantaine", filters) if place else "",
            next=lists.onward(office.marks, "quarantaine", "/quarantaine", filters, last),
        ),
        everything=everything,
        page_of=page_of,
        who=_who(visit),
        grounds=held_words.GROUNDS,
    )


async def one(visit: Visit) -> web.Response:
    """Show one mail without what it says."""
    return await _one(visit)


async def _one(visit: Visit, acting: str = "") -> web.Response:
    item = await visit.office.gateway.quarantined.item(visit.path("id"))
    return visit.show(
        "operator/quarantine_item.html",
        **_facts(visit, item),
        purposes=PURPOSES,
        grounds=[(str(g), visit.say(held_words.GROUNDS[g]), "") for g in Ground],
        acting=acting,
        may_act=bool(visit.roles & OPERATOR),
        readable=visit.office.gateway.quarantined.readable,
        done=visit.done(_DONE),
    )


def _facts(visit: Visit, item: Item) -> dict[str, Any]:
    return {
        "item": item,
        "page_of": page_of,
        "who": _who(visit),
        "why": held_words.why(item.code),
        "ground": held_words.GROUNDS.get(item.ground, ""),
    }


def _who(visit: Visit) -> Any:
    """Return a function that says of whom a mail is, and whether that was proved."""

    def say_who(item: Item) -> str:
        if not item.party:
            return visit.say("onbekend")
        name = visit.office.party(item.party)
        return name if item.proven else visit.say("zegt {name} te zijn", name=name)

    return say_who


# --- reading --------------------------------------------------------------------------


async def look(visit: Visit) -> web.Response:
    """Keep what somebody reads for, and go to the content."""
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
        form.wrong("doel", N_("Kies waarvoor u deze e-mail leest. Het wordt vastgelegd."))
    if form.faulty:
        return await _one(visit)
    await visit.office.drafts.keep(visit.user.account.id, _draft(id_), {"doel": chosen})
    return visit.go(page_of(id_, "lezen"))


def _draft(id_: str) -> str:
    return f"quarantaine:{id_}"


async def _purpose(visit: Visit) -> str:
    kept = await visit.office.drafts.find(visit.user.account.id, _draft(visit.path("id")))
    return kept.get("doel", "") if kept else ""


async def _octets(visit: Visit, purpose: str) -> bytes | None:
    """Return the mail, written down first; None when its retention period is over."""
    try:
        return await visit.office.gateway.quarantined.read(
            visit.path("id"), who=visit.login, purpose=purpose
        )
    except GatewayError as error:
        if error.code != "payload.destroyed":
            raise
        return None


async def read(visit: Visit) -> web.Response:
    """Show it as text; that it is read, and what for, is written down first."""
    id_, purpose = visit.path("id"), await _purpose(visit)
    if not purpose:
        return visit.go(page_of(id_))
    item = await visit.office.gateway.quarantined.item(id_)
    octets = await _octets(visit, purpose)
    mail = None if octets is None else await asyncio.to_thread(show_mail, octets, _LIMITS)
    return visit.show(
        "operator/quarantine_read.html", **_facts(visit, item), purpose=purpose, mail=mail
    )


async def file(visit: Visit) -> web.Response:
    """Give the whole of it as a file."""
    return await _file(visit, "")


async def part(visit: Visit) -> web.Response:
    """Give one part of it as a file."""
    return await _file(visit, visit.path("n"))


async def _file(visit: Visit, n: str) -> web.Response:
    purpose = await _purpose(visit)
    if not purpose:
        return visit.go(page_of(visit.path("id")))
    octets = await _octets(visit, purpose)
    if octets is None:
        raise web.HTTPGone
    if not n:
        return download(octets, kind=_AS_IT_IS, name="e-mail.eml")
    number = int(n) if n.isdecimal() and n.isascii() and len(n) < _DIGITS else 0
    kind, inside = await asyncio.to_thread(part_of, octets, number, _LIMITS)
    return download(inside, kind=_AS_IT_IS, name=f"bijlage-{number}.{_ENDINGS.get(kind, 'bin')}")


# --- what is done about it ------------------------------------------------------------


async def take(visit: Visit) -> web.Response:
    """Let others see who looks at it; from another it is taken over."""
    await visit.office.gateway.quarantined.take(visit.path("id"), who=visit.login)
    return _shown(visit, "neem")


async def let_go(visit: Visit) -> web.Response:
    """Let others see that nobody does."""
    await visit.office.gateway.quarantined.let_go(visit.path("id"), who=visit.login)
    return _shown(visit, "laat")


async def close(visit: Visit) -> web.Response:
    """Do nothing more about it, on a ground."""
    ground = visit.form.text("grond")
    if ground not in {*Ground}:
        visit.form.wrong("grond", N_("Kies een grond. Zonder grond kunt u niet afsluiten."))
    why = visit.form.line(
        "toelichting", least=3, most=WHY, missing=N_("Geef in 3 tot 200 tekens een toelichting.")
    )
    if visit.form.faulty:
        return await _one(visit, CLOSE)
    await visit.office.gateway.quarantined.close(
        visit.path("id"), who=visit.login, ground=Ground(ground), why=why
    )
    return _shown(visit, CLOSE)


def _shown(visit: Visit, done: str) -> web.Response:
    return visit.go(f"{page_of(visit.path('id'))}?klaar={done}")


PAGES = (
    Page(
        path="/quarantaine",
        handler=overview,
        roles=LOOKING,
        nav=N_("Quarantaine"),
        needs=lambda directory: directory.mailbox is not None,
    ),
    Page(path="/quarantaine/{id}", handler=one, roles=LOOKING),
    post("/quarantaine/{id}/inzage", look, roles=OPERATOR),
    Page(path="/quarantaine/{id}/lezen", handler=read, roles=OPERATOR),
    Page(path="/quarantaine/{id}/bestand", handler=file, roles=OPERATOR),
    Page(path="/quarantaine/{id}/bijlagen/{n}", handler=part, roles=OPERATOR),
    post("/quarantaine/{id}/neem", take, roles=OPERATOR),
    post("/quarantaine/{id}/laat", let_go, roles=OPERATOR),
    post("/quarantaine/{id}/sluit", close, roles=OPERATOR),
)
