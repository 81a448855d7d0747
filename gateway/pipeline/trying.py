"""A hand-in that is only tried: everything that would be asked of it, and each answer.

Nothing is stored but an audit row, nothing is sent, no referentienummer and no MessageId is
used up. The checks that can refuse are those of `admissible`, in its order; the others say what
would happen afterwards.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from gateway.catalogue import MessageKind
from gateway.directory import Agreement, Backend, Directory
from gateway.errors import Finding, GatewayError, NoRoute, Refused, Severity, Unavailable
from gateway.message import OIN_TYPE, Aanlevering, PartyRef
from gateway.pipeline import admissible, judge
from gateway.pipeline.house import House
from gateway.pipeline.rethinking import rethinking
from gateway.ports import AuditEvent, DeliveryChannel
from gateway.rules import approval, routing
from gateway.rules.classification import Reason
from gateway.rules.terms import antwoordtermijn
from gateway.security.certificates import Usage
from gateway.wire.stuf import Document

SOON = timedelta(days=30)
"""An agreement that ends within this time is warned of."""
_ENVELOPE = 1.4
"""A body over ebMS2 is that of the document times this, encrypted and as base64; rounded up."""


class Check(StrEnum):
    """What is asked, in the order of a hand-in."""

    OMVANG = "omvang"
    DOCUMENT = "document"
    AFZENDER = "afzender"
    DUBBEL = "dubbel"
    ROUTE = "route"
    OVEREENKOMST = "overeenkomst"
    SCHEMA = "schema"
    REGELS = "regels"
    TOETS = "toets"
    CERTIFICATEN = "certificaten"
    TERMIJN = "termijn"


class Outcome(StrEnum):
    GOOD = "goed"
    WARNING = "waarschuwing"
    HELD = "vastgehouden"
    REFUSED = "geweigerd"
    SKIPPED = "overgeslagen"
    """Another check has to be good first."""


class Oordeel(StrEnum):
    """What the hand-in would be answered."""

    ACCEPTED = "aangenomen"
    HELD = "vastgehouden"
    REPEATED = "herhaald"
    """It was handed in before: that answer would be given again."""
    REFUSED = "geweigerd"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One check. What refuses is `error`, exactly as a hand-in would raise it."""

    check: Check
    outcome: Outcome
    findings: tuple[Finding, ...] = ()
    """Warnings, and what a person should know."""
    error: Refused | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The whole verdict."""

    oordeel: Oordeel
    checks: tuple[Checked, ...]
    """Every check once, in order."""
    size: int
    kind: str = ""
    version: str = ""
    referentienummer: str = ""
    recipient: str = ""
    """The next hop: the ontvanger, or a hub."""
    channel: str = ""
    cpa_id: str = ""
    deadline: datetime | None = None
    """Latest moment of the answer, if it were handed in now."""
    reasons: tuple[str, ...] = ()
    """Why it would be held."""
    grounds: tuple[Reason, ...] = ()
    """The same with rule and path, in the same order."""

    @property
    def error(self) -> Refused | None:
        """Return what the hand-in would raise: the first refusal."""
        return next((one.error for one in self.checks if one.error is not None), None)


@dataclass(slots=True, kw_only=True)
class _Case:
    """What is known of it so far. A check that is good fills in what later ones need."""

    octets: bytes
    directory: Directory
    aanlevering: Aanlevering
    backend: Backend
    at: datetime
    document: Document | None = None
    kind: MessageKind | None = None
    route: routing.Route | None = None
    sound: bool = False
    """Keeps its schema."""
    hold: approval.Hold | None = None
    repeated: bool = False
    deadline: datetime | None = None
    checked: dict[Check, Checked] = field(default_factory=dict)


class Trying:
    """Judges a document as a hand-in would."""

    def __init__(self, house: House) -> None:
        """Take the ports."""
        self._house = house

    async def try_out(self, octets: bytes, aanlevering: Aanlevering, backend: Backend) -> Trial:
        """Return the verdict; raises Unavailable only, when it can not be found now."""
        case = await rethinking(
            self._house.snapshots, lambda: self._judged(octets, aanlevering, backend)
        )
        trial = _verdict(case)
        await self._house.inbox.note(self._event(case, trial))
        return trial

    async def _judged(self, octets: bytes, aanlevering: Aanlevering, backend: Backend) -> _Case:
        case = _Case(
            octets=octets,
            directory=self._house.snapshots.current(),
            aanlevering=aanlevering,
            backend=backend,
            at=self._house.clock.now(),
        )
        await self._check_all(case)
        return case

    async def _check_all(self, case: _Case) -> None:
        _size(case)
        await self._read(case)
        _sender(case)
        await self._duplicate(case)
        _route(case)
        _agreement(case)
        await self._schema(case)
        await self._rules(case)
        _gate(case)
        self._certificates(case)
        _term(case)

    async def _read(self, case: _Case) -> None:
        try:
            case.document = await judge.read(self._house, case.octets, case.directory)
        except Refused as error:
            return _refused(case, Check.DOCUMENT, error)
        return _good(case, Check.DOCUMENT)

    async def _duplicate(self, case: _Case) -> None:
        document = case.document
        stranger = case.checked[Check.AFZENDER].outcome is Outcome.REFUSED
        if document is None or stranger:  # whose numbers are used is not his to know
            return _skip(case, Check.DUBBEL)
        known = await admissible.known_as(self._house, document)
        try:
            if known is None:
                await admissible.linked(self._house, document, case.aanlevering)
                return _good(case, Check.DUBBEL)
            admissible.same_as(known, document, case.aanlevering, case.backend)
        except Refused as error:
            return _refused(case, Check.DUBBEL, error)
        case.repeated = True
        told = _told(
            "duplicate.herhaald",
            "Dit bericht is al aangeleverd; het zou hetzelfde antwoord krijgen.",
        )
        return _good(case, Check.DUBBEL, told)

    async def _schema(self, case: _Case) -> None:
        if case.document is None:
            return _skip(case, Check.SCHEMA)
        try:
            kind = case.kind or _newest(case.directory, case.document)
            partner = admissible.partner_of(case.route) if case.route else case.backend.party
            await judge.keep_schema(
                self._house, case.directory, case.document, kind, partner=partner, at=case.at
            )
        except Refused as error:
            return _refused(case, Check.SCHEMA, error)
        case.kind, case.sound = kind, True
        return _good(case, Check.SCHEMA)

    async def _rules(self, case: _Case) -> None:
        if case.document is None or case.kind is None or not case.sound:
            return _skip(case, Check.REGELS)
        try:
            warnings = await judge.keep_rules(
                self._house,
                case.directory,
                case.document,
                case.kind,
                sender=case.backend.party,
                at=case.at,
            )
        except Refused as error:
            return _refused(case, Check.REGELS, error)
        return _good(case, Check.REGELS, *warnings)

    # --- what comes after the hand-in -------------------------------------------------

    def _certificates(self, case: _Case) -> None:
        if case.route is None:
            return _skip(case, Check.CERTIFICATEN)
        return _good(case, Check.CERTIFICATEN, *self._certificate_findings(case, case.route))

    def _certificate_findings(self, case: _Case, route: routing.Route) -> Iterator[Finding]:
        trust = self._house.snapshots.trust(case.directory)
        ours, theirs = _certificates_of(case, route)
        for der, usage, whose in (
            *((one, Usage.SIGN, "Het eigen certificaat om te ondertekenen") for one in ours),
            *(
                (one, Usage.ENCRYPT, "Het certificaat van de ontvanger om te versleutelen")
                for one in theirs
            ),
        ):
            try:
                trust.judge(der, usage, case.at)
                if usage is Usage.SIGN:
                    self._house.keyring.signer(der)
            except GatewayError as error:
                yield _unusable(error, whose)

    def _event(self, case: _Case, trial: Trial) -> AuditEvent:
        error = trial.error
        return AuditEvent(
            event="message.tried",
            at=case.at,
            code=error.code if error else "",
            party=case.backend.party,
            actor=case.backend.name,
            data={"oordeel": str(trial.oordeel), "kind": trial.kind, "size": trial.size},
        )


# --- the checks without I/O -----------------------------------------------------------


def _size(case: _Case) -> None:
    """Who reads the octets has kept the first bound; the second is that of the partner's door."""
    wire = int(len(case.octets) * _ENVELOPE) + case.directory.limits.header_bytes
    if wire <= case.directory.limits.wire_bytes:
        return _good(case, Check.OMVANG)
    text = "Versleuteld kan dit groter zijn dan een HTTP-bericht mag zijn."
    return _good(case, Check.OMVANG, _told("size.wire", text, "Maak het document kleiner."))


