"""The tests behind the business rules: each yields the paths where its rule is broken."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property, partial

from lxml import etree

from gateway.catalogue import MessageKind
from gateway.directory import Directory, Party
from gateway.errors import Malformed
from gateway.message import Address, Oin, Stuurgegevens
from gateway.rules.values import is_oin, known_part, passes_elfproef
from gateway.wire.stuf import STUF, Document, value_of
from gateway.wire.tijd import civil, read_tijdstip
from gateway.wire.xml import SMALL_OCTETS, local, path_of


@dataclass(frozen=True)
class Filled:
    """An element that holds text."""

    name: str
    element: etree._Element
    text: str

    @cached_property
    def date(self) -> str | None:
        """Return the digits of a date that count; None when it does not exist."""
        return known_part(self.text, self.element.get(_INCOMPLETE, ""))


@dataclass(frozen=True, kw_only=True)
class Case:
    """One document before the rules. What several of them look at is looked up once."""

    document: Document
    kind: MessageKind
    directory: Directory
    sender: Oin
    """The authenticated party that hands it over (at an access point: zender itself)."""
    at: datetime

    @property
    def head(self) -> Stuurgegevens:
        """Return the envelope."""
        return self.document.stuurgegevens

    @cached_property
    def addresses(self) -> dict[str, Address]:
        """Return zender and ontvanger, where they are given."""
        both = {"zender": self.head.zender, "ontvanger": self.head.ontvanger}
        return {name: address for name, address in both.items() if address is not None}

    def party(self, name: str) -> Party | None:
        """Return the known party of `zender` or `ontvanger`."""
        address = self.addresses.get(name)
        return self.directory.party(address.organisatie) if address else None

    def path(self, below: str) -> str:
        """Return the path of an element of the envelope."""
        return f"/{self.document.name}/stuurgegevens/{below}"

    @cached_property
    def moment(self) -> datetime | None:
        """Return `tijdstipBericht`, None when there is no such moment."""
        try:
            return read_tijdstip(self.head.tijdstip_bericht)
        except Malformed:
            return None

    def named(self, *names: str) -> Iterator[Filled]:
        """Yield the elements with one of these local names (of `_NAMES`) that hold text."""
        if not _KNOWN_NAMES.issuperset(names):
            raise AssertionError
        found = self._named if len(self.document.octets) <= SMALL_OCTETS else self._scan()
        return (one for one in found if one.name in names)

    @cached_property
    def _named(self) -> tuple[Filled, ...]:
        return tuple(self._scan())

    def _scan(self) -> Iterator[Filled]:
        for element in self.document.tree.iter(*_TAGS):
            text = value_of(element)
            if text:
                yield Filled(local(element), element, text)


Check = Callable[[Case], Iterator[str]]

DATES = (
    "datumMelding",
    "datumIncident",
    "datumGeinformeerd",
    "geboortedatum",
    "startdatum",
    "registratiedatum",
    "creatiedatum",
)
_BSN_NAMES = ("bsn", "inp.bsn")
_NAMES = (*DATES, *_BSN_NAMES, "oinNummer", "isGeinformeerdAan", "informering")
"""All that a rule asks for by name."""
_INCOMPLETE = f"{{{STUF}}}indOnvolledigeDatum"
_KNOWN_NAMES = frozenset(_NAMES)
_TAGS = tuple(f"{{*}}{name}" for name in _NAMES)


# --- who ------------------------------------------------------------------------------


def zender_is_sender(case: Case) -> Iterator[str]:
    """The party of the connection is the zender, or acts for it (domain 9.2.1)."""
    address, party = case.head.zender, case.party("zender")
    if address is None or address.organisatie == case.sender:
        return
    if party is None or case.sender not in party.mandates:
        yield case.path("zender/organisatie")


def is_known(name: str) -> Check:
    """Make the check that zender or ontvanger, where given, is a party of the directory."""
    return partial(_is_known, name)


def _is_known(name: str, case: Case) -> Iterator[str]:
    if name in case.addresses and case.party(name) is None:
        yield case.path(f"{name}/organisatie")


def has_applicatie(name: str) -> Check:
    """Make the check that the applicatie is one of the party's.

    Not for answers: a gateway answers under its own name, to what it may not have read.
    """
    return partial(_has_applicatie, name)


def _has_applicatie(name: str, case: Case) -> Iterator[str]:
    party = case.party(name)
    if party is None or case.kind.answer:
        return
    if case.addresses[name].applicatie not in party.applicaties:
        yield case.path(f"{name}/applicatie")


def oin_form(case: Case) -> Iterator[str]:
    """Every OIN is 20 digits."""
    for name, address in case.addresses.items():
        if not is_oin(address.organisatie):
            yield case.path(f"{name}/organisatie")
    for one in case.named("oinNummer"):
        if not is_oin(one.text):
            yield path_of(one.element)


def direction(case: Case) -> Iterator[str]:
    """The catalogue lets a party of this role send this message to one of that role."""
    zender, ontvanger = case.party("zender"), case.party("ontvanger")
    if zender and ontvanger and not case.kind.permits(zender.role, ontvanger.role):
        yield case.path("ontvanger/organisatie")


def one_applicatie(case: Case) -> Iterator[str]:
    """Within an organisation, zender and ontvanger differ (domain 1.8)."""
    zender, ontvanger = case.head.zender, case.head.ontvanger
    if zender is None or ontvanger is None:
        return
    if (zender.organisatie, zender.applicatie) == (ontvanger.organisatie, ontvanger.applicatie):
        yield case.path("ontvanger/applicatie")


# --- the envelope ---------------------------------------------------------------------


def functie(case: Case) -> Iterator[str]:
    """`functie` is the name of the message; answers have none."""
    wanted = "" if case.kind.answer else case.kind.name
    if case.head.functie != wanted:
        yield case.path("functie")


def berichtcode(case: Case) -> Iterator[str]:
    """The code stands in the name: vtMelding*Di01*, *Bv01*Bericht."""
    name = case.kind.name
    wanted = name.removesuffix("Bericht") if case.kind.answer else name[-4:]
    if case.head.berichtcode != wanted:
        yield case.path("berichtcode")


def cross_reference(case: Case) -> Iterator[str]:
    """An answer names what it answers."""
    if case.kind.answer and not case.head.cross_refnummer:
        yield case.path("crossRefnummer")


def tijdstip_exists(case: Case) -> Iterator[str]:
    """`tijdstipBericht` is a moment."""
    if case.moment is None:
        yield case.path("tijdstipBericht")


def tijdstip_future(case: Case) -> Iterator[str]:
    """`tijdstipBericht` is not later than the clocks may differ."""
    moment = case.moment
    if moment is not None and moment > case.at + case.directory.limits.clock_skew:
        yield case.path("tijdstipBericht")


# --- the contents ---------------------------------------------------------------------


def bsn(case: Case) -> Iterator[str]:
    """Every BSN passes the elfproef."""
    for one in case.named(*_BSN_NAMES):
        if not passes_elfproef(one.text):
            yield path_of(one.element)


def dates_exist(case: Case) -> Iterator[str]:
    """Every date is on the calendar."""
    for one in case.named(*DATES):
        if one.date is None:
            yield path_of(one.element)


def not_in_future(case: Case) -> Iterator[str]:
    """An incident and a birth lie in the past, by the Dutch calendar.

    Not in a vtoDi01: it may give the expected birth of an unborn child.
    """
    if case.kind.name == "vtoDi01":
        return
    today = f"{civil(case.at):%Y%m%d}"
    for one in case.named("datumIncident", "geboortedatum"):
        known = one.date
        if known is not None and known > today[: len(known)]:
            yield path_of(one.element)


def report_after_incident(case: Case) -> Iterator[str]:
    """The report is not dated before the incident, as far as both dates are known."""
    incident = next((one.date for one in case.named("datumIncident")), None)
    for one in case.named("datumMelding"):
        report = one.date
        if report and incident and _before(report, incident):
            yield path_of(one.element)


def informed(case: Case) -> Iterator[str]:
    """Without isGeinformeerdAan, informering says why not (domain 1.5)."""
    if case.document.name != "vtMeldingDi01":
        return
    if next(case.named("isGeinformeerdAan", "informering"), None) is None:
        yield f"/{case.document.name}/object/informering"


def _before(a: str, b: str) -> bool:
    known = min(len(a), len(b))
    return a[:known] < b[:known]
