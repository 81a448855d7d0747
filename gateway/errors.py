"""The error tree, sorted by what to do about it.

`code` is stable and dotted: audit rows, metrics, the API and the tests use it.
The text is for operators and never holds a value of a message.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class Severity(StrEnum):
    """What a finding does to the message: warn lets it pass, refuse does not."""

    WARN = "waarschuwing"
    REFUSE = "weigering"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with a document, told without any value of it."""

    code: str
    """Stable dotted code, for example `schema.verplicht` or `regel.bsn.elfproef`."""
    rule: str
    """Id of the rule: an XSD constraint (`xsd.enumeration`) or a business rule (`JZ-003`)."""
    path: str
    """Path of the element, local names and positions: `/vtMeldingDi01/object/betreft`."""
    text: str
    """What is wrong, in Dutch."""
    remedy: str = ""
    """What to do about it, in Dutch."""
    severity: Severity = Severity.REFUSE
    position: tuple[int, int] = (0, 0)
    """Line and column, from 1, where the document could not be read any further."""


class GatewayError(Exception):
    """Root of all errors of the gateway."""

    public: ClassVar[str] = "internal error"
    """Bland text for a peer."""
    retry: ClassVar[bool] = False
    """Whether the same request may succeed later."""

    def __init__(self, code: str, text: str, *, where: str = "") -> None:
        """Keep the dotted code, the operator's text, and the place (element or header path)."""
        super().__init__(f"{code}: {text}" + (f" ({where})" if where else ""))
        self.code = code
        self.text = text
        self.where = where


class Refused(GatewayError):
    """The message is wrong: tell the peer, never retry."""

    public = "message refused"


class Malformed(Refused):
    """Not readable as what it claims to be: MIME, XML, SOAP, ebMS header."""

    public = "message is malformed"

    def __init__(
        self, code: str, text: str, *, where: str = "", position: tuple[int, int] = (0, 0)
    ) -> None:
        """Keep line and column as well, from 1, where they are known."""
        super().__init__(code, text, where=where)
        self.position = position


class Untrusted(Refused):
    """Not proven to come unchanged from the party that it names."""

    public = "message failed security checks"


class SignatureInvalid(Untrusted):
    """A signature is missing, wrong, or does not cover what it must."""


class CertificateRejected(Untrusted):
    """A certificate is expired, revoked, of the wrong use, chain, or party."""


class DecryptionFailed(Untrusted):
    """A part can not be decrypted with our keys, or not as the agreement demands."""

    part = ""
    """Its Content-ID, as its sender made it up: told to that one, never written down."""


class SchemaViolation(Refused):
    """The document breaks its schema or a business rule; every finding is listed."""

    public = "document breaks the schema or a rule"

    def __init__(self, findings: tuple[Finding, ...], *, code: str = "") -> None:
        """Take the findings; the code is that of the first one unless given."""
        first = findings[0]
        super().__init__(code or first.code, first.text, where=first.path)
        self.findings = findings


class UnknownAgreement(Refused):
    """No agreement (CPA) covers this combination of parties, service and action."""

    public = "no agreement for this message"


class NoRoute(Refused):
    """The recipient is not known here or may not receive this message."""

    public = "recipient can not be reached"


class PolicyViolation(Refused):
    """Something the parties agreed on is not kept: sender, limits, permissions."""

    public = "message is not permitted"


class TooLarge(PolicyViolation):
    """A limit on size was passed while reading."""

    public = "message is too large"


class DuplicateConflict(Refused):
    """The id was used before for other content."""

    public = "identifier was used before for other content"


class Expired(Refused):
    """TimeToLive passed before the message could be taken in."""

    public = "time to live has passed"


class Unavailable(GatewayError):
    """Something is down: try again on schedule."""

    public = "temporarily unavailable"
    retry = True


class Limited(Unavailable):
    """One system asks more than its share; others are not hindered by it."""

    def __init__(self, code: str, text: str, *, seconds: int) -> None:
        """Say after how many whole seconds the same request may be let in."""
        super().__init__(code, text)
        self.seconds = seconds


class PeerUnreachable(Unavailable):
    """The partner could not be reached, or answered that it can not take messages now."""


class TransportUnproved(Unavailable):
    """The way to a mail server was not proved secure: nothing was said to it."""


class StoreUnavailable(Unavailable):
    """The database is full, locked, gone, or its queue is full."""


class RevocationUnknown(Unavailable):
    """No fresh revocation list: neither good nor revoked."""


class OutcomeUnknown(Unavailable):
    """It may have happened. Duplicate detection settles it; without that, a person does."""


class StaleSnapshot(Unavailable):
    """The security epoch moved while thinking: load again and think again."""


class Misconfigured(GatewayError):
    """Our own configuration is wrong: do not start."""


class IllegalTransition(GatewayError):
    """A bug: a state change that the lifecycle does not know."""

    def __init__(self, text: str) -> None:
        """Say which change was tried."""
        super().__init__("bug.transition", text)
