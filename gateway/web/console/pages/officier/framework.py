"""What the gate of a police goes by: confirmed by an officer, with what is other than before."""

from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256

from aiohttp import web

from gateway.errors import GatewayError, Misconfigured
from gateway.message import Oin
from gateway.toetsing.bundle import MOST_OCTETS, Bundle, Unusable
from gateway.toetsing.confirming import MOST_GROUND, signed_for
from gateway.toetsing.framework import newest
from gateway.toetsing.kept import Kept
from gateway.web.console.language import N_
from gateway.web.console.page import MOST_BODY, Page, post
from gateway.web.console.pages.beheerder.importing import why
from gateway.web.console.pages.officier.officer import OFFICIER, names, officer_of
from gateway.web.console.visit import Visit, download
from gateway.web.control import Command, What
from gateway.wire.tijd import civil

HERE = "/toetsingskader"
NEW, CHECK = f"{HERE}/nieuw", f"{HERE}/controle"
_DRAFT = "toetsingskader"
_GONE = N_("Wat u gaf is verwerkt of te oud. Geef het voorstel opnieuw.")
SOON = timedelta(days=30)
_DONE = {
    "ondertekend": N_(
        "Ondertekend. Stuur de bevestiging aan de politie: het geldt als die haar plaatst."
    ),
    "ingetrokken": N_("De toestemming is ingetrokken. De politie krijgt het bericht nu."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A confirmation in the list."""

    kept: Kept
    newest: bool
    """Of its police: what came before it counts no more."""


async def overview(visit: Visit) -> web.Response:
    """Show what stands, what was, and where a proposal is brought in."""
    return await _overview(visit)


async def _overview(visit: Visit, revoking: str = "") -> web.Response:
    history = await visit.office.framework.history()
    last = newest(history)
    revoked = await visit.office.desk.confirmations.revoked()
    return visit.show(
        "officier/framework.html",
        words_kept=[Word(kept=one, newest=last[one.said.politie] is one) for one in history],
        approvals=await visit.office.framework.standing(last.values(), revoked),
        officers=names(visit),
        now=visit.now(),
        soon=visit.now() + SOON,
        revoking=revoking,
        done=visit.done(_DONE),
    )


async def new(visit: Visit) -> web.Response:
    """Ask for the proposal."""
    return visit.show("officier/framework_new.html")


async def offer(visit: Visit) -> web.Response:
    """Read it; what can be read is kept until it is confirmed."""
    octets = visit.form.files.get("bestand") or b""
    if not octets:
        visit.form.wrong("bestand", N_("Kies het bestand van het voorstel (zip)."))
        return visit.show("officier/framework_new.html")
    try:
        await visit.office.framework.look(octets)
    except GatewayError as error:
        visit.form.wrong("bestand", _faults(visit, error))
        return visit.show("officier/framework_new.html")
    fields = {"octetten": b64encode(octets).decode()}
    await visit.office.drafts.keep(visit.user.account.id, _DRAFT, fields)
    return visit.go(CHECK)


def _faults(visit: Visit, error: GatewayError) -> str:
    """Return all that is wrong with a proposal, each with its file: mended in one go."""
    faults = error.faults if isinstance(error, Unusable) else (error,)
    named = (f"{one.where}: {why(visit, one)}" if one.where else why(visit, one) for one in faults)
    return " ".join(named)


async def check(visit: Visit) -> web.Response:
    """Show what differs from what was confirmed last."""
    octets = await _draft(visit)
    if octets is None:
        return _gone(visit)
    return await _check(visit, octets)


async def _draft(visit: Visit) -> bytes | None:
    fields = await visit.office.drafts.find(visit.user.account.id, _DRAFT)
    return None if fields is None else b64decode(fields["octetten"])


def _gone(visit: Visit) -> web.Response:
    visit.form.wrong("bestand", _GONE)
    return visit.show("officier/framework_new.html")


async def _check(visit: Visit, octets: bytes) -> web.Response:
    return visit.show(
        "officier/framework_check.html",
        proposed=await visit.office.framework.look(octets),
        seen=sha256(octets).hexdigest(),
    )


async def confirm(visit: Visit) -> web.Response:
    """Sign what was seen."""
    octets = await _draft(visit)
    if octets is None:
        return _gone(visit)
    last_day = visit.form.day("tot")
    if last_day is None:
        visit.form.wrong("tot", N_("Vul in tot en met welke dag het geldt (jjjj-mm-dd)."))
    ground = visit.form.line(
        "grond", least=3, most=MOST_GROUND, missing=N_("Geef in 3 tot 120 tekens een grond.")
    )
    if visit.form.text("gezien") != sha256(octets).hexdigest():
        visit.form.wrong("tot", N_("U gaf intussen een ander voorstel. Bekijk het eerst."))
    if visit.form.faulty or last_day is None:
        return await _check(visit, octets)
    officer = officer_of(visit)

    async def record(word: bytes, bundle: Bundle) -> None:
        text = signed_for(bundle.police, officer, ground)
        command = Command(what=What.SIGNED, id=sha256(word).hexdigest(), who=visit.login, why=text)
        await visit.office.desk.perform(command)

    try:
        await visit.office.framework.confirm(
            octets, officer=officer, last_day=civil(last_day).date(), record=record
        )
    except Misconfigured as error:
        visit.form.wrong("tot", why(visit, error))
        return await _check(visit, octets)
    await visit.office.drafts.drop(visit.user.account.id, _DRAFT)
    return visit.go(f"{HERE}?klaar=ondertekend")


async def fetch(visit: Visit) -> web.Response:
    """Give the signed word as a file."""
    found = await visit.office.framework.find(visit.path("id"))
    name = f"bevestiging-{found.said.politie}-{found.said.genomen_op:%Y-%m-%d}.xml"
    return download(found.octets, kind="application/xml", name=name)


async def revoke(visit: Visit) -> web.Response:
    """Take a standing approval back at once."""
    approval, police = visit.form.text("toestemming"), visit.form.text("politie")
    reason = visit.reason()
    if visit.form.faulty:
        return await _overview(visit, f"{police}/{approval}")
    officer = officer_of(visit)
    await visit.office.gateway.deciding.revoke(
        approval, officer=officer, why=reason, holder=Oin(police)
    )
    return visit.go(f"{HERE}?klaar=ingetrokken")


_BODY = MOST_OCTETS + MOST_BODY
PAGES = (
    Page(path=HERE, handler=overview, roles=OFFICIER, nav=N_("Toetsingskader")),
    Page(path=NEW, handler=new, roles=OFFICIER, fresh=True),
    post(NEW, offer, roles=OFFICIER, fresh=True, body=_BODY),
    Page(path=CHECK, handler=check, roles=OFFICIER, fresh=True),
    post(CHECK, confirm, roles=OFFICIER, fresh=True),
    Page(path=f"{HERE}/bevestigingen/{{id}}", handler=fetch, roles=OFFICIER),
    post(f"{HERE}/intrekken", revoke, roles=OFFICIER, fresh=True),
)
