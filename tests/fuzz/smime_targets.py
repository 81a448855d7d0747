"""Secure e-mail: as a partner signs and encrypts it, changed at any step; and made here."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.errors import (
    CertificateRejected,
    DecryptionFailed,
    Misconfigured,
    PolicyViolation,
    SignatureInvalid,
    TooLarge,
    Untrusted,
)
from gateway.keys.keystore import SoftwareSigner
from gateway.keys.test_pki import Leaf
from gateway.rules import approval
from gateway.security.algorithms import RSA_SHA256
from gateway.security.dkim import DkimKey, signed_by
from gateway.security.smime import (
    Draft,
    Encryption,
    Recipients,
    open_mail,
    seal_mail,
)
from gateway.security.smime.der import (
    NULL,
    OCTET_STRING,
    SEQUENCE,
    SET,
    Reader,
    encode,
    oid,
    only,
    tagged,
)
from gateway.security.smime.enveloped import encrypt
from gateway.security.smime.open import open_signed
from gateway.security.smime.seal import Reply, seal_notice
from gateway.security.smime.signatures import sign_value
from gateway.security.smime.signed import sign
from gateway.wire import mail_make
from gateway.wire.mail_read import MailLimits
from gateway.wire.mail_reports import acknowledgement
from tests import pki
from tests.fuzz.choices import Choices
from tests.fuzz.der_changes import der_changed
from tests.fuzz.mail_targets import LETTER, READING, WORDS, notice
from tests.fuzz.open_targets import forged
from tests.fuzz.target import Broken, Target, Unmade
from tests.fuzz.wire_targets import package_changed
from tests.sealing import load_key, octets_from, trust
from tests.smime import (
    ALICE_ADDRESS,
    BOB_ADDRESS,
    alice,
    bob,
    document,
    draft,
    mailbox,
    on_curve,
    rsa_signer,
    signer_of,
)

MAXIMUM = 200_000

# --- S/MIME ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    octets: bytes
    signed: frozenset[bytes]
    """Contents that a key of Alice signed, as they stand in the message."""
    encryption: Encryption
    sealed: bool


KEYS = (
    on_curve,
    lambda: pki.leaf(pki.POLITIE, "sign"),
    lambda: on_curve(curve="P-384"),
    pki.expired,
    lambda: forged(on_curve()),
    lambda: on_curve(pki.KNOOPPUNT),
)
TRUSTED = 3
"""The first of these: what the others sign never opens."""
OURS = (
    lambda: on_curve(pki.KNOOPPUNT, "encrypt"),
    bob,
    lambda: on_curve(pki.KNOOPPUNT, "encrypt", "P-384"),
    lambda: on_curve(pki.OM, "encrypt"),
)
MOMENTS = (timedelta(0), timedelta(minutes=4), timedelta(minutes=6), timedelta(days=365 * 30))


def open_any(octets: bytes) -> None:
    """Whatever opens is what a key of the sender signed, whole."""
    posted = _posted(Choices(octets))
    known = tuple(key().certificate for key in KEYS[: TRUSTED + 1])
    senders = alice(certificates=known, encryption=posted.encryption)
    box = replace(
        mailbox(senders, keys=tuple(one() for one in OURS[:3])), limits=MailLimits(octets=400_000)
    )
    opens = open_mail if posted.sealed else open_signed
    found = opens(posted.octets, box, trust=trust(), at=pki.AT)
    if found.content not in posted.signed:
        raise Broken("what was opened is not what was signed")
    if found.protected and BOB_ADDRESS.encode() not in found.content.lower():
        raise Broken("what was signed for another is opened")


def _posted(choices: Choices) -> Posted:
    who = choices.number(len(KEYS))
    leaf, ours = KEYS[who](), choices.one(OURS)()
    encryption = choices.one(tuple(Encryption))
    content = choices.one(_contents())
    for _ in choices.times(2):
        content = package_changed(content, choices)
    try:
        inside = _signed(content, leaf, choices)
        sealed = choices.number(4) != 1
        outside = _sealed(inside, ours, encryption, choices) if sealed else _headed(inside, choices)
    except (IndexError, PolicyViolation, Misconfigured, ValueError) as error:
        raise Unmade from error
    for _ in choices.times(1):
        outside = package_changed(outside, choices)
    return Posted(
        octets=outside,
        signed=frozenset({content} if who < TRUSTED else ()),
        encryption=encryption,
        sealed=sealed,
    )


def _signed(content: bytes, leaf: Leaf, choices: Choices) -> bytes:
    """Return the entity with a signature over the content: in it, or beside it."""
    signer = signer_of(leaf)
    signature = sign(content, signer, at=pki.AT + choices.one(MOMENTS))
    if choices.number(8) == 1:
        signature = signature.replace(content, content[:-1] + b"x")
    changed = choices.times(3)
    for _ in changed:
        signature = der_changed(signature, choices)
    if changed and choices.flag():
        signature = _signed_again(signature, signer, old=choices.flag())
    if choices.number(3) != 1:
        return mail_make.entity({}, signature, kind=choices.one(_INSIDE))
    beside = mail_make.entity({}, _detached(signature), kind="application/pkcs7-signature")
    if choices.number(8) == 1:
        content = package_changed(content, choices)
    lines = (b'Content-Type: multipart/signed; boundary="=_m"', b"", b"--=_m", content, b"--=_m")
    return b"\r\n".join((*lines, beside, b"--=_m--", b""))


def _detached(signature: bytes) -> bytes:
    """Take the content out of a SignedData."""
    info = only(signature, SEQUENCE)
    kind, wrapped = info.element(), Reader(info.take(tagged(0)))
    fields = wrapped.inside(SEQUENCE)
    before = fields.element() + fields.element()
    encapsulated = fields.inside(SEQUENCE)
    rest = b""
    name = encapsulated.element()
    while fields.more:
        rest += fields.element()
    return encode(
        SEQUENCE, kind, encode(tagged(0), encode(SEQUENCE, before, encode(SEQUENCE, name), rest))
    )


def _signed_again(signature: bytes, signer: SoftwareSigner, *, old: bool) -> bytes:
    """Sign the attributes of a SignedData as they stand there now; `old` as others may."""
    info = only(signature, SEQUENCE)
    kind, wrapped = info.element(), Reader(info.take(tagged(0)))
    fields, elements = wrapped.inside(SEQUENCE), list[bytes]()
    while fields.more:
        elements.append(fields.element())
    of_signer, parts = only(elements[-1], SET).inside(SEQUENCE), list[bytes]()
    while of_signer.more:
        parts.append(of_signer.element())
    attributes = only(parts[3], tagged(0))
    octets = b""
    while attributes.more:
        octets += attributes.element()
    said = encode(SET, octets)
    algorithm, value = sign_value(said, signer)
    if old:
        algorithm = encode(SEQUENCE, oid("1.2.840.113549.1.1.1"), NULL)
        value = signer.sign(said, algorithm=RSA_SHA256)
    parts[4:6] = [algorithm, encode(OCTET_STRING, value)]
    elements[-1] = encode(SET, encode(SEQUENCE, *parts))
    return encode(SEQUENCE, kind, encode(tagged(0), encode(SEQUENCE, *elements)))


def _sealed(inside: bytes, ours: Leaf, encryption: Encryption, choices: Choices) -> bytes:
    recipients = (ours.certificate, *(one().certificate for one in OURS[: choices.number(3)]))
    octets = encrypt(
        inside, recipients, maximum=MAXIMUM, random=octets_from(), encryption=encryption
    )
    for _ in choices.times(2):
        octets = der_changed(octets, choices)
    head = {"From": choices.one(_FROM), "To": BOB_ADDRESS, "Message-ID": "<o@x.example>"}
    return mail_make.entity(head, octets, kind=choices.one(_OUTSIDE))


def _headed(inside: bytes, choices: Choices) -> bytes:
    return f"From: {choices.one(_FROM)}\r\nTo: {BOB_ADDRESS}\r\n".encode() + inside


_FROM = (ALICE_ADDRESS, ALICE_ADDRESS.upper(), f"A <{ALICE_ADDRESS}>", "c@z.example", "a, b")
_INSIDE = (
    "application/pkcs7-mime; smime-type=signed-data",
    "application/x-pkcs7-mime",
    "text/plain",
)
_OUTSIDE = ("application/pkcs7-mime", "application/x-pkcs7-mime; name=a", "multipart/encrypted")


@cache
def _contents() -> tuple[bytes, ...]:
    """Return what a partner may sign: a letter of ours, of others, and a notice."""
    made = draft()
    head = f"From: {ALICE_ADDRESS}\r\nTo: {BOB_ADDRESS}\r\nMessage-ID: <i@x.example>\r\n".encode()
    own = (
        head
        + b"X-Ebms-Message-Id: e@x\r\n"
        + mail_make.entity({}, made.payload, kind="application/xml", name="bericht.xml")
    )
    stranger = head.replace(BOB_ADDRESS.encode(), b"z@z.example") + b"\r\ntekst"
    return (
        own,
        LETTER,
        LETTER.partition(b"Content")[1] + LETTER.partition(b"Content")[2],
        head + notice().partition(b"\r\n")[2],
        stranger,
        b"\r\ntekst",
        document(),
    )


def smime_seeds() -> Iterator[bytes]:
    yield from (
        bytes((key, ours, encryption))
        for key in range(3)
        for ours in range(3)
        for encryption in range(3)
    )
    yield from (bytes((0, 0, 0, content)) for content in (0, 2, 5))
    yield bytes((0, 0, 0, 0, 0, 0, 0, 1))
    yield bytes((0, 0, 0, 0, 0, 0, 0, 0, 1))
    yield bytes((0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 6, 0, 1))


# --- sealing --------------------------------------------------------------------------


def seal_any(octets: bytes) -> None:
    """What is sealed for a partner opens there, and says what was released."""
    choices = Choices(octets)
    ours, encryption = choices.one(OURS)(), choices.one(tuple(Encryption))
    made = _draft(choices)
    given = {
        "to": Recipients(
            certificates=(ours.certificate,),
            encryption=encryption,
            header=choices.one((None, ("NTA7516", "x"), ("Subject", "x"), ("X-\r\n", "x"))),
        ),
        "signer": choices.one((lambda: signer_of(on_curve()), rsa_signer))(),
        "trust": trust(),
        "maximum": choices.one((MAXIMUM, 10)),
        "random": octets_from(),
        "at": pki.AT,
        "chain": choices.one(((), (pki.pki().issuing,))),
    }
    released = approval.own(sha256(made.payload).hexdigest())
    sealed = seal_mail(released, made, **given)
    sender = alice(
        address=made.sender,
        certificates=(given["signer"].certificate,),
        encryption=encryption,
    )
    box = replace(mailbox(sender, keys=(ours,)), address=made.recipient)
    found = open_mail(sealed.octets, box, trust=trust(), at=pki.AT)
    if found.payloads != (made.payload,) or found.ebms_message_id != made.ebms_message_id:
        raise Broken("what is opened is not what was sealed")
    if (found.message_id, found.protected) != (sealed.message_id, True):
        raise Broken("what is opened has another id than was sealed")
    reply = Reply(sender=made.recipient, recipient=made.sender, message_id="r@x.example")
    notice = acknowledgement(
        mail=found.message_id,
        mailbox=made.recipient,
        digest=sha256(made.payload).hexdigest(),
        ebms_message_id=found.ebms_message_id,
    )
    seal_notice(notice, reply, **given)
    passed_on = signed_by(_domain_keys(), sealed.octets, pki.AT)
    if open_mail(passed_on, box, trust=trust(), at=pki.AT) != found:
        raise Broken("under a signature of our domain it is another mail")


@cache
def _domain_keys() -> tuple[DkimKey, ...]:
    keys = (
        load_key(pki.leaf(pki.POLITIE, "tls").key),
        Ed25519PrivateKey.from_private_bytes(b"k" * 32),
    )
    made = tuple(DkimKey(domain="x.example", selector="a", private=key) for key in keys)
    if any(f"{key.kind} {key.name} {key.published}".count(" ") != 2 for key in made):
        raise Broken("a key can not be published")
    return made


def _draft(choices: Choices) -> Draft:
    base = draft()
    for _ in choices.times(3):
        name = choices.one(("ebms_message_id", "sender", "recipient", "title", "in_reply_to"))
        base = replace(base, **{name: choices.one(WORDS)})
    sentences = choices.one(((), ("Een zin.", "<b>&\r\n.")))
    payload = choices.one((base.payload, b"<a/>", b"\0", b""))
    return replace(base, sentences=sentences, twice=choices.flag(), payload=payload)


# --- the table ------------------------------------------------------------------------

TARGETS = (
    Target(
        name="smime",
        run=open_any,
        seeds=smime_seeds,
        raises=(
            *READING,
            (Untrusted, ("smime.sender", "smime.misdirected")),
            (DecryptionFailed, ("smime.unsealed", "decryption.failed")),
            (
                SignatureInvalid,
                ("smime.unsigned", "smime.nested", "smime.signing_time", "signature."),
            ),
            (CertificateRejected, ("smime.address", "certificate.")),
        ),
        share=4,
    ),
    Target(
        name="smime-made",
        run=seal_any,
        seeds=lambda: (bytes((ours, encryption)) for ours in range(3) for encryption in range(3)),
        raises=(
            (TooLarge, ("smime.too_large",)),
            (PolicyViolation, ("smime.header",)),
            (CertificateRejected, ("certificate.",)),
        ),
    ),
)
