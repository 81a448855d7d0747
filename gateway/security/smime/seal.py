"""From released to a mail: signed inside, encrypted outside, and nothing of it on the envelope."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from gateway.errors import TooLarge
from gateway.rules.approval import Released
from gateway.security.algorithms import Signer
from gateway.security.certificates import TrustStore, Usage
from gateway.security.seal import check_released
from gateway.security.smime.enveloped import encrypt
from gateway.security.smime.recipients import Encryption
from gateway.security.smime.signed import sign
from gateway.wire import mail_make
from gateway.wire.mail_body import Body, body
from gateway.wire.mail_outside import Outside, fields, no_field
from gateway.wire.shown import show

RECEIVED = "Ontvangstbewijs"
EBMS_ID = "Ebms-Message-Id"
"""Inside only."""
TWICE = (
    "Mogelijk dubbel: dit bericht is ook langs de gewone weg verzonden, en kan daarlangs aankomen "
    "of al aangekomen zijn."
)
_OWN = ("From", "To", "Date", "Message-ID", "In-Reply-To", "Subject", "MIME-Version")
_OF_US = ("Auto-Submitted", "Disposition-Notification-To")
_OF_THE_WAY = ("Bcc", "Cc", "Reply-To", "Sender", "Return-Path", "Received", "References")
"""What else would change where a mail or its answer goes."""
_TAKEN = frozenset(
    name.casefold() for name in (*_OWN, *_OF_US, *_OF_THE_WAY, *mail_make.OF_AN_ENTITY)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """One message to one partner, before it is a mail."""

    payload: bytes
    """XML, the octets that were released."""
    ebms_message_id: str
    """What the message is known by over ebMS; the Message-ID follows from it."""
    sender: str
    """Our address."""
    recipient: str
    title: str
    """What a person reads above it, in Dutch: the name of the message. Inside only."""
    sentences: tuple[str, ...] = ()
    """What a person must know, in Dutch: why by e-mail, conditions of the OM. Inside only."""
    twice: bool = False
    """It may arrive by another channel too; the mail says so."""
    in_reply_to: str = ""
    """Message-ID (without `<>`) of the mail that it answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """How a notice of ours travels."""

    sender: str
    """Our address."""
    recipient: str
    message_id: str
    """Of the notice itself, without `<>`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipients:
    """Who can read the mail, as the partner's administration says."""

    certificates: tuple[bytes, ...]
    """DER, of the mailboxes behind the address: each gets the key wrapped for itself."""
    encryption: Encryption = Encryption.GCM
    header: tuple[str, str] | None = None
    """Name and value of the NTA 7516 header; None = none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What leaves."""

    octets: bytes
    """The whole message (RFC 5322): ASCII, lines of at most 255 octets, each ends in CRLF."""
    message_id: str
    """Without `<>`."""


def seal_mail(  # noqa: PLR0913 - each is another thing, by name
    released: Released,
    draft: Draft,
    *,
    to: Recipients,
    signer: Signer,
    trust: TrustStore,
    maximum: int,
    random: Callable[[int], bytes],
    at: datetime,
    chain: Iterable[bytes] = (),
) -> Mail:
    """Return the mail of exactly the payload that was released, for exactly these recipients.

    `maximum` is in octets of the whole mail: 2.6 times the payload and what a person reads.
    `random` gives that many unpredictable octets; `at` (aware) is now; `chain`: DER of the
    authorities that go with the signature, for mail programs.

    Raises, before anything leaves: IllegalTransition for other octets than the released ones;
    TooLarge `smime.too_large`; PolicyViolation `smime.header` for an address, id or header that
    can not stand in a mail, `encryption.key`; what `TrustStore.holder` raises for a certificate,
    ours or theirs, that is not good for mail now; Misconfigured `keys.algorithm`.
    """
    # (1) These octets were released, and there is no doubt that they fit.
    check_released(released, (draft.payload,))
    if len(draft.payload) > maximum:
        raise _too_large()
    # (2) The certificates count today.
    _check_certificates(signer, to, trust, at)
    # (3) What is said of it outside is said inside as well, where it is signed.
    outside = _outside_of(draft)
    head = outside.head(at) | {"Auto-Submitted": "auto-generated"}
    content = mail_make.letter(
        {**head, EBMS_ID: draft.ebms_message_id},
        _body(draft, released),
        draft.payload,
        name=_PAYLOAD,
    )
    # (4) Signed inside, encrypted outside.
    signed = signed_entity(content, signer, at=at, chain=chain)
    octets = sealed_entity(signed, _outside(head, draft, to), to, maximum=maximum, random=random)
    if len(octets) > maximum:
        raise _too_large()
    return Mail(octets=octets, message_id=outside.message_id)


