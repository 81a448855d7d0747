"""The channels of a CPA: what holds for messages and for signals in one direction."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from lxml import etree

from gateway.cpa_rules import CpaRule
from gateway.directory import Binding, Channel, Encryption, Signing, SyncReply
from gateway.message import PartyRef
from gateway.wire.ebms2.cpa_tree import (
    algorithms,
    attribute,
    certificate,
    cpp,
    duration,
    flag,
    look_up,
    malformed,
    maybe,
    maybe_attribute,
    need,
    number,
    strongest,
    text,
)
from gateway.wire.ebms2.cpa_warnings import Doubts
from gateway.wire.ebms2.names import RSA_15

DEFAULT_RETRIES = 8
DEFAULT_INTERVAL = timedelta(hours=3)
"""DK-BP chapter 3, for a ReliableMessaging that does not say."""
DEFAULT_PERSIST = timedelta(days=5)
"""DK-ebMS2, PersistDuration: when the parties set nothing."""

_PERSISTENT = frozenset({"persistent", "transient-and-persistent"})
_MESSAGES = ("allPurpose", "request")
_SIGNALS = ("allPurpose", "response", "request")
_SYNC = {
    "none": SyncReply.NONE,
    "mshSignalsOnly": SyncReply.SIGNALS,
    "signalsOnly": SyncReply.SIGNALS,
    "responseOnly": SyncReply.RESPONSE,
    "signalsAndResponse": SyncReply.BOTH,
}


@dataclass(frozen=True, slots=True)
class Party:
    """A PartyInfo, with what its references can lead to."""

    element: etree._Element
    ref: PartyRef
    channels: Mapping[str, etree._Element]
    transports: Mapping[str, etree._Element]
    exchanges: Mapping[str, etree._Element]
    certificates: Mapping[str, etree._Element]

    def side(self, channel_id: str, at: etree._Element) -> "Side":
        channel = look_up(self.channels, channel_id, at)
        return Side(
            self,
            channel,
            look_up(self.transports, attribute(channel, "transportId"), channel),
            look_up(self.exchanges, attribute(channel, "docExchangeId"), channel),
        )

    def certificate(self, parent: etree._Element, path: str) -> bytes | None:
        """Return what a `…CertificateRef` below `parent` leads to, or None without one."""
        reference = maybe(parent, path)
        if reference is None:
            return None
        return certificate(look_up(self.certificates, attribute(reference, "certId"), reference))


@dataclass(frozen=True, slots=True)
class Side:
    """One end of a direction: a delivery channel of one party."""

    party: Party
    channel: etree._Element
    transport: etree._Element
    exchange: etree._Element


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """A ThisPartyActionBinding, in its role and service."""

    element: etree._Element
    side: Side
    sends: bool
    role: str
    service: str
    service_type: str
    action: str
    other: str | None

    @property
    def key(self) -> tuple[str, str, str]:
        return self.service, self.service_type, self.action


def message_channel(sent: Action, receiver: Side, doubts: Doubts) -> Channel:
    """Return what was agreed for one action, from its sender to its receiver."""
    asked = need(sent.element, "BusinessTransactionCharacteristics")
    base = _channel(sent.side, receiver, _MESSAGES, doubts)
    receipt = flag(asked, "isNonRepudiationReceiptRequired")
    if base.ack_requested and receipt is not None and receipt is not base.ack_signed:
        doubts.add(CpaRule.RECEIPT, sent.side.party.ref.id, sent.action)
    signing = _agreed_signing(sent, asked, doubts)
    encryption = _agreed_encryption(sent, asked, receiver, doubts)
    return replace(base, signing=signing, encryption=encryption)


def _channel(sender: Side, receiver: Side, purposes: tuple[str, ...], doubts: Doubts) -> Channel:
    """Return the channel without signing and encryption."""
    asked = need(sender.channel, "MessagingCharacteristics")
    ack = doubts.always(asked, "ackRequested")
    retries, interval, persist = _reliability(sender.exchange, reliable=ack)
    return Channel(
        endpoint=_endpoint(receiver, purposes),
        ack_requested=ack,
        ack_signed=ack and doubts.always(asked, "ackSignatureRequested"),
        duplicate_elimination=doubts.always(asked, "duplicateElimination"),
        sync_reply=_sync_reply(asked),
        retries=retries,
        retry_interval=interval,
        persist_duration=persist,
        signing=None,
        encryption=None,
        client_certificate=sender.party.certificate(
            sender.transport, "TransportSender/TransportClientSecurity/ClientCertificateRef"
        ),
        server_certificate=receiver.party.certificate(
            receiver.transport, "TransportReceiver/TransportServerSecurity/ServerCertificateRef"
        ),
    )


def signal_channel(
    sender: Party, receiver: Party, bindings: tuple[Binding, ...], doubts: Doubts
) -> Channel:
    """Return the channel of the signals that `sender` sends. They are not acknowledged."""
    side = _signal_side(sender)
    base = _channel(side, _signal_side(receiver), _SIGNALS, Doubts())
    owed = any(b.channel.ack_signed and b.receiver == sender.ref for b in bindings)
    signing = _signing(side)
    if signing is None and owed:
        own = (b.channel.signing for b in bindings if b.sender == sender.ref)
        signing = next((s for s in own if s is not None), None)
        if signing is None:
            doubts.add(CpaRule.NO_ACK_KEY, sender.ref.id)
    return replace(
        base,
        ack_requested=False,
        ack_signed=False,
        duplicate_elimination=False,
        retries=0,
        retry_interval=timedelta(0),
        signing=signing,
    )


def _signal_side(party: Party) -> Side:
    for override in party.element.findall(cpp("OverrideMshActionBinding")):
        if attribute(override, "action") == "Acknowledgment":
            return party.side(attribute(override, "channelId"), override)
    return party.side(attribute(party.element, "defaultMshChannelId"), party.element)


def _endpoint(receiver: Side, purposes: tuple[str, ...]) -> str:
    """Return the URL that serves the first of the purposes, else the first one."""
    found = receiver.transport.findall(f"{cpp('TransportReceiver')}/{cpp('Endpoint')}")
    if not found:
        raise malformed("endpoint", "De ontvanger heeft geen adres.", receiver.transport)
    by_purpose = {maybe_attribute(e, "type") or "allPurpose": e for e in reversed(found)}
    chosen = next((by_purpose[p] for p in purposes if p in by_purpose), found[0])
    return attribute(chosen, "uri")


def _sync_reply(asked: etree._Element) -> SyncReply:
    said = maybe_attribute(asked, "syncReplyMode") or "none"
    if said not in _SYNC:
        raise malformed("value", "De waarde is niet bekend.", asked, "@syncReplyMode")
    return _SYNC[said]


def _reliability(exchange: etree._Element, *, reliable: bool) -> tuple[int, timedelta, timedelta]:
    """Return retries, interval and PersistDuration of the sender's binding."""
    persist = maybe(exchange, "ebXMLSenderBinding/PersistDuration")
    kept = DEFAULT_PERSIST if reliable else timedelta(0)
    kept = duration(persist) if persist is not None else kept
    asked = maybe(exchange, "ebXMLSenderBinding/ReliableMessaging")
    if asked is None:
        return 0, timedelta(0), kept
    retries, interval = maybe(asked, "Retries"), maybe(asked, "RetryInterval")
    return (
        number(retries) if retries is not None else DEFAULT_RETRIES,
        duration(interval) if interval is not None else DEFAULT_INTERVAL,
        kept,
    )