def _sender(case: _Case) -> None:
    if case.document is None:
        return _skip(case, Check.AFZENDER)
    try:
        admissible.may_be_handed_in(case.document, case.backend)
    except Refused as error:
        return _refused(case, Check.AFZENDER, error)
    return _good(case, Check.AFZENDER)


def _route(case: _Case) -> None:
    if case.document is None:
        return _skip(case, Check.ROUTE)
    try:
        case.kind, case.route = admissible.kind_and_route(case.directory, case.document, case.at)
    except Refused as error:
        return _refused(case, Check.ROUTE, error)
    waits = admissible.partner_of(case.route) in case.directory.suspended
    told = _told("party.suspended", "De ontvanger is geblokkeerd: het zou zolang wachten.")
    return _good(case, Check.ROUTE, *((told,) if waits else ()))


def _agreement(case: _Case) -> None:
    route = case.route
    if isinstance(route, routing.ToPostvak):
        return _good(case, Check.OVEREENKOMST)
    if isinstance(route, routing.ToPartner):
        return _good(case, Check.OVEREENKOMST, *_ending(case, route))
    if isinstance(route, routing.ToMail):
        text = "Voor dit bericht is er geen overeenkomst: het zou per beveiligde e-mail gaan."
        return _good(case, Check.OVEREENKOMST, _told("mail.route", text))
    return _skip(case, Check.OVEREENKOMST, *_not_in_force(case))


