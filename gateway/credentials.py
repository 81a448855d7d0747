"""By what a back-end system is known, and what each of these lets it do.

Everything here is an allow-list: a credential without scopes may do nothing, a system without
ways to sign in can not.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Scope(StrEnum):
    """What a credential lets a back-end do; each operation of the API needs one."""

    HAND_IN = "berichten:aanleveren"
    READ = "berichten:lezen"
    POSTVAK_LOOK = "postvak:lezen"
    POSTVAK_CLOSE = "postvak:afhandelen"
    WEBHOOKS = "webhooks:beheren"
    DECIDE_LOOK = "toets:lezen"
    DECIDE = "toets:besluiten"


PLAIN_SCOPES = tuple(scope for scope in Scope if not scope.startswith("toets:"))
"""All but deciding for the OM: what a system gets unless gateway.toml says otherwise."""


class UserRole(StrEnum):
    """What a person may do in the console, or at the portal."""

    OFFICIER = "officier"
    """Decides for the OM; no other role goes with it."""
    BEHEERDER = "beheerder"
    """Keeps partners, certificates, back-ends and users."""
    OPERATOR = "operator"
    """Keeps messages moving."""
    COMPLIANCE = "compliance"
    """Looks, and changes nothing; no other role goes with it."""
    ONTVANGER = "ontvanger"
    """A person of a partner: at the portal, never in the console; no other role goes with it."""


class Factor(StrEnum):
    """One thing that a request proves."""

    BEARER = "token"
    CERTIFICATE = "certificaat"
    JWT = "jwt"


class SignIn(StrEnum):
    """A way to sign in: every factor in it must be proven by the same request."""

    BEARER = "token"
    CERTIFICATE = "certificaat"
    CERTIFICATE_AND_BEARER = "certificaat+token"
    JWT = "jwt"
    CERTIFICATE_AND_JWT = "certificaat+jwt"

    @property
    def factors(self) -> frozenset[Factor]:
        return frozenset(Factor(name) for name in self.value.split("+"))


@dataclass(frozen=True, slots=True, kw_only=True)
class BearerToken:
    """A token, known by its digest only."""

    sha256: str
    """Lower-case hex."""
    scopes: frozenset[Scope]
    valid_until: datetime | None = None
    """Aware, not included; None = for ever."""

    def is_valid(self, at: datetime) -> bool:
        return self.valid_until is None or at < self.valid_until


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientCertificate:
    """A TLS client certificate: one, by its thumbprint, or each that a subject gets."""

    scopes: frozenset[Scope]
    sha256: str = ""
    """Lower-case hex over the DER; empty = by subject."""
    serial_number: str = ""
    """subject.serialNumber: with PKIoverheid the OIN."""
    common_name: str = ""

    def fits(self, *, sha256: str, serial_number: str, common_name: str) -> bool:
        """Tell whether this is the certificate; the chain is judged elsewhere."""
        if self.sha256:
            return self.sha256 == sha256
        return bool(self.serial_number and self.common_name) and (
            (self.serial_number, self.common_name) == (serial_number, common_name)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientKey:
    """A public key by which a back-end signs its requests for an access token (RFC 7523)."""

    spki: bytes
    """SubjectPublicKeyInfo, DER: RSA of 2048 bits or more, or EC on P-256."""
    thumbprint: str
    """Lower-case hex SHA-256 of `spki`."""
    scopes: frozenset[Scope]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """All that one back-end may sign in with. Empty: it can not."""

    ways: frozenset[SignIn] = frozenset()
    tokens: tuple[BearerToken, ...] = ()
    certificates: tuple[ClientCertificate, ...] = ()
    keys: tuple[ClientKey, ...] = ()

    @property
    def wants_certificate(self) -> bool:
        return any(Factor.CERTIFICATE in way.factors for way in self.ways)

    @property
    def scopes(self) -> frozenset[Scope]:
        """Return what any of them lets do."""
        found = (
            *(token.scopes for token in self.tokens),
            *(certificate.scopes for certificate in self.certificates),
            *(key.scopes for key in self.keys),
        )
        return frozenset().union(*found)

    def allow(self, proven: Iterable[Factor]) -> bool:
        """Tell whether what was proven is one of the ways, or more than one of them asks."""
        factors = frozenset(proven)
        return any(way.factors <= factors for way in self.ways)
