"""What mail programs report about a mail of ours: delivered or not (DSN), shown or not (MDN).

A report is mail like any other, and anybody can write one. Only fields with a meaning of their own
are read, each by a grammar; text for people is skipped, and nothing of it is kept.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from gateway.errors import Malformed, Refused
from gateway.wire.mail_make import is_address, report
from gateway.wire.mail_read import Entity, Head, MailLimits, raw_parts, read_entity

MOST_RECIPIENTS = 100
"""That one report may tell about."""
LIMITS = MailLimits(octets=5_000_000, parts=3)
"""A report may carry the mail that it is about; that part is not looked into."""

_BLANK = b"\r\n\r\n"
_ACTION = re.compile(r"([A-Za-z]{1,20})(?:[ \t]*\(.*\))?")
_STATUS = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?:[ \t]*\(.*\))?")
_TYPED = re.compile(r"[Rr][Ff][Cc]822[ \t]*;[ \t]*<?([^<>\s]{3,254})>?")
_ENVELOPE_ID = re.compile(r"[!-~]{1,100}")
_DISPOSITION = re.compile(
    r"(?P<action>manual|automatic)-action[ \t]*/[ \t]*mdn-sent-(?:manually|automatically)"
    r"[ \t]*;[ \t]*(?P<type>[a-z]{1,20})"
    r"(?P<modifiers>(?:[ \t]*/[ \t]*[a-z0-9-]{1,40}(?:[ \t]*,[ \t]*[a-z0-9-]{1,40}){0,9})?)",
    re.IGNORECASE,
)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_EBMS_ID = re.compile(r"[!-~]{1,512}")

DIGEST = "X-Payload-SHA256"
EBMS_ID = "X-Ebms-Message-Id"
"""What a gateway adds to a notice: of which octets, and of which message."""


class Action(StrEnum):
    """What became of a mail at one recipient (RFC 3464, 2.3.3), the worst first."""

    FAILED = "failed"
    DELAYED = "delayed"
    RELAYED = "relayed"
    EXPANDED = "expanded"
    DELIVERED = "delivered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What is told of one recipient."""

    recipient: str
    """The address that we gave where it stands there, otherwise the final one; empty = another
    kind of address."""
    action: Action
    status: str
    """`2.0.0` (RFC 3463)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryReport:
    """A DSN (RFC 3464)."""

    envelope_id: str
    """As we gave it (ENVID); empty without."""
    told: tuple[Told, ...]
    mail: str
    """Message-ID (without `<>`) in what came back of the mail; empty without."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """An MDN (RFC 8098), with what a gateway adds when it took a message in."""

    message_id: str
    """Of the mail that it is about, without `<>`."""
    recipient: str
    """As `Told.recipient`."""
    type: str
    """`displayed`, `processed`, `deleted`, `dispatched` or another, in lower case."""
    by_hand: bool
    """A person did it."""
    failed: bool
    """It comes with the modifier `error`, or another that is not known."""
    digest: str
    """SHA-256 of the message that was taken in, hex; empty when no gateway says so."""
    ebms_message_id: str
    """Of that message; empty likewise."""

    @property
    def accepted(self) -> bool:
        """Whether a gateway says that it took the message in."""
        return self.type == "processed" and not self.failed and self.digest != ""

    @property
    def displayed(self) -> bool:
        """Whether the mail was shown to somebody."""
        return self.type == "displayed" and not self.failed


_TAKEN_IN = "automatic-action/MDN-sent-automatically; processed"
_FOR_A_PERSON = (
    "Een gateway heeft het bericht ontvangen. Wat de ontvanger ervan vindt, zegt zijn antwoord.\r\n"
    "A gateway received the message. What its receiver makes of it, his answer tells.\r\n"
)


def acknowledgement(*, mail: str, mailbox: str, digest: str, ebms_message_id: str) -> bytes:
    """Return the notice (an entity) that a gateway took in the message of a mail.

    `mail`: Message-ID (without `<>`) of that mail, which came for `mailbox`. Raises
    PolicyViolation `smime.header` for what can not stand in a field.
    """
    told = {
        "Final-Recipient": f"rfc822;{mailbox}",
        "Original-Message-ID": f"<{mail}>",
        "Disposition": _TAKEN_IN,
        DIGEST: digest,
        EBMS_ID: ebms_message_id,
    }
    return report(_FOR_A_PERSON, told, kind="disposition-notification")


def is_report(head: Head) -> bool:
    """Tell whether it says to be a report; raises as `Head.kind`."""
    return head.kind.name == "multipart/report"


def read_report(entity: Entity) -> DeliveryReport | Notice:
    """Return what a `multipart/report` (RFC 6522) tells.

    Raises Malformed `mail.report` for one that is not wholly by the grammar or of another kind,
    and what `raw_parts` and `read_entity` raise.
    """
    kind = entity.head.kind
    parts = tuple(raw_parts(entity, limits=LIMITS)) if is_report(entity.head) else ()
    if len(parts) not in {2, 3}:
        raise _bad()
    second = read_entity(parts[1], limits=LIMITS)
    of = second.head.kind.name
    if kind.parameters.get("report-type", "").lower() != of.removeprefix("message/"):
        raise _bad()
    match of:
        case "message/delivery-status":
            return _delivery_report(second.decoded(), mail=_returned(parts[2:]))
        case "message/disposition-notification":
            return _notice(second.decoded())
        case _:
            raise _bad()


def _bad() -> Malformed:
    return Malformed("mail.report", "report about a mail is not readable")


def _groups(octets: bytes) -> list[Head]:
    """Return the groups of fields that blank lines part."""
    groups = octets.strip(b"\r\n").split(_BLANK, MOST_RECIPIENTS + 1)
    if len(groups) > MOST_RECIPIENTS + 1:
        raise _bad()
    return [read_entity(group.strip(b"\r\n") + _BLANK, limits=LIMITS).head for group in groups]


def _returned(parts: tuple[bytes, ...]) -> str:
    """Return the Message-ID of the mail, or of its head, that came back; no report stands on it."""
    for part in parts:
        try:
            octets = read_entity(part, limits=LIMITS).decoded()
            return read_entity(octets.rstrip(b"\r\n") + _BLANK, limits=LIMITS).head.id("message-id")
        except Refused:
            continue
    return ""


def _delivery_report(octets: bytes, *, mail: str) -> DeliveryReport:
    of_all, *each = _groups(octets)
    envelope_id = of_all.one("original-envelope-id")
    if not each or (envelope_id and not _ENVELOPE_ID.fullmatch(envelope_id)):
        raise _bad()
    return DeliveryReport(envelope_id=envelope_id, told=tuple(map(_told, each)), mail=mail)


def _told(head: Head) -> Told:
    action = _ACTION.fullmatch(head.one("action"))
    status = _STATUS.fullmatch(head.one("status"))
    if action is None or status is None or action[1].lower() not in set(Action):
        raise _bad()
    return Told(recipient=_recipient(head), action=Action(action[1].lower()), status=status[1])


def _recipient(head: Head) -> str:
    final = head.one("final-recipient")
    if not final:
        raise _bad()
    found = _TYPED.fullmatch(head.one("original-recipient") or final)
    return found[1] if found and is_address(found[1]) else ""


def _notice(octets: bytes) -> Notice:
    groups = _groups(octets)
    head = groups[0]
    said = _DISPOSITION.fullmatch(head.one("disposition"))
    message_id = head.id("original-message-id")
    digest, ebms_id = head.one(DIGEST.lower()), head.one(EBMS_ID.lower())
    if len(groups) > 1 or said is None or not message_id:
        raise _bad()
    if not (_or_empty(_SHA256, digest) and _or_empty(_EBMS_ID, ebms_id)):
        raise _bad()
    return Notice(
        message_id=message_id,
        recipient=_recipient(head),
        type=said["type"].lower(),
        by_hand=said["action"].lower() == "manual",
        failed=bool(said["modifiers"]),
        digest=digest,
        ebms_message_id=ebms_id,
    )


def _or_empty(form: re.Pattern[str], value: str) -> bool:
    return not value or form.fullmatch(value) is not None
