"""Messages as they are sealed here: what a partner opens is what was released."""

from dataclasses import replace
from hashlib import sha256

from gateway.config import Canonical
from gateway.directory import Agreement
from gateway.errors import GatewayError, IllegalTransition, Malformed, PolicyViolation, TooLarge
from gateway.message import Acknowledgment, Header, Reference
from gateway.rules import approval
from gateway.security import algorithms as a
from gateway.security import seal
from gateway.security.algorithms import Signer
from gateway.security.open import open_message
from gateway.wire.ebms2 import plain, signals
from gateway.wire.ebms2.header import read
from tests import pki
from tests.fuzz.choices import Choices
from tests.fuzz.open_targets import LIMITS, POLICIES, PROFILES
from tests.fuzz.target import Broken, Target
from tests.sealing import agreement, header, keys, octets_from, payload, signal_header, trust

IDS = ("a@x", "a b", "é@x", "<&>\"'@x", "x" * 300, "%41@x", "]]>")
DOCUMENTS = (b"<a/>", b"\0" * 99, b"\r\n--=_b--\r\n", b"", b"a" * 30_000)
_CIPHERS = (a.AES256_GCM, a.AES128_GCM, a.AES256_CBC, a.TRIPLE_DES)


def seal_any(octets: bytes) -> None:
    choices = Choices(octets)
    agreed, policy = _agreed(choices), choices.one(POLICIES)()
    channel = agreed.bindings[0].channel
    signer = keys().signer(channel.signing.certificate) if channel.signing else None
    if choices.number(4) == 1:
        _acknowledge(agreed, signer, choices)
        return
    document = choices.one(DOCUMENTS)
    released = document if choices.number(8) != 1 else b"another"
    head = _head(header(agreed), choices)
    sealed = seal.sign_message(
        approval.own(sha256(released).hexdigest()),
        head,
        (payload(document),),
        channel=channel,
        signer=signer if choices.number(8) != 1 else None,
    )
    sent = seal.encrypt_message(
        sealed.envelope if choices.number(8) != 1 else document,
        (payload(document),),
        channel=channel,
        random=octets_from(),
        boundary="=_0123456789abcdef",
        policy=policy,
    )
    claimed = read(sent.body, sent.content_type, limits=LIMITS)
    found = open_message(
        claimed, agreed, trust=trust(), keyring=keys(), limits=LIMITS, at=pki.AT, policy=policy
    )
    if (found.header, [one.octets for one in found.payloads]) != (head, [document]):
        raise Broken("what is opened is not what was released")
    if found.references != sealed.references or released != document:
        raise Broken("something else was signed than was released")


def _agreed(choices: Choices) -> Agreement:
    agreed = agreement(choices.one(PROFILES))
    channel = agreed.bindings[0].channel
    if channel.signing is not None:
        canonical = choices.one(tuple(Canonical))
        channel = replace(channel, signing=replace(channel.signing, canonical=canonical))
    if channel.encryption is not None:
        wanted = {"algorithm": choices.one(_CIPHERS), "key_transport": choices.one(_TRANSPORTS)}
        channel = replace(channel, encryption=replace(channel.encryption, **wanted))
    return replace(agreed, bindings=(replace(agreed.bindings[0], channel=channel),))


_TRANSPORTS = (a.RSA_OAEP, a.RSA_15)


def _head(head: Header, choices: Choices) -> Header:
    for _ in choices.times(2):
        name = choices.one(("message_id", "conversation_id", "ref_to_message_id"))
        head = replace(head, **{name: choices.one(IDS)})
    return replace(head, sync_reply=False)


def _acknowledge(agreed: Agreement, signer: Signer | None, choices: Choices) -> None:
    """A signal as it goes out: as a text where that can be, else as a tree."""
    head = _head(signal_header("Acknowledgment"), choices)
    ack = Acknowledgment(
        timestamp=pki.AT,
        ref_to_message_id=choices.one(IDS),
        references=(Reference("", a.SHA256, b"\0" * 32),),
    )
    envelope = plain.acknowledgment(head, ack) or signals.acknowledgment(head, ack)
    signing = agreed.bindings[0].channel.signing
    sent = seal.wire_signal(seal.sign_signal(envelope, signing=signing, signer=signer))
    claimed = read(sent.body, sent.content_type, limits=LIMITS)
    if (claimed.header, claimed.content) != (head, ack):
        raise Broken("a signal says something else than was meant")


TARGETS = (
    Target(
        name="sealed",
        run=seal_any,
        seeds=lambda: (bytes((n, k)) for n in range(len(PROFILES)) for k in range(2)),
        raises=(
            (IllegalTransition, ("bug.transition",)),
            (GatewayError, ("payload.tampered",)),
            (PolicyViolation, ("encryption.", "header.inconsistent")),
            (Malformed, ("header.", "mime.missing_part")),
            (TooLarge, ("payload.too_large",)),
        ),
    ),
)
