"""What two parties agree on, from which a CPA is made."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from gateway.directory import SyncReply
from gateway.errors import Misconfigured

PROFILES = ("osb-be", "osb-be-s", "osb-be-e", "osb-rm", "osb-rm-s", "osb-rm-e")
SERVICE_TYPE = "urn:osb:services"
RSA_SHA256 = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
AES256_GCM = "http://www.w3.org/2009/xmlenc11#aes256-gcm"

_NAME = re.compile(r"\S+")
_LONGEST_ID = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class CpaAction:
    """Something that a party may send."""

    service: str
    """Without white space: `organisatie:dienst:versie` (DK-BP)."""
    action: str
    """Name of the root element (DK-BP EB006)."""
    service_type: str = SERVICE_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class CpaParty:
    """One side. Certificates are DER; which ones are needed follows from the profile."""

    oin: str
    """PartyId; outside production with a suffix such as `_T`."""
    name: str
    role: str
    endpoint: str
    client: bytes
    server: bytes
    sign: bytes | None = None
    encrypt: bytes | None = None
    sends: tuple[CpaAction, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CpaSpec:
    """What two parties agree on."""

    cpa_id: str
    """Fit for a file name (DK-ebMS2, CPAId)."""
    start: datetime
    end: datetime
    parties: tuple[CpaParty, CpaParty]
    profile: str = "osb-rm-e"
    retries: int = 8
    retry_interval: timedelta = timedelta(hours=3)
    persist: timedelta | None = None
    """None: (1 + retries) x interval, at least a day."""
    sync_reply: SyncReply = SyncReply.NONE
    status: str = "agreed"
    version: str = "1.0"
    signature_algorithm: str = RSA_SHA256
    digest_algorithm: str = SHA256
    encryption_algorithm: str = AES256_GCM

    @property
    def reliable(self) -> bool:
        return self.profile.startswith("osb-rm")

    @property
    def encrypted(self) -> bool:
        return self.profile.endswith("-e")

    @property
    def signed(self) -> bool:
        return self.encrypted or self.profile.endswith("-s")

    @property
    def persist_duration(self) -> timedelta:
        """Return how long message ids are kept at least."""
        needed = (1 + self.retries) * self.retry_interval
        return self.persist if self.persist is not None else max(needed, timedelta(days=1))


def check_spec(spec: CpaSpec) -> None:
    """Raise Misconfigured for what can not be agreed on: see `make_cpa`."""
    if spec.profile not in PROFILES:
        raise Misconfigured("cpa.profile", "Dit profiel bestaat niet.", where=spec.profile)
    if not re.fullmatch(rf"[\w.\-]{{1,{_LONGEST_ID}}}", spec.cpa_id):
        raise Misconfigured("cpa.id", "De CPAId is geen geschikte bestandsnaam.")
    if spec.start >= spec.end:
        raise Misconfigured("cpa.period", "De CPA eindigt voor zij begint.")
    if spec.retries < 0 or min(spec.retry_interval, spec.persist_duration) < timedelta(0):
        raise Misconfigured("cpa.retries", "Retries en termijnen kunnen niet negatief zijn.")
    a, b = spec.parties
    if a.oin == b.oin:
        raise Misconfigured("cpa.parties", "De partijen zijn niet verschillend.", where=a.oin)
    if not a.sends and not b.sends:
        raise Misconfigured("cpa.actions", "Geen van beide partijen mag iets versturen.")
    for party in spec.parties:
        _check_party(spec, party)


def _check_party(spec: CpaSpec, party: CpaParty) -> None:
    if (spec.signed and not party.sign) or (spec.encrypted and not party.encrypt):
        raise Misconfigured(
            "cpa.certificate", "Voor dit profiel ontbreekt een certificaat.", where=party.oin
        )
    if len(set(party.sends)) != len(party.sends):
        raise Misconfigured("cpa.actions", "Een actie staat er twee keer.", where=party.oin)
    names = (party.oin, party.role, party.endpoint, *_names(party))
    if not all(_NAME.fullmatch(name) for name in names) or not party.name.strip():
        raise Misconfigured(
            "cpa.names", "Een naam is leeg of bevat een spatie.", where=party.oin or "oin"
        )


def _names(party: CpaParty) -> Iterator[str]:
    for one in party.sends:
        yield from (one.service, one.service_type, one.action)
