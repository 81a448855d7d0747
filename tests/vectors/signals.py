"""Signals that must not settle the delivery they are about.

The hub has sent a melding on to Veilig Thuis and waits; each vector is one signal.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
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
from gateway.wire.ebms2 import signals
from tests.flow import bad_input as bad
from tests.flow.town import HUB, POLITIE, VT, leaf
from tests.sealing import Keys


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
    code: str
    signal: Signal
    status: int = 204


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
        sender=PartyRef(recipe.sender),
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


def vector(name: str, code: str, *, status: int = 204, **steps: Any) -> SignalVector:
    return SignalVector(name=name, code=code, signal=Signal(**steps), status=status)


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
    vector("acknowledgment_unsigned", "signature.missing", signer=None),
    vector("acknowledgment_of_unknown_key", "signature.certificate", signer=bad.stranger),
    vector(
        "acknowledgment_with_key_of_other",
        "signature.certificate",
        signer=lambda: leaf(POLITIE, "sign"),
    ),
    vector(
        "acknowledgment_changed",
        "signature.digest",
        signed=bad.swap("signal-1@vt.example", "signal-2@vt.example"),
    ),
    vector("acknowledgment_digest_wrong", "signal.digests", references=other_digest),
    vector("acknowledgment_digest_too_few", "signal.digests", references=lambda r: r[:1]),
    vector("acknowledgment_without_digests", "signal.digests", references=lambda _r: ()),
    vector(
        "acknowledgment_digest_too_many",
        "signal.digests",
        references=lambda r: (*r, Reference("cid:more", r[0].digest_method, b"\0" * 32)),
    ),
    vector("acknowledgment_of_unknown_message", "signal.unknown", refers_to="other@x"),
    vector("acknowledgment_of_foreign_party", "signal.unknown", **by_police()),
    vector(
        "acknowledgment_foreign_under_agreement_of_other",
        "agreement.party",
        status=500,
        **by_police(agreement=VT),
    ),
    vector(
        "acknowledgment_over_foreign_connection",
        "peer.oin",
        status=500,
        peer=lambda: leaf(POLITIE, "tls"),
    ),
    vector(
        "acknowledgment_asks_for_acknowledgment",
        "header.inconsistent",
        unsigned=bad.add("//soap:Header", '<eb:AckRequested eb:version="2.0" eb:signed="true"/>'),
    ),
    vector(
        "acknowledgment_under_other_action",
        "header.bundled",
        status=500,
        header=lambda h: replace(h, action="MessageError"),
    ),
    vector("error_unsigned", "signature.missing", signer=None, error=True),
    vector("error_of_unknown_key", "signature.certificate", signer=bad.stranger, error=True),
    vector("error_of_foreign_party", "signal.unknown", **by_police(error=True)),
    vector(
        "error_over_foreign_connection",
        "peer.oin",
        status=500,
        error=True,
        peer=lambda: leaf(POLITIE, "tls"),
    ),
    vector("error_about_unknown_message", "signal.unknown", refers_to="other@x", error=True),
)
