"""One document before the rules, and how they look at it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from lxml import etree

from gateway.catalogue import MessageKind, Role
from gateway.directory import Directory, Party
from gateway.errors import Malformed
from gateway.message import Address, Oin, Stuurgegevens
from gateway.rules.values import known_part
from gateway.wire.stuf import STUF, Document, value_of
from gateway.wire.tijd import civil, read_tijdstip
from gateway.wire.xml import steps, text_of

_INCOMPLETE = f"{{{STUF}}}indOnvolledigeDatum"
_UNREAD: tuple[str | None, ...] = ()


class Filled:
    """An element of the document with its text, which may be empty."""

    __slots__ = ("_date", "element", "name", "text")

    def __init__(self, name: str, element: etree._Element) -> None:
        """Take the local name and the element; read its text, trimmed."""
        self.name = name
        self.element = element
        self.text = value_of(element)
        self._date = _UNREAD

    @property
    def date(self) -> str | None:
        """Return the digits of a date that count; None when it does not exist."""
        if self._date is _UNREAD:
            self._date = (known_part(self.text, self.element.get(_INCOMPLETE, "")),)
        return self._date[0]

    @property
    def moment(self) -> datetime | None:
        """Return the moment of a StUF tijdstip; None when it does not exist."""
        return moment_of(self.text)


def moment_of(text: str) -> datetime | None:
    """Return the moment of a StUF tijdstip; None when it does not exist."""
    try:
        return read_tijdstip(text)
    except Malformed:
        return None


@dataclass(frozen=True, kw_only=True)
class Case:
    """What the rules are tried on. What several of them look at is looked up once."""

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

    def role(self, name: str) -> Role | None:
        """Return the role of `zender` or `ontvanger`, None when it is not known here."""
        party = self.party(name)
        return party.role if party else None

    def path(self, below: str) -> str:
        """Return the path of an element of the envelope."""
        return f"/{self.document.name}/stuurgegevens/{below}"

    @cached_property
    def today(self) -> datetime:
        """Return the moment of judging in Dutch civil time."""
        return civil(self.at)

    @cached_property
    def today_digits(self) -> str:
        """Return the Dutch date of today as a document writes it: yyyymmdd."""
        return f"{self.today:%Y%m%d}"

    @cached_property
    def moment(self) -> datetime | None:
        """Return `tijdstipBericht`, None when there is no such moment."""
        return moment_of(self.head.tijdstip_bericht)

    def found(self, path: str) -> Iterator[etree._Element]:
        """Yield the elements at a path of local names below the root: `object/betreft`."""
        return below(self.document.tree, path)

    def text(self, path: str) -> str:
        """Return the text at the first element of such a path; empty when it is not there."""
        return text_of(self.document.tree, path)


def below(element: etree._Element, path: str) -> Iterator[etree._Element]:
    """Yield the elements at a path of local names below `element`."""
    return element.iterfind(steps(path))
