"""What the messages of the OM gate say, in the gateway's own namespace.

The envelope (stuurgegevens) is that of StUF, so that they travel like any other message. What the
OM decides is signed inside the document (`security/enveloped.py`): the signatures of the legs are
those of the hub.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from gateway.directory import Limits
from gateway.message import Address, Oin

VERSION = "toets-1"
"""Version of the koppelvlak in the catalogue and in [diensten]."""
SERVICE = "urn:berichtengateway:toets:1"
"""eb:Service that agreements use for these messages, unless they name another."""

VERZOEK = "opsporingsbelangVerzoekDi01"
BESLUIT = "opsporingsbelangBesluitDi01"
INTREKKING = "opsporingsbelangIntrekkingDi01"
VOORWAARDEN = "verstrekkingsvoorwaardenDi01"
BETWEEN_GATEWAYS = frozenset({VERZOEK, BESLUIT, INTREKKING})
KINDS = BETWEEN_GATEWAYS | {VOORWAARDEN}
GATEWAY = "Berichtengateway"
"""`applicatie` of what the gateway itself sends and is sent."""

MOST_REASONS = 200
"""A request names no more: with the payload before him an officer needs no full list."""
_AROUND = 2_000_000
"""Octets of a request beside its payload; 200 reasons at their longest are 1.8 million."""


def limit_for(action: str, limits: Limits) -> int:
    """Return how many octets a decrypted document may have; `action` is the eb:Action.

    A request to the OM carries a whole payload as base64, so it may be larger than any payload:
    `limits.payload_bytes` by four thirds, and 2 MB around it.
    """
    if action != VERZOEK:
        return limits.payload_bytes
    return -(-limits.payload_bytes // 3) * 4 + _AROUND


class Uitkomst(StrEnum):
    """What the OM decides."""

    VRIJGEVEN = "vrijgeven"
    ONDER_VOORWAARDEN = "vrijgevenOnderVoorwaarden"
    NIET = "nietVrijgeven"
    TERUG = "terugNaarAfzender"
    """Reduce and send again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stuur:
    """What the gateway puts into the stuurgegevens."""

    zender: Address
    ontvanger: Address
    referentienummer: str
    at: datetime
    cross_refnummer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Officier:
    """Who decided."""

    identificatie: str
    naam: str
    functie: str
    mandaat: str
    parket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Voorwaarde:
    """A condition to what is released."""

    code: str
    tekst: str
    aanvaarding: bool
    """No system can enforce it: the receiver must accept it first (domain 9.1.7)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reden:
    """Why it is held; never a value of the message."""

    regel: str
    pad: str
    tekst: str
    toestemming: str
    """`individueel` or `doorlopend`: what the table asks for."""
    categorie: str = ""
    wpg_artikel: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verzoek:
    """The question to the OM, with the octets that are held."""

    identificatie: str
    soort: str
    versie: str
    referentienummer: str
    ontvanger: Oin
    sha256: str
    inhoud: bytes = field(repr=False)
    tabelversie: str
    termijn: datetime
    systeem: str
    """Back-end that handed it in."""
    ontvanger_applicatie: str = ""
    gebruiker: str = ""
    zaak: str = ""
    redenen: tuple[Reden, ...] = ()
    acuut: bool | None = None
    deel_van: str = ""
    vervangt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Besluit:
    """The decision. It counts only with the signature inside its document."""

    identificatie: str
    verzoek: str
    sha256: str
    ontvangers: tuple[Oin, ...]
    uitkomst: Uitkomst
    grond: str
    """Statutory ground."""
    officier: Officier
    tabelversie: str
    genomen_op: datetime
    geldig_tot: datetime
    te_melden: str = ""
    """What the sender may be told."""
    voorwaarden: tuple[Voorwaarde, ...] = ()
    tweede: Officier | None = None
    bekend: bool = False
    """The receiver may be told that something was withheld (domain 9.1.6)."""


class Doel(StrEnum):
    """What an Intrekking ends."""

    BESLUIT = "besluit"
    VERZOEK = "verzoek"
    TOESTEMMING = "toestemming"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intrekking:
    """Something is over: a decision or standing approval (by the OM), a request (by the asker)."""

    identificatie: str
    doel: Doel
    betreft: str
    """Its identificatie."""
    grond: str
    genomen_op: datetime
    officier: Officier | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Voorwaarden:
    """Under which conditions a message was provided; they never enter its payload (9.1.7)."""

    identificatie: str
    soort: str
    referentienummer: str
    sha256: str
    voorwaarden: tuple[Voorwaarde, ...]
    geheimhouding: str
    """Notice of Wpg 7 lid 2 and Bpg 4:8."""