def _ending(case: _Case, route: routing.ToPartner) -> Iterator[Finding]:
    end = case.directory.agreements[route.cpa_id].end
    if end - case.at < SOON:
        text = f"De overeenkomst {route.cpa_id} loopt af op {end:%Y-%m-%d}."
        yield _told("agreement.ends", text, "Maak een nieuwe overeenkomst met de ontvanger.")


def _not_in_force(case: _Case) -> Iterator[Finding]:
    """Say of each agreement with the ontvanger that it is there, but not in force."""
    ontvanger = case.document.stuurgegevens.ontvanger if case.document else None
    if ontvanger is None:
        return
    other = PartyRef(ontvanger.organisatie, OIN_TYPE)
    for agreement in case.directory.agreements.values():
        if other in agreement.parties and not agreement.in_force(case.at):
            yield _told("agreement.not_in_force", _period(agreement), "Vraag de beheerder ernaar.")


def _period(agreement: Agreement) -> str:
    return (
        f"De overeenkomst {agreement.cpa_id} geldt nu niet: zij loopt van "
        f"{agreement.start:%Y-%m-%d} tot {agreement.end:%Y-%m-%d}, met status {agreement.status}."
    )


def _gate(case: _Case) -> None:
    document, kind = case.document, case.kind
    refused = Check.REGELS in case.checked and case.checked[Check.REGELS].error is not None
    if document is None or kind is None or not case.sound or refused:
        return _skip(case, Check.TOETS)
    try:
        _, gate = admissible.at_the_gate(
            case.directory, document, kind, case.aanlevering, case.backend, case.at
        )
    except NoRoute:
        return _skip(case, Check.TOETS)  # the check of the route tells it
    except Refused as error:
        return _refused(case, Check.TOETS, error)
    if isinstance(gate, approval.Hold):
        case.hold = gate
        return _done(case, Checked(check=Check.TOETS, outcome=Outcome.HELD))
    return _good(case, Check.TOETS)


def _term(case: _Case) -> None:
    if case.kind is None:
        return _skip(case, Check.TERMIJN)
    said = case.aanlevering
    term = antwoordtermijn(case.kind.name, acuut=said.acuut, onderzoek=said.onderzoek)
    if term is None:
        return _good(case, Check.TERMIJN)
    case.deadline = term.deadline(case.at)
    if not term.assumed:
        return _good(case, Check.TERMIJN)
    hours = int(term.duration / timedelta(hours=1))
    text = f"Er is niet gezegd of het acuut is: de termijn is {hours} uur."
    return _good(case, Check.TERMIJN, _told("termijn.aangenomen", text, "Geef acuut mee."))


