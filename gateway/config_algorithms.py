"""The settings of what a partner may still use that Digikoppeling forbids (docs/exceptions.md)."""

from datetime import date, timedelta
from enum import StrEnum

from pydantic import Field

from gateway.toml import Section

LONGEST = timedelta(days=396)
"""From the day on which it is read: thirteen months. Who needs longer says so again."""


class Weakness(StrEnum):
    """What DK-SEC forbids and one partner may still use, for a while."""

    RSA15 = "rsa-1.5"
    """Content keys wrapped by RSA PKCS#1 v1.5."""
    CBC = "aes-cbc"
    """Payloads encrypted by AES-CBC, which has no tag."""
    TRIPLE_DES = "3des-ontsleutelen"
    """Payloads encrypted by 3DES: read, never written."""
    SHA1 = "sha1-controleren"
    """Signatures and digests by SHA-1: verified, never made."""


class PartyExceptionSettings(Section):
    """What this party may still use that Digikoppeling forbids, why, and until when."""

    wat: Weakness = Field(
        description="rsa-1.5 (keys wrapped by it), aes-cbc (payloads encrypted by it), "
        "3des-ontsleutelen (payloads of this party only) or sha1-controleren (signatures of this "
        "party only). CBC and 3DES count only for what is signed."
    )
    reden: str = Field(
        min_length=10,
        max_length=200,
        description="Why; it stands in the console and in `gateway doctor`.",
    )
    tot: date = Field(
        description="Last day, by the Dutch calendar; at most 13 months from now. After it the "
        "strong rules hold again, also in processes that run."
    )
