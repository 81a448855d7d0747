"""Which messages exist, and who may send what to whom."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What a party is in the chain."""

    POLITIE = "politie"
    VEILIG_THUIS = "veilig-thuis"
    OM = "om"
    RVDK = "rvdk"
    RECLASSERING = "reclassering"
    HALT = "halt"
    GEMEENTE = "gemeente"
    KNOOPPUNT = "knooppunt"


REPLIES: Mapping[str, str] = MappingProxyType(
    {
        "vtMeldingDi01": "vtTerugkoppelingDi01",
        "vcobDi01": "ucobDi01",
        "vciDi01": "uciDi01",
        "meldingGeneriekDi01": "uitkomstMeldingGeneriekDi01",
        "vtoDi01": "notificatieDi01",
        "zorgmeldingDi01": "zorgmeldingTerugkoppelingDi01",
        "opsporingsbelangVerzoekDi01": "opsporingsbelangBesluitDi01",
    }
)
"""Message → the message that answers it, beside Bv01 or Fo01."""
ASKED_BY: Mapping[str, str] = MappingProxyType({reply: asked for asked, reply in REPLIES.items()})
"""The other way round."""


@dataclass(frozen=True, slots=True)
class Direction:
    """One permitted sender and receiver role."""

    sender: Role
    receiver: Role


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageKind:
    """One message of the koppelvlak, in one version."""

    name: str
    """Root element name, which is also the ebMS Action (Digikoppeling BP EB006)."""
    version: str
    """Version of the koppelvlak, for example `1.0.9`."""
    namespace: str
    schema: str
    """Path of the entry XSD, relative to the schema folder; empty = schema packs only."""
    directions: frozenset[Direction]
    """Empty for Bv01 and Fo01: those follow the message that they answer."""
    answer: bool = False
    """True for Bv01 and Fo01."""

    def permits(self, sender: Role, receiver: Role) -> bool:
        """Tell whether a party in role `sender` may send this to one in role `receiver`."""
        return self.answer or Direction(sender, receiver) in self.directions


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All messages, by (name, version)."""

    kinds: Mapping[tuple[str, str], MessageKind]

    def find(self, name: str, version: str) -> MessageKind | None:
        """Return the kind, or None when the catalogue does not have it."""
        return self.kinds.get((name, version))

    def versions(self, name: str) -> tuple[str, ...]:
        """Return the versions of a message, oldest first."""
        return tuple(sorted((v for n, v in self.kinds if n == name), key=_by_number))

    def newest(self, name: str) -> MessageKind | None:
        """Return the newest version of a message, or None when there is no such message."""
        versions = self.versions(name)
        return self.kinds[name, versions[-1]] if versions else None


def _by_number(version: str) -> list[tuple[int, str]]:
    """Order 1.0.10 after 1.0.9."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in version.split(".")]