# --- security -------------------------------------------------------------------------


def _agreed_signing(sent: Action, asked: etree._Element, doubts: Doubts) -> Signing | None:
    signing = _signing(sent.side)
    demanded = _demands_signing(asked)
    if demanded is None:
        return signing
    if demanded and signing is None:
        raise malformed("signing", "Ondertekenen is gevraagd maar niet ingericht.", sent.element)
    if not demanded and signing is not None:
        doubts.add(CpaRule.SIGNED_IN_VAIN, sent.side.party.ref.id, sent.action)
    return signing if demanded else None


def _demands_signing(asked: etree._Element) -> bool | None:
    levels = [maybe_attribute(asked, name) for name in ("isAuthenticated", "isTamperProof")]
    required = flag(asked, "isNonRepudiationRequired")
    if required is None and levels == [None, None]:
        return None
    return bool(required) or not _PERSISTENT.isdisjoint(filter(None, levels))


def _signing(side: Side) -> Signing | None:
    found = maybe(side.exchange, "ebXMLSenderBinding/SenderNonRepudiation")
    if found is None:
        return None
    need(found, "SigningCertificateRef")
    der = side.party.certificate(found, "SigningCertificateRef")
    return Signing(
        signature_algorithm=strongest(algorithms(found, "SignatureAlgorithm")),
        digest_algorithm=text(need(found, "HashFunction")),
        certificate=der or b"",
    )


def _agreed_encryption(
    sent: Action, asked: etree._Element, receiver: Side, doubts: Doubts
) -> Encryption | None:
    encryption = _encryption(receiver)
    level = maybe_attribute(asked, "isConfidential")
    if level is None:
        return encryption
    if level in _PERSISTENT:
        if encryption is None:
            raise malformed("encryption", "Versleutelen is gevraagd maar niet ingericht.", asked)
        return encryption
    if encryption is not None:
        doubts.add(CpaRule.ENCRYPTED_IN_VAIN, sent.side.party.ref.id, sent.action)
    return None


def _encryption(receiver: Side) -> Encryption | None:
    found = maybe(receiver.exchange, "ebXMLReceiverBinding/ReceiverDigitalEnvelope")
    if found is None:
        return None
    need(found, "EncryptionCertificateRef")
    der = receiver.party.certificate(found, "EncryptionCertificateRef")
    offered = algorithms(found, "EncryptionAlgorithm")
    wraps = [uri for uri in offered if "#rsa-" in uri]
    ciphers = [uri for uri in offered if uri not in wraps]
    return Encryption(
        algorithm=strongest(ciphers or offered),
        certificate=der or b"",
        key_transport=RSA_15 if wraps and all(uri == RSA_15 for uri in wraps) else "",
    )
