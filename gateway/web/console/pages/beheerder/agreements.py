"""A new agreement (CPA): offered, shown beside the present one, put in place."""

from base64 import b64decode, b64encode

from aiohttp import web

from gateway.errors import GatewayError
from gateway.importing.agreement_changes import Kind
from gateway.importing.agreements import AgreementProposal
from gateway.web.console.language import N_
from gateway.web.console.page import MOST_BODY, Page, post
from gateway.web.console.pages.beheerder.importing import MOST_FILE, offered, why
from gateway.web.console.pages.beheerder.partners import BEHEERDER
from gateway.web.console.visit import Visit
from gateway.web.console.words import Tag
from gateway.web.control import Command, What, agreed_id

NEW = "/afspraken/nieuw"
CHECK = "/afspraken/nieuw/controle"
_DRAFT = "overeenkomst"
_WHY = "console"
_GONE = N_("Wat u gaf is verwerkt of te oud. Geef het bestand opnieuw.")
KINDS = {
    Kind.ADDED: Tag(N_("komt erbij"), "positive"),
    Kind.REMOVED: Tag(N_("verdwijnt"), "negative"),
    Kind.CHANGED: Tag(N_("verandert"), "info"),
    Kind.SAME: Tag(N_("blijft gelijk"), "accent-1"),
}


async def new(visit: Visit) -> web.Response:
    """Ask for the file."""
    return _new(visit)


def _new(visit: Visit) -> web.Response:
    return visit.show("beheerder/import_agreement.html")


async def offer(visit: Visit) -> web.Response:
    """Judge it; what passes is kept until it is confirmed."""
    octets = offered(visit.form, "bestand", "tekst")
    if not octets:
        visit.form.wrong("bestand", N_("Kies een bestand, of plak het."))
        return _new(visit)
    try:
        await visit.office.importer.look_agreement(octets)
    except GatewayError as error:
        visit.form.wrong("bestand", why(visit, error))
        return _new(visit)
    fields = {"octetten": b64encode(octets).decode()}
    await visit.office.drafts.keep(visit.user.account.id, _DRAFT, fields)
    return visit.go(CHECK)


async def check(visit: Visit) -> web.Response:
    """Show what it would change."""
    octets = await _kept(visit)
    return _new(visit) if octets is None else await _check(visit, octets)


async def _kept(visit: Visit) -> bytes | None:
    """Return what was offered; None, and said on the form, when it is there no more."""
    fields = await visit.office.drafts.find(visit.user.account.id, _DRAFT)
    if fields is None:
        visit.form.wrong("bestand", _GONE)
        return None
    return b64decode(fields["octetten"])


async def _check(visit: Visit, octets: bytes) -> web.Response:
    try:
        proposal = await visit.office.importer.look_agreement(octets)
    except GatewayError as error:
        visit.form.wrong("bestand", why(visit, error))
        return _new(visit)
    present = proposal.present
    return visit.show(
        "beheerder/check_agreement.html",
        proposal=proposal,
        kinds=KINDS,
        under_way=await visit.office.overview.under(proposal.partner, present.cpa_id)
        if present is not None
        else 0,
        folder=visit.office.importer.folder,
    )


async def confirm(visit: Visit) -> web.Response:
    """Put in place what was seen, and have every process read its files again."""
    octets = await _kept(visit)
    if octets is None:
        return _new(visit)

    async def record(proposal: AgreementProposal) -> None:
        id_ = agreed_id(proposal.agreement.cpa_id, proposal.sha256)
        command = Command(what=What.AGREED, id=id_, who=visit.login, why=_WHY)
        await visit.office.desk.perform(command)

    try:
        await visit.office.importer.put_agreement(
            octets, mark=visit.form.text("stand"), record=record
        )
    except GatewayError as error:
        if not error.code.startswith(("cpa.", "cpas.", "xml.")):
            raise
        visit.form.wrong("stand", why(visit, error))
        return await _check(visit, octets)
    await visit.office.drafts.drop(visit.user.account.id, _DRAFT)
    return visit.go("/partners?klaar=afgesproken")


_BODY = MOST_FILE + MOST_BODY
PAGES = (
    Page(path=NEW, handler=new, roles=BEHEERDER, fresh=True),
    post(NEW, offer, roles=BEHEERDER, fresh=True, body=_BODY),
    Page(path=CHECK, handler=check, roles=BEHEERDER, fresh=True),
    post(CHECK, confirm, roles=BEHEERDER, fresh=True),
)