def seal_notice(  # noqa: PLR0913 - each is another thing, by name
    notice: bytes,
    reply: Reply,
    *,
    to: Recipients,
    signer: Signer,
    trust: TrustStore,
    maximum: int,
    random: Callable[[int], bytes],
    at: datetime,
    chain: Iterable[bytes] = (),
) -> bytes:
    """Return the mail of a notice (an entity of ours without From and To); raises as `seal_mail`.

    It asks for no notice itself, and says that no person wrote it.
    """
    _check_certificates(signer, to, trust, at)
    head = fields(reply.sender, reply.recipient, reply.message_id, RECEIVED, at)
    head |= {"Auto-Submitted": "auto-replied"}
    content = mail_make.fields(head).encode("ascii") + notice
    signed = signed_entity(content, signer, at=at, chain=chain)
    return sealed_entity(signed, head | _header_of(to), to, maximum=maximum, random=random)


def _check_certificates(signer: Signer, to: Recipients, trust: TrustStore, at: datetime) -> None:
    trust.holder(signer.certificate, Usage.MAIL_SIGN, at)
    for certificate in to.certificates:
        trust.holder(certificate, Usage.MAIL_ENCRYPT, at)


def signed_entity(
    content: bytes, signer: Signer, *, at: datetime, chain: Iterable[bytes] = ()
) -> bytes:
    """Return the entity with a signature over the content, which is in it; raises as `sign`."""
    octets = sign(content, signer, at=at, chain=chain)
    return mail_make.entity({}, octets, kind=_kind("signed-data"), name=_FILE)


def sealed_entity(
    content: bytes,
    head: Mapping[str, str],
    to: Recipients,
    *,
    maximum: int,
    random: Callable[[int], bytes],
) -> bytes:
    """Return the entity with this head that only the recipients can read; raises as `encrypt`.

    The caller has judged the certificates.
    """
    octets = encrypt(
        content, to.certificates, maximum=maximum, random=random, encryption=to.encryption
    )
    return mail_make.entity(head, octets, kind=_kind(_TYPES[to.encryption]), name=_FILE)


_PAYLOAD, _FILE = "bericht.xml", "smime.p7m"
_TYPES = {
    Encryption.GCM: "authEnveloped-data",
    Encryption.UNSAFE_CBC: "enveloped-data",
    Encryption.UNSAFE_CBC_PKCS1: "enveloped-data",
}


def _kind(type_: str) -> str:
    return f'application/pkcs7-mime; smime-type={type_}; name="{_FILE}"'


def _outside_of(draft: Draft) -> Outside:
    return Outside(
        sender=draft.sender,
        recipient=draft.recipient,
        ebms_message_id=draft.ebms_message_id,
        in_reply_to=draft.in_reply_to,
    )


def _outside(head: dict[str, str], draft: Draft, to: Recipients) -> dict[str, str]:
    """Add what is about the way only; a notice that it was shown is asked for (RFC 8098)."""
    return head | {"Disposition-Notification-To": draft.sender} | _header_of(to)


def _header_of(to: Recipients) -> dict[str, str]:
    """Return the NTA 7516 header, where the partner wants one."""
    if to.header is None:
        return {}
    name, value = to.header
    if not is_free(name) or not value:
        raise no_field(name)
    return {name: value}


def is_free(name: str) -> bool:
    """Tell whether a mail can have a field of this name besides those that every mail has."""
    return name.casefold() not in _TAKEN


def _body(draft: Draft, released: Released) -> Body:
    sentences = (
        *((TWICE,) if draft.twice else ()),
        *draft.sentences,
        *(condition.text for condition in released.conditions),
    )
    return body(show(draft.payload), title=draft.title, sentences=sentences)


def _too_large() -> TooLarge:
    return TooLarge("smime.too_large", "message is too large for e-mail")