# --- writing down ---------------------------------------------------------------------


def _done(case: _Case, checked: Checked) -> None:
    case.checked[checked.check] = checked


def _good(case: _Case, check: Check, *findings: Finding) -> None:
    outcome = Outcome.WARNING if any(map(_warns, findings)) else Outcome.GOOD
    _done(case, Checked(check=check, outcome=outcome, findings=findings))


def _refused(case: _Case, check: Check, error: Refused) -> None:
    _done(case, Checked(check=check, outcome=Outcome.REFUSED, error=error))


def _skip(case: _Case, check: Check, *findings: Finding) -> None:
    _done(case, Checked(check=check, outcome=Outcome.SKIPPED, findings=findings))


def _warns(finding: Finding) -> bool:
    return finding.code != "duplicate.herhaald"


def _told(code: str, text: str, remedy: str = "") -> Finding:
    return Finding(code=code, rule="", path="", text=text, remedy=remedy, severity=Severity.WARN)


_CERTIFICATE = {
    "certificate.expired": "is verlopen",
    "certificate.not_yet_valid": "geldt nog niet",
    "certificate.revoked": "is ingetrokken",
    "certificate.revocation_unknown": "is niet te beoordelen: er is geen verse intrekkingslijst",
    "certificate.untrusted": "leidt niet naar een vertrouwde uitgever",
    "keys.missing": "heeft hier geen privésleutel",
}


def _unusable(error: GatewayError, whose: str) -> Finding:
    wrong = _CERTIFICATE.get(error.code, "is niet bruikbaar")
    wait = isinstance(error, Unavailable)
    remedy = "Het bericht zou wachten tot het wel kan." if wait else "Vraag de beheerder ernaar."
    return _told(error.code, f"{whose} {wrong}.", remedy)


def _certificates_of(
    case: _Case, route: routing.Route
) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """Return what signs here, and what is encrypted for there."""
    match route:
        case routing.ToPostvak():
            return (), ()
        case routing.ToPartner():
            signing, encryption = route.binding.channel.signing, route.binding.channel.encryption
            return (
                (signing.certificate,) if signing else (),
                (encryption.certificate,) if encryption else (),
            )
        case routing.ToMail():
            party = case.directory.party(route.recipient)
            return (route.own.sign,), party.mail.certificates if party and party.mail else ()


def _newest(directory: Directory, document: Document) -> MessageKind:
    """Without a route there is no agreed version: the newest is asked for."""
    versions = directory.catalogue.versions(document.name)
    return judge.kind_of(document, versions[-1] if versions else "geen", directory)


def _verdict(case: _Case) -> Trial:
    checks = tuple(case.checked[check] for check in Check)
    partner = case.route if isinstance(case.route, routing.ToPartner) else None
    return Trial(
        oordeel=_oordeel(case, checks),
        checks=checks,
        size=len(case.octets),
        kind=case.kind.name if case.kind else "",
        version=case.kind.version if case.kind else "",
        referentienummer=case.document.stuurgegevens.referentienummer if case.document else "",
        recipient=admissible.partner_of(case.route) if case.route else "",
        channel=_channel(case.route) if case.route else "",
        cpa_id=partner.cpa_id if partner else "",
        deadline=case.deadline,
        reasons=case.hold.told() if case.hold else (),
        grounds=case.hold.different() if case.hold else (),
    )


def _channel(route: routing.Route) -> str:
    match route:
        case routing.ToPostvak():
            return str(DeliveryChannel.POSTVAK)
        case routing.ToPartner():
            return str(DeliveryChannel.EBMS2)
        case routing.ToMail():
            return str(DeliveryChannel.MAIL)


def _oordeel(case: _Case, checks: tuple[Checked, ...]) -> Oordeel:
    """A repeat is answered before schema, rules and gate are looked at."""
    before = checks[: tuple(Check).index(Check.DUBBEL) + 1]
    if any(one.error for one in (before if case.repeated else checks)):
        return Oordeel.REFUSED
    if case.repeated:
        return Oordeel.REPEATED
    return Oordeel.HELD if case.hold else Oordeel.ACCEPTED
