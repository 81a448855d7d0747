"""A renewed certificate, authority or list: offered, looked at, put in place.

No private key comes this way: that of an own certificate must be on the machine already.
"""

from base64 import b64decode, b64encode
from collections.abc import Mapping

from aiohttp import web

from gateway.codes import find
from gateway.errors import GatewayError
from gateway.importing.certificates import Proposal
from gateway.importing.importer import Asked
from gateway.keys.offered import Target
from gateway.ports.accounts import Language
from gateway.web.console.forms import Form
from gateway.web.console.language import N_
from gateway.web.console.page import MOST_BODY, Page, post
from gateway.web.console.pages.beheerder.partners import BEHEERDER
from gateway.web.console.visit import Visit
from gateway.web.control import Command, What

MOST_FILE = 5_000_000
"""Octets of a file: a revocation list can be large."""
LIST = "/certificaten"
NEW = "/certificaten/nieuw"
CHECK = "/certificaten/nieuw/controle"
_DRAFT = "certificaat"
_WHY = "console"
_GONE = N_("Wat u gaf is verwerkt of te oud. Geef het bestand opnieuw.")
TARGETS: Mapping[str, str] = {
    "": N_("wat het bestand zelf zegt"),
    Target.TLS.value: N_("verbinding met partners"),
    Target.API.value: N_("verbinding met eigen systemen"),
    Target.CONSOLE.value: N_("verbinding met gebruikers"),
    Target.PORTAL.value: N_("verbinding met personen van partners"),
    Target.SIGN.value: N_("ondertekenen"),
    Target.ENCRYPT.value: N_("versleutelen"),
    Target.ANCHOR.value: N_("stamcertificaat"),
    Target.INTERMEDIATE.value: N_("uitgever"),
    Target.CRL.value: N_("intrekkingslijst"),
    Target.PARTNER.value: N_("certificaat van een partner"),
}
DONE = {
    "getoond": N_("Het nieuwe certificaat is in gebruik: nieuwe verbindingen zien het."),
    "niet-getoond": N_(
        "Het staat er, maar het is nog niet overal te zien. Kijk in het log naar "
        "directory.not_reloaded, of met gateway doctor."
    ),
    "geplaatst": N_("Het staat er. De draaiende processen lezen hun bestanden opnieuw."),
}


async def new(visit: Visit) -> web.Response:
    """Ask for the file."""
    return _new(visit)


def _new(visit: Visit) -> web.Response:
    targets = [(key, visit.say(text)) for key, text in TARGETS.items()]
    return visit.show("beheerder/import_certificate.html", targets=targets)


async def offer(visit: Visit) -> web.Response:
    """Judge it; what passes is kept until it is confirmed."""
    form = visit.form
    octets = offered(form, "bestand", "tekst")
    if not octets:
        form.wrong("bestand", N_("Kies een bestand, of plak het."))
        return _new(visit)
    fields = {"voor": form.text("voor"), "sha256": form.text("sha256")}
    fields["octetten"] = b64encode(octets).decode()
    try:
        await visit.office.importer.look(_asked(fields))
    except GatewayError as error:
        field = "sha256" if error.code == "certs.anchor_unconfirmed" else "bestand"
        form.wrong(field, why(visit, error))
        return _new(visit)
    await visit.office.drafts.keep(visit.user.account.id, _DRAFT, fields)
    return visit.go(CHECK)


def offered(form: Form, file: str, text: str) -> bytes:
    """Return the file, or what was pasted where there is none; empty = neither."""
    return form.files.get(file) or form.text(text).encode()


def _asked(fields: Mapping[str, str]) -> Asked:
    voor = fields["voor"]
    return Asked(
        octets=b64decode(fields["octetten"]),
        target=Target(voor) if voor in {*Target} else None,
        fingerprint=fields["sha256"],
    )


def why(visit: Visit, error: GatewayError) -> str:
    """Return what is wrong and what to do, with the code; in the language of the visitor."""
    known = find(error.code)
    text = error.text
    if known is not None and (visit.language is Language.EN or not text):
        text = f"{known.meaning} {known.remedy}"
    return f"{text} ({error.code})"


async def check(visit: Visit) -> web.Response:
    """Show what it would change."""
    fields = await visit.office.drafts.find(visit.user.account.id, _DRAFT)
    if fields is None:
        visit.form.wrong("bestand", _GONE)
        return _new(visit)
    return await _check(visit, fields)


async def _check(visit: Visit, fields: Mapping[str, str]) -> web.Response:
    try:
        proposal = await visit.office.importer.look(_asked(fields))
    except GatewayError as error:
        visit.form.wrong("bestand", why(visit, error))
        return _new(visit)
    return visit.show(
        "beheerder/check_certificate.html",
        proposal=proposal,
        use=TARGETS[proposal.target.value],
        folder=visit.office.importer.folder,
    )


async def confirm(visit: Visit) -> web.Response:
    """Put in place what was seen, and have every process read its files again."""
    account = visit.user.account.id
    fields = await visit.office.drafts.find(account, _DRAFT)
    if fields is None:
        visit.form.wrong("bestand", _GONE)
        return _new(visit)

    async def record(proposal: Proposal) -> None:
        id_ = f"{proposal.target}:{proposal.checked.sha256}"
        command = Command(what=What.RENEW, id=id_, who=visit.login, why=_WHY)
        await visit.office.desk.perform(command)

    try:
        done = await visit.office.importer.put(
            _asked(fields), mark=visit.form.text("stand"), record=record
        )
    except GatewayError as error:
        if not error.code.startswith("certs."):
            raise
        visit.form.wrong("stand", why(visit, error))
        return await _check(visit, fields)
    await visit.office.drafts.drop(account, _DRAFT)
    shown = await visit.office.importer.shown(done)
    return visit.go(f"{LIST}?klaar={_WORDS[shown]}")


_WORDS = {True: "getoond", False: "niet-getoond", None: "geplaatst"}
_BODY = MOST_FILE + MOST_BODY
PAGES = (
    Page(path=NEW, handler=new, roles=BEHEERDER, fresh=True),
    post(NEW, offer, roles=BEHEERDER, fresh=True, body=_BODY),
    Page(path=CHECK, handler=check, roles=BEHEERDER, fresh=True),
    post(CHECK, confirm, roles=BEHEERDER, fresh=True),
)
