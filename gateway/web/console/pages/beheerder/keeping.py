"""Certificates with what ends when, and schema packs."""

from collections.abc import Mapping

from aiohttp import web

from gateway.keys.expiry import InUse, Use
from gateway.web.console.language import N_
from gateway.web.console.page import Page
from gateway.web.console.pages.beheerder.importing import DONE
from gateway.web.console.pages.beheerder.partners import BEHEERDER
from gateway.web.console.visit import Visit
from gateway.web.console.words import Tag

_DAY = 86_400
_SOON = 30
"""Days."""
USES: Mapping[Use, str] = {
    Use.TLS: N_("verbinding met partners"),
    Use.API: N_("verbinding met eigen systemen"),
    Use.CONSOLE: N_("verbinding met gebruikers"),
    Use.PORTAL: N_("verbinding met personen van partners"),
    Use.SIGN: N_("ondertekenen"),
    Use.ENCRYPT: N_("versleutelen"),
    Use.MAIL_SIGN: N_("e-mail ondertekenen"),
    Use.MAIL_ENCRYPT: N_("e-mail versleutelen"),
    Use.ANCHOR: N_("stamcertificaat"),
    Use.INTERMEDIATE: N_("uitgever"),
    Use.CRL: N_("intrekkingslijst"),
}


async def certificates(visit: Visit) -> web.Response:
    """List what is in use, what ends first in front."""
    items = await visit.office.certificates()
    return visit.show(
        "beheerder/certificates.html",
        items=[(item, _tag(visit, item), _days(visit, item)) for item in items],
        uses=USES,
        done=visit.done(DONE),
    )


def _days(visit: Visit, item: InUse) -> str:
    left = item.left(visit.now())
    return "" if left is None else str(int(left.total_seconds() // _DAY))


def _tag(visit: Visit, item: InUse) -> Tag:
    left = item.left(visit.now())
    if item.code:
        return Tag(N_("niet bruikbaar"), "negative")
    if left is not None and left.days < _SOON:
        return Tag(N_("verloopt"), "warning")
    return Tag(N_("geldig"), "positive")


async def schemas(visit: Visit) -> web.Response:
    """Show the packs, and which of them judges what, for whom and from when on."""
    directory = visit.office.directory
    return visit.show(
        "beheerder/schemas.html",
        packs=sorted(directory.packs.values(), key=lambda pack: pack.name),
        lines=sorted(directory.activations.lines, key=lambda line: line.since, reverse=True),
    )


PAGES = (
    Page(path="/certificaten", handler=certificates, roles=BEHEERDER, nav=N_("Certificaten")),
    Page(path="/schemas", handler=schemas, roles=BEHEERDER, nav=N_("Schema's")),
)
