"""`open`, whole: a message that is really signed and encrypted, changed at any of its steps.

The input chooses the message, and what is changed: by its sender before signing, by somebody on
the way behind it, and in the cipher text, the package and the octets. What opens is held against
what the sender signed.
"""

from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from lxml import etree

from gateway.config_algorithms import Weakness
from gateway.directory import Agreement, Channel, Limits, Signing
from gateway.errors import (
    CertificateRejected,
    DecryptionFailed,
    Expired,
    GatewayError,
    Malformed,
    PolicyViolation,
    SignatureInvalid,
    TooLarge,
    UnknownAgreement,
)
from gateway.keys.test_pki import Leaf
from gateway.message import (
    Acknowledgment,
    Manifest,
    Part,
    PartyRef,
    Payload,
    Reference,
    WireMessage,
)
from gateway.security import algorithms as a
from gateway.security.algorithms import DIGIKOPPELING, AlgorithmPolicy
from gateway.security.c14n import canonicalize
from gateway.security.dsig import SIGNATURE, leave_out_next
from gateway.security.dsig_make import serialize, sign_envelope
from gateway.security.open import Opened, open_message
from gateway.security.weak import policy_for
from gateway.security.xenc import encrypt_part
from gateway.wire import xml
from gateway.wire.ebms2 import signals
from gateway.wire.ebms2.header import Claimed, read, read_envelope, user_message
from gateway.wire.mime import join
from tests import pki
from tests.fuzz.changes import octets_changed
from tests.fuzz.choices import Choices
from tests.fuzz.target import Broken, Target, Unmade
from tests.fuzz.tree_changes import tree_changed, xml_changed
from tests.parties import PARTIES
from tests.sealing import (
    ALICE,
    BOB,
    DOCUMENT,
    agreement,
    header,
    keys,
    octets_from,
    signal_header,
    trust,
)
from tests.smime import on_curve, signer_of
from tests.weak import allowing, encrypted

LIMITS = Limits(payload_bytes=20_000, header_bytes=60_000)
PROFILES = ("osb-rm-e", "osb-rm-s", "osb-be-e", "osb-be-s", "osb-rm", "osb-be")
PAYLOADS = (DOCUMENT, b"", b"<a/>", b"\0\xff" * 8, b"A" * 20_001)
CIDS = ("payload-1@alice.example", "payload-2@alice.example", "p%33@alice.example")
_BOUNDARY = "=_0123456789abcdef"


@cache
def lenient() -> AlgorithmPolicy:
    """Return what counts for a partner with every exception there is."""
    return policy_for(allowing(PARTIES[0], *Weakness), pki.AT)


def forged(leaf: Leaf) -> Leaf:
    """Return a certificate with the key of somebody else."""
    return replace(leaf, key=on_curve(pki.OM).key)


