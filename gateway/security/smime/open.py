"""From a mail that came in to what one known sender signed, for us.

The address on the outside is what anybody writes: it only says whose certificates to try. The
outermost entity is the envelope itself, what is in it is one signature, and what is signed holds
no other envelope or signature. So nothing that was not signed is ever beside something that was.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509

from gateway.errors import (
    CertificateRejected,
    DecryptionFailed,
    Malformed,
    SignatureInvalid,
    Untrusted,
)
from gateway.message import Oin
from gateway.security.certificates import Holder, TrustStore, Usage, load_agreed
from gateway.security.extensions import extension
from gateway.security.smime.enveloped import decrypt
from gateway.security.smime.recipients import Encryption, Keys
from gateway.security.smime.seal import EBMS_ID
from gateway.security.smime.signed import Verified, verify
from gateway.wire.mail_read import (
    Entity,
    Head,
    MailLimits,
    entities,
    is_automatic,
    is_multipart,
    raw_parts,
    read_entity,
)

SKEW = timedelta(minutes=5)
"""How far the clock of the signer may be ahead of ours."""
LONGEST_TEXT = 100_000
"""Characters of text that are kept for a person; the rest is in the mail itself."""

_SEALED = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_SIGNATURE = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature"})
_INSIDE = _SEALED | _SIGNATURE | {"multipart/signed", "multipart/encrypted"}
"""What would make a mail that was signed hold another one."""
_XML = re.compile(r"(?:application|text)/xml|application/[a-z0-9.+\-]+\+xml")
_BODY = frozenset({"text/plain", "text/html"})
_CHARSETS = frozenset({"utf-8", "us-ascii", "iso-8859-1", "iso-8859-15", "windows-1252"})
_UNSHOWN = re.compile(r"[^\w .,()@+=\-]")
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """Who may send us mail from one address."""

    party: Oin
    address: str
    certificates: tuple[bytes, ...]
    """DER, of those that sign there; empty = nobody."""
    encryption: Encryption = Encryption.GCM
    named: bool = False
    """The certificate must carry the address (RFC 8550, 3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """Something that no system reads."""

    name: str
    """As the sender called it, harmless characters only; empty when it can not be read."""
    kind: str
    """Media type, as the sender says."""
    octets: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a known sender signed, and encrypted for us."""

    party: Oin
    sender: str
    """Address on the outside: that of the `Sender` whose certificate signed."""
    holder: Holder
    signed_at: datetime | None
    message_id: str
    """Without `<>`; empty without. On the outside, unless `protected`."""
    in_reply_to: str
    """Likewise; the last of References where there is no In-Reply-To."""
    protected: bool
    """From, To and ids were signed too: of this sender, for this mailbox."""
    automatic: bool
    """It says, inside or outside, that no person wrote it (RFC 3834, 5)."""
    ebms_message_id: str
    """As it was signed; empty without."""
    payloads: tuple[bytes, ...]
    """The XML in it, decoded."""
    text: str
    """The first text in it, for a person; never HTML."""
    attachments: tuple[Attachment, ...]
    """All that is neither XML nor the body. With any, a person has to look."""
    content: bytes
    """The signed entity: the evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """What mail to us is opened with."""

    address: str
    certificates: tuple[bytes, ...]
    """DER; ours that partners may encrypt for, the newest first."""
    keys: Keys
    senders: tuple[Sender, ...]
    limits: MailLimits = field(default_factory=MailLimits)


def open_mail(octets: bytes, mailbox: Mailbox, *, trust: TrustStore, at: datetime) -> Opened:
    """Return what the mail (RFC 5322, as LMTP gave it) says, and who said it, at `at` (aware).

    Whether it came before is for the caller: by the message in it, whatever the channel.

    Raises TooLarge `smime.too_large`; Malformed `smime.head`, `.field`, `.parts`, `mime.*`;
    Untrusted `smime.sender` for an address that is not known, `.misdirected` for a mail that was
    signed for another or as another; DecryptionFailed `smime.unsealed` for a mail that is not an
    envelope as a whole, `decryption.failed`; SignatureInvalid `smime.unsigned`, `.nested`,
    `.signing_time`, `signature.*`; CertificateRejected `smime.address` and what
    `TrustStore.holder` raises; Misconfigured `keys.missing`.
    """
    # (1) Who says to have sent it: that selects certificates, nothing more.
    outside = read_entity(octets, limits=mailbox.limits)
    sender = _sender(outside.head, mailbox.senders)
    # (2) The whole of it is one envelope, and one of us can open it.
    inside = _decrypted(outside, sender, mailbox)
    # (3) The whole of that is one signature, by a certificate of the sender.
    verified = _verified(inside, sender, mailbox.limits)
    return _opened(outside, sender, verified, mailbox, trust=trust, at=at)


def open_signed(octets: bytes, mailbox: Mailbox, *, trust: TrustStore, at: datetime) -> Opened:
    """Return what a mail says that is signed as a whole and not encrypted: notices and answers.

    Who reads a message from it forgets that anybody could read it on the way. Raises as
    `open_mail` but for what is about the envelope; SignatureInvalid `smime.unsigned` for a mail
    that is not signed as a whole.
    """
    outside = read_entity(octets, limits=mailbox.limits)
    sender = _sender(outside.head, mailbox.senders)
    verified = _signed(outside, sender.certificates, mailbox.limits)
    return _opened(outside, sender, verified, mailbox, trust=trust, at=at)


def _opened(
    outside: Entity,
    sender: Sender,
    verified: Verified,
    mailbox: Mailbox,
    *,
    trust: TrustStore,
    at: datetime,
) -> Opened:
    # (4) The certificate counts now, and signed no later than now.
    holder = trust.holder(verified.certificate, Usage.MAIL_SIGN, at)
    _check_address(verified.certificate, sender)
    if verified.signed_at is not None and verified.signed_at > at + SKEW:
        raise SignatureInvalid("smime.signing_time", "mail was signed in the future")
    # (5) Only what was signed is read.
    signed = read_entity(verified.content, limits=mailbox.limits)
    protected = _check_head(signed.head, sender, mailbox)
    found = _sorted(entities(signed, limits=mailbox.limits))
    ids = signed.head if protected else outside.head
    return Opened(
        party=sender.party,
        sender=sender.address,
        holder=holder,
        signed_at=verified.signed_at,
        message_id=ids.id("message-id"),
        in_reply_to=ids.id("in-reply-to") or ids.last_id("references"),
        protected=protected,
        automatic=is_automatic(outside.head) or is_automatic(signed.head),
        ebms_message_id=signed.head.one(EBMS_ID.lower()),
        payloads=tuple(found.payloads),
        text=found.text,
        attachments=tuple(found.attachments),
        content=verified.content,
    )


def _sender(head: Head, senders: Iterable[Sender]) -> Sender:
    address = head.address("from").casefold()
    for sender in senders:
        if address and sender.address.casefold() == address:
            return sender
    raise Untrusted("smime.sender", "mail is from an address that is not known")


# --- envelope and signature -------------------------------------------------------------


def _decrypted(outside: Entity, sender: Sender, mailbox: Mailbox) -> bytes:
    if outside.head.kind.name not in _SEALED:
        raise DecryptionFailed("smime.unsealed", "mail is not encrypted as a whole")
    return decrypt(
        outside.decoded(),
        mailbox.certificates,
        mailbox.keys,
        maximum=mailbox.limits.octets,
        encryption=sender.encryption,
    )


def _verified(inside: bytes, sender: Sender, limits: MailLimits) -> Verified:
    try:
        return _signed(read_entity(inside, limits=limits), sender.certificates, limits)
    except (Malformed, Untrusted) as exc:
        if sender.encryption is Encryption.GCM:
            raise
        # Without a tag, whatever is wrong here may be the work of who changed the cipher text:
        # he learns no more than from an envelope that does not open (EFAIL).
        raise DecryptionFailed("decryption.failed", "message can not be decrypted") from exc


def _signed(inside: Entity, certificates: tuple[bytes, ...], limits: MailLimits) -> Verified:
    kind = inside.head.kind
    if kind.name in _SEALED:
        return verify(inside.decoded(), certificates)
    if kind.name != "multipart/signed":
        raise SignatureInvalid("smime.unsigned", "mail is not signed as a whole")
    parts = tuple(raw_parts(inside, limits=limits))
    if len(parts) != 2:  # noqa: PLR2004 - the content and its signature
        raise SignatureInvalid("signature.form", "a signed mail has two parts")
    signature = read_entity(parts[1], limits=limits)
    if signature.head.kind.name not in _SIGNATURE:
        raise SignatureInvalid("signature.form", "the second part is no signature")
    return verify(signature.decoded(), certificates, beside=parts[0])


def _check_address(certificate: bytes, sender: Sender) -> None:
    if not sender.named:
        return
    found = extension(load_agreed(certificate).extensions, x509.SubjectAlternativeName)
    names = [] if found is None else found.get_values_for_type(x509.RFC822Name)
    if sender.address.casefold() not in {name.casefold() for name in names}:
        raise CertificateRejected("smime.address", "certificate does not carry the address")


# --- what was signed --------------------------------------------------------------------


def _check_head(signed: Head, sender: Sender, mailbox: Mailbox) -> bool:
    """Tell whether From, To and Message-ID were signed; then they are of the sender and for us.

    Who can read a mail can encrypt it again, for somebody else.
    """
    if not (signed.one("from") or signed.one("to") or signed.one("message-id")):
        return False
    recipients = {one.casefold() for name in ("to", "cc") for one in signed.addresses(name)}
    if (
        signed.address("from").casefold() != sender.address.casefold()
        or mailbox.address.casefold() not in recipients
        or not signed.id("message-id")
    ):
        raise Untrusted(
            "smime.misdirected", "mail was signed for somebody else, or as somebody else"
        )
    return True


@dataclass(slots=True)
class _Found:
    payloads: list[bytes]
    attachments: list[Attachment]
    text: str = ""


def _sorted(found_entities: Iterable[Entity]) -> _Found:
    found = _Found([], [])
    bodies: set[str] = set()
    for entity in found_entities:
        kind = entity.head.kind
        if kind.name in _INSIDE:
            raise SignatureInvalid("smime.nested", "what was signed holds another signature")
        if is_multipart(kind):
            continue
        octets = entity.decoded()
        if _XML.fullmatch(kind.name):
            found.payloads.append(octets)
        elif kind.name in _BODY and kind.name not in bodies and not entity.head.is_attached:
            bodies.add(kind.name)
            if kind.name == "text/plain":
                found.text = _text(octets, kind.parameters.get("charset", "us-ascii"))
        else:
            name = _UNSHOWN.sub("_", entity.head.filename)[:_LONGEST_NAME]
            found.attachments.append(Attachment(name=name, kind=kind.name, octets=octets))
    return found


def _text(octets: bytes, charset: str) -> str:
    known = charset.lower() if charset.lower() in _CHARSETS else "us-ascii"
    return octets.decode(known, "replace")[:LONGEST_TEXT]
