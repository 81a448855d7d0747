"""Signals that must not settle the delivery they are about.

The hub has sent a melding on to Veilig Thuis and waits; each vector is one signal.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from gateway.directory import MSH_SERVICE, Agreement
from gateway.keys.test_pki import Leaf
from gateway.message import (
    Acknowledgment,
    EbmsError,
    ErrorList,
    Header,
    Inbound,
    Oin,
    PartyRef,
    Reference,
    WireMessage,
)
from gateway.security import seal
from gateway.security.algorithms import SHA512
from gateway.wire.ebms2 import signals
from tests.flow import bad_input as bad
from tests.flow.town import HUB, POLITIE, VT, leaf
from tests.sealing import Keys
from tests.vectors.topics import Topic


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """What the hub waits for: as the receiver saw it."""

    message_id: str
    conversation_id: str
    references: tuple[Reference, ...]
    at: datetime


REFUSED = EbmsError("Unknown", "Error", "//Header/MessageHeader", "refused")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """How a signal is made; by default a right Acknowledgment of Veilig Thuis."""

    sender: Oin = VT
    from_: PartyRef | None = None
    """In the Acknowledgment itself; the sender by default."""
    agreement: Oin = VT
    """The party whose agreement with the hub it names."""
    signer: Callable[[], Leaf] | None = lambda: leaf(VT, "sign")
    """None leaves it unsigned."""
    references: Callable[[tuple[Reference, ...]], tuple[Reference, ...]] = bad.same
    refers_to: str = ""
    error: bool = False
    says: EbmsError = REFUSED
    header: Callable[[Header], Header] = bad.same
    unsigned: Callable[[bad.Tree], None] = bad.nothing
    signed: bad.Octets = bad.same
    peer: Callable[[], Leaf] = lambda: leaf(VT, "tls")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalVector:
    name: str
    topic: Topic
    code: str
    signal: Signal
    status: int = 204
    says: str = ""
    """What is wrong, where the name does not tell."""


def make_signal(recipe: Signal, waiting: Waiting) -> WireMessage:
    agreed = bad.agreement(recipe.agreement)
    header = recipe.header(
        Header(
            sender=PartyRef(recipe.sender),
            receiver=PartyRef(HUB),
            cpa_id=agreed.cpa_id,
            conversation_id=waiting.conversation_id,
            service=MSH_SERVICE,
            action="MessageError" if recipe.error else "Acknowledgment",
            message_id="signal-1@vt.example",
            timestamp=waiting.at,
            ref_to_message_id=recipe.refers_to or waiting.message_id,
        )
    )
    envelope = (
        _error(header, recipe.says) if recipe.error else _acknowledgment(header, recipe, waiting)
    )
    recipe.unsigned(envelope)
    return seal.wire_signal(recipe.signed(_sign(envelope, agreed, recipe)))


def post(recipe: Signal, waiting: Waiting) -> Inbound:
    return bad.inbound(make_signal(recipe, waiting), recipe.peer().certificate, waiting.at)


def _acknowledgment(header: Header, recipe: Signal, waiting: Waiting) -> Any:
    body = Acknowledgment(
        timestamp=waiting.at,
        ref_to_message_id=recipe.refers_to or waiting.message_id,
        sender=recipe.from_ or PartyRef(recipe.sender),
        references=recipe.references(waiting.references),
    )
    return signals.acknowledgment(header, body)


def _error(header: Header, says: EbmsError) -> Any:
    return signals.message_error(header, ErrorList(highest_severity="Error", errors=(says,)))


def _sign(envelope: Any, agreed: Agreement, recipe: Signal) -> bytes:
    if recipe.signer is None:
        return seal.sign_signal(envelope, signing=None, signer=None)
    certificate = recipe.signer().certificate
    plain = next(iter(agreed.signals.values())).signing
    assert plain is not None
    return seal.sign_signal(
        envelope,
        signing=replace(plain, certificate=certificate),
        signer=Keys(recipe.signer()).signer(certificate),
    )


def other_digest(references: tuple[Reference, ...]) -> tuple[Reference, ...]:
    first, *rest = references
    return (replace(first, digest=b"\0" * 32), *rest)


def vector(
    name: str, topic: Topic, code: str, *, status: int = 204, says: str = "", **steps: Any
) -> SignalVector:
    return SignalVector(
        name=name, topic=topic, code=code, signal=Signal(**steps), status=status, says=says
    )


def by_police(**steps: Any) -> dict[str, Any]:
    """The police, with its own key, certificate and agreement."""
    own: dict[str, Any] = {
        "sender": POLITIE,
        "agreement": POLITIE,
        "signer": lambda: leaf(POLITIE, "sign"),
        "peer": lambda: leaf(POLITIE, "tls"),
    }
    return own | steps


TABLE = (
    vector("acknowledgment_unsigned", Topic.ACK_FORGED, "signature.missing", signer=None),
    vector(
        "acknowledgment_of_unknown_key",
        Topic.ACK_FORGED,
        "signature.certificate",
        signer=bad.stranger,
    ),
    vector(
        "acknowledgment_with_key_of_other",
        Topic.ACK_FORGED,
        "signature.certificate",
        signer=lambda: leaf(POLITIE, "sign"),
    ),
    vector(
        "acknowledgment_changed",
        Topic.ACK_FORGED,
        "signature.digest",
        signed=bad.swap("signal-1@vt.example", "signal-2@vt.example"),
        says="an Acknowledgment that was changed after signing",
    ),
    vector(
        "acknowledgment_digest_wrong", Topic.ACK_FORGED, "signal.digests", references=other_digest
    ),
    vector(
        "acknowledgment_digest_too_few",
        Topic.ACK_FORGED,
        "signal.digests",
        references=lambda r: r[:1],
    ),
    vector(
        "acknowledgment_without_digests",
        Topic.ACK_FORGED,
        "signal.digests",
        references=lambda _r: (),
    ),
    vector(
        "acknowledgment_digest_too_many",
        Topic.ACK_FORGED,
        "signal.digests",
        references=lambda r: (*r, Reference("cid:more", r[0].digest_method, b"\0" * 32)),
    ),
    vector(
        "acknowledgment_of_unknown_message",
        Topic.ACK_MISDIRECTED,
        "signal.unknown",
        refers_to="other@x",
    ),
    vector(
        "acknowledgment_of_foreign_party", Topic.ACK_MISDIRECTED, "signal.unknown", **by_police()
    ),
    vector(
        "acknowledgment_foreign_under_agreement_of_other",
        Topic.ACK_MISDIRECTED,
        "agreement.party",
        status=500,
        **by_police(agreement=VT),
        says="an Acknowledgment of another party under the CPA of the recipient",
    ),
    vector(
        "acknowledgment_over_foreign_connection",
        Topic.ACK_MISDIRECTED,
        "peer.oin",
        status=500,
        peer=lambda: leaf(POLITIE, "tls"),
        says="an Acknowledgment over the connection of another party",
    ),
    vector(
        "acknowledgment_asks_for_acknowledgment",
        Topic.ACK_FORGED,
        "header.inconsistent",
        unsigned=bad.add("//soap:Header", '<eb:AckRequested eb:version="2.0" eb:signed="true"/>'),
        says="an Acknowledgment that asks for one",
    ),
    vector(
        "acknowledgment_under_other_action",
        Topic.ACK_FORGED,
        "header.bundled",
        status=500,
        header=lambda h: replace(h, action="MessageError"),
        says="an Acknowledgment with the action of a MessageError",
    ),
    vector("error_unsigned", Topic.ERROR_FORGED, "signature.missing", signer=None, error=True),
    vector(
        "error_of_unknown_key",
        Topic.ERROR_FORGED,
        "signature.certificate",
        signer=bad.stranger,
        error=True,
    ),
    vector("error_of_foreign_party", Topic.ERROR_FORGED, "signal.unknown", **by_police(error=True)),
    vector(
        "error_over_foreign_connection",
        Topic.ERROR_FORGED,
        "peer.oin",
        status=500,
        error=True,
        peer=lambda: leaf(POLITIE, "tls"),
        says="a MessageError over the connection of another party",
    ),
    vector(
        "error_about_unknown_message",
        Topic.ERROR_FORGED,
        "signal.unknown",
        refers_to="other@x",
        error=True,
    ),
    vector(
        "acknowledgment_signed_by_us",
        Topic.ACK_FORGED,
        "signature.certificate",
        says="our own key, as if an answer of ours came back",
        signer=lambda: leaf(HUB, "sign"),
    ),
    vector(
        "acknowledgment_from_another",
        Topic.ACK_MISDIRECTED,
        "header.inconsistent",
        says="its From is not the party that sends it",
        from_=PartyRef(POLITIE),
    ),
    vector(
        "acknowledgment_about_two_messages",
        Topic.ACK_MISDIRECTED,
        "header.inconsistent",
        says="header and Acknowledgment refer to different messages",
        header=lambda h: replace(h, ref_to_message_id="other@x"),
    ),
    vector(
        "acknowledgment_to_another",
        Topic.ACK_MISDIRECTED,
        "agreement.receiver",
        status=500,
        header=lambda h: replace(h, receiver=PartyRef(POLITIE)),
    ),
    vector(
        "acknowledgment_too_late",
        Topic.TTL,
        "ttl.expired",
        header=lambda h: replace(h, time_to_live=h.timestamp),
    ),
    vector(
        "acknowledgment_from_the_future",
        Topic.SKEW,
        "header.timestamp",
        header=lambda h: replace(h, timestamp=h.timestamp + timedelta(minutes=6)),
    ),
    vector(
        "error_changed",
        Topic.ERROR_FORGED,
        "signature.digest",
        error=True,
        signed=bad.swap("refused", "delayed"),
        says="a MessageError that was changed after signing",
    ),
    vector(
        "error_about_nothing",
        Topic.ERROR_FORGED,
        "signal.unknown",
        error=True,
        header=lambda h: replace(h, ref_to_message_id=None),
        says="a MessageError that refers to no message",
    ),
    vector(
        "error_signed_by_us",
        Topic.ERROR_FORGED,
        "signature.certificate",
        error=True,
        signer=lambda: leaf(HUB, "sign"),
    ),
    vector(
        "acknowledgment_digest_twice",
        Topic.ACK_FORGED,
        "signal.digests",
        references=lambda r: (*r, r[0]),
    ),
    vector(
        "acknowledgment_digest_of_other_method",
        Topic.ACK_FORGED,
        "signal.digests",
        references=lambda r: (replace(r[0], digest_method=SHA512), *r[1:]),
    ),
)