POLICIES = (lambda: DIGIKOPPELING, lenient)
TRUSTED = 4
"""The first of the signers: what the others sign never opens."""
SIGNERS = (
    lambda: (on_curve(ALICE), a.ECDSA_SHA256, a.SHA256),
    lambda: (pki.leaf(ALICE, "sign"), a.RSA_SHA256, a.SHA256),
    lambda: (pki.leaf(ALICE, "sign"), a.RSA_SHA512, a.SHA512),
    lambda: (on_curve(ALICE, curve="P-384"), a.ECDSA_SHA384, a.SHA384),
    lambda: (forged(on_curve(ALICE)), a.ECDSA_SHA256, a.SHA256),
    lambda: (on_curve(BOB), a.ECDSA_SHA256, a.SHA256),
    lambda: (pki.expired(), a.RSA_SHA256, a.SHA256),
    lambda: (pki.unknown_issuer(), a.RSA_SHA256, a.SHA256),
    lambda: (pki.weak(), a.RSA_SHA256, a.SHA256),
)
CIPHERS_USED = (
    None,
    (a.AES256_GCM, a.RSA_OAEP_MGF1P),
    (a.AES256_CBC, a.RSA_OAEP_MGF1P),
    (a.TRIPLE_DES, a.RSA_15),
    (a.AES128_CBC, a.RSA_15),
)
CANONICAL = (a.C14N_EXCLUSIVE, a.C14N_INCLUSIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message on its way, and what its sender signed of it."""

    agreement: Agreement
    policy: AlgorithmPolicy
    body: bytes
    kind: str
    payloads: Mapping[str, bytes]
    canonical: bytes
    """Of the envelope as it was signed; empty where nothing is signed, or anew behind changes."""
    trusted: bool
    """Whoever signed it may; also where nothing is signed."""


def open_any(octets: bytes) -> None:
    sent = _sent(Choices(octets))
    claimed = read(sent.body, sent.kind, limits=LIMITS)
    _same_by_the_long_way(claimed, sent)
    opened = _opened(claimed, sent)
    if opened.signer is not None and not sent.trusted:
        raise Broken("opened by a signature that does not count")
    if sent.canonical:
        _check(opened, sent)


def _opened(claimed: Claimed, sent: Sent) -> Opened:
    return open_message(
        claimed,
        sent.agreement,
        trust=trust(),
        keyring=keys(),
        limits=LIMITS,
        at=pki.AT,
        policy=sent.policy,
    )


def _same_by_the_long_way(claimed: Claimed, sent: Sent) -> None:
    """An envelope that needs no parser is judged with one as well."""
    if claimed.plain is None:
        return
    slowly = replace(claimed, plain=None, parsed=xml.parse(claimed.root))
    told = [_told(one, sent) for one in (claimed, slowly)]
    if told[0] != told[1]:
        raise Broken("with and without a parser it is judged otherwise")


def _told(claimed: Claimed, sent: Sent) -> object:
    try:
        found = _opened(claimed, sent)
    except GatewayError as error:
        return type(error), error.code
    return found.header, found.content, found.payloads, found.references, found.signer


def _check(opened: Opened, sent: Sent) -> None:
    if opened.signer is None:
        if isinstance(opened.content, Manifest):
            raise Broken("a message was opened without its signature")
        return
    if {one.content_id: one.octets for one in opened.payloads} != sent.payloads:
        raise Broken("payloads are not those that were signed")
    head, content = read_envelope(xml.parse(sent.canonical))
    if (replace(opened.header, sync_reply=head.sync_reply), opened.content) != (head, content):
        raise Broken("header is not the one that was signed")


# --- making ---------------------------------------------------------------------------


def _sent(choices: Choices) -> Sent:
    profile, policy = choices.one(PROFILES), choices.one(POLICIES)()
    who = choices.number(len(SIGNERS))
    leaf, by, digests = SIGNERS[who]()
    agreed = _agreed(profile, leaf, by, digests)
    payloads = {cid: choices.one(PAYLOADS) for cid in CIDS[: choices.one((1, 2, 0, 3))]}
    is_signal = choices.number(8) == 1
    try:
        envelope = _signal(agreed) if is_signal else user_message(header(agreed), tuple(payloads))
        for _ in choices.times(2):
            tree_changed(envelope, choices)
        channel = agreed.signals[ALICE] if is_signal else agreed.bindings[0].channel
        payloads = {} if is_signal else payloads
        canonical, octets = b"", serialize(envelope)
        if channel.signing is not None:
            canonical, octets = _signed(
                envelope, payloads, channel.signing, leaf, choices.one(CANONICAL)
            )
        octets, resigned = _changed(octets, leaf, by, choices)
    except (etree.LxmlError, ValueError, GatewayError) as error:
        raise Unmade from error
    parts = tuple(_part(cid, one, channel, policy, choices) for cid, one in payloads.items())
    message = _packed(octets, parts, choices)
    return Sent(
        agreement=agreed,
        policy=policy,
        body=message.body,
        kind=message.content_type,
        payloads=payloads,
        canonical=b"" if resigned else canonical,
        trusted=who < TRUSTED,
    )


@cache
def _agreed(profile: str, leaf: Leaf, by: str, digests: str) -> Agreement:
    plain = agreement(profile)
    given = Signing(signature_algorithm=by, digest_algorithm=digests, certificate=leaf.certificate)
    binding = plain.bindings[0]
    if binding.channel.signing is None:
        return plain
    channel = replace(binding.channel, signing=given)
    of_alice = plain.signals[ALICE]
    signals_ = plain.signals | {
        ALICE: of_alice if of_alice.signing is None else replace(of_alice, signing=given)
    }
    return replace(plain, bindings=(replace(binding, channel=channel),), signals=signals_)


def _signal(agreed: Agreement) -> etree._Element:
    """Alice acknowledges what Bob sent."""
    head = signal_header(
        "Acknowledgment", sender=PartyRef(ALICE), receiver=PartyRef(BOB), cpa_id=agreed.cpa_id
    )
    ack = Acknowledgment(
        timestamp=pki.AT,
        ref_to_message_id="message-1@alice.example",
        references=(Reference("", a.SHA256, b"\0" * 32),),
    )
    return signals.acknowledgment(head, ack)


def _signed(
    envelope: etree._Element,
    payloads: Mapping[str, bytes],
    given: Signing,
    leaf: Leaf,
    canonicalization: str,
) -> tuple[bytes, bytes]:
    signed = sign_envelope(
        envelope, payloads, signing=given, signer=signer_of(leaf), canonicalization=canonicalization
    )
    bare = xml.parse(serialize(envelope))
    leave_out_next(bare)
    return canonicalize(bare, a.C14N_EXCLUSIVE), signed.envelope


def _changed(octets: bytes, leaf: Leaf, by: str, choices: Choices) -> tuple[bytes, bool]:
    """Change the signed envelope, and perhaps sign what SignedInfo then says."""
    count = choices.number(4)
    if not count:
        return octets, False
    tree = xml.parse(octets)
    signature = next(tree.iter(SIGNATURE), None)
    within = tree if signature is None or choices.flag() else signature
    for _ in range(count):
        tree_changed(within, choices)
    resigned = choices.number(4) == 1
    if resigned:
        info, value = (tree.find(f".//{{*}}{name}") for name in ("SignedInfo", "SignatureValue"))
        if info is None or value is None:
            raise Unmade
        signed = signer_of(leaf).sign(canonicalize(info, a.C14N_EXCLUSIVE), algorithm=by)
        value.text = b64encode(signed).decode()
    return serialize(tree), resigned


def _part(
    cid: str, octets: bytes, channel: Channel, policy: AlgorithmPolicy, choices: Choices
) -> Part:
    if choices.number(8) == 1:
        octets = octets_changed(octets, choices)
    by = choices.one(CIPHERS_USED)
    if channel.encryption is None and by is None:
        return Part(cid, "application/xml", octets)
    certificate = pki.leaf(BOB if choices.number(8) != 1 else ALICE, "encrypt").certificate
    if by is None:
        encryption = replace(channel.encryption, certificate=certificate)
        payload = Payload(content_id=cid, octets=octets)
        made = encrypt_part(
            payload, encryption, media_type="application/xml", random=octets_from(), policy=policy
        )
    else:
        made = encrypted(cid, octets, certificate, cipher=by[0], transport=by[1])
    if choices.number(4) == 1:
        return replace(made, octets=xml_changed(made.octets, choices))
    return made


def _packed(envelope: bytes, parts: tuple[Part, ...], choices: Choices) -> WireMessage:
    if choices.number(8) == 1 and parts:
        parts = (*parts, choices.one(parts))
    if choices.number(8) == 1:
        parts = parts[::-1][choices.number(2) :]
    message = join(envelope, "envelope@alice.example", parts, boundary=_BOUNDARY)
    body = message.body
    for _ in choices.times(2):
        body = octets_changed(body, choices)
    return replace(message, body=body)


def open_seeds() -> Iterator[bytes]:
    """Every profile, signer, canonicalisation and cipher, unchanged."""
    for profile in range(len(PROFILES)):
        for signer in range(4):
            yield bytes((profile, 0, signer))
    yield from (bytes((profile, 0, 0, count)) for profile in (0, 5) for count in range(4))
    for cipher in range(len(CIPHERS_USED)):
        yield bytes((0, 1, 0, 0, 0, 0, 0, 0, 0, 0, cipher))
    yield from (bytes((profile, 0, signer, 0, 0, 1)) for profile in (0, 1, 4) for signer in (0, 1))
    yield from (bytes((0, 0, 0, 0, 0, 0, 0, 1)), bytes((0, 0, 0, 0, 0, 0, 0, 0, 1, 5, 5, 5)))


# --- the table ------------------------------------------------------------------------

TARGETS = (
    Target(
        name="open",
        run=open_any,
        seeds=open_seeds,
        raises=(
            (Malformed, ("mime.", "xml.", "soap.envelope", "header.")),
            (PolicyViolation, ("header.not_supported", "header.inconsistent")),
            (UnknownAgreement, ("agreement.party", "agreement.action", "agreement.signals")),
            (SignatureInvalid, ("signature.",)),
            (CertificateRejected, ("certificate.",)),
            (TooLarge, ("payload.too_large",)),
            (Expired, ("ttl.expired",)),
            (DecryptionFailed, ("decryption.",)),
        ),
        share=4,
    ),
)
