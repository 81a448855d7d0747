"""Making an ebXML CPA (CPPA 2.0) in a Digikoppeling profile, by default osb-rm-e as it should be.

What `read_cpa` reads from it is what was asked, without warnings. Every element stands in
the order of the OASIS schema.
"""

import base64
from datetime import UTC, datetime

from lxml import etree

from gateway.message import OIN_TYPE
from gateway.wire.ebms2.cpa_spec import PROFILES, CpaAction, CpaParty, CpaSpec, check_spec
from gateway.wire.ebms2.cpa_tree import CPP, cpp
from gateway.wire.ebms2.duration import iso_duration
from gateway.wire.ebms2.names import DS, EB, TO_PARTY, XLINK, ds, xlink

__all__ = ["PROFILES", "CpaAction", "CpaParty", "CpaSpec", "make_cpa"]

_NSMAP = {"tns": CPP, "ds": DS, "xlink": XLINK}
_HEADER = "part-header"
_PAYLOAD = "part-payload"
_SIGNAL_PACKAGE = "package-signal"
_MESSAGE_PACKAGE = "package-message"


def make_cpa(spec: CpaSpec) -> bytes:
    """Return the CPA as XML, valid against the OASIS schema.

    Raises Misconfigured: `cpa.profile`, `cpa.id`, `cpa.period`, `cpa.parties`,
    `cpa.actions`, `cpa.names`, `cpa.certificate`, `cpa.retries`.
    """
    check_spec(spec)
    root = etree.Element(cpp("CollaborationProtocolAgreement"), nsmap=_NSMAP)
    _set(root, cpaid=spec.cpa_id, version=spec.version)
    _add(root, "Status", value=spec.status)
    _leaf(root, "Start", _stamp(spec.start))
    _leaf(root, "End", _stamp(spec.end))
    for number in (0, 1):
        _party(root, spec, number)
    _packaging(root)
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


# --- one party ------------------------------------------------------------------------


def _party(root: etree._Element, spec: CpaSpec, number: int) -> None:
    me = spec.parties[number]
    prefix = _prefix(number)
    element = _add(
        root,
        "PartyInfo",
        partyName=me.name,
        defaultMshChannelId=f"{prefix}-channel-signal",
        defaultMshPackageId=_SIGNAL_PACKAGE,
    )
    _leaf(element, "PartyId", me.oin, type=OIN_TYPE)
    _href(_add(element, "PartyRef"), f"urn:osb:oin:{me.oin}")
    for service in _services(spec):
        _role(element, spec, number, service)
    _certificates(element, spec, number)
    for kind in ("signal", "message"):
        _channel(element, spec, prefix, kind)
    _transport(element, me, prefix)
    for kind in ("signal", "message"):
        _exchange(element, spec, prefix, reliable=spec.reliable and kind == "message")


def _prefix(number: int) -> str:
    """Ids are unique in the document, so each begins with its party."""
    return f"party{number + 1}"


def _services(spec: CpaSpec) -> tuple[tuple[str, str], ...]:
    """Return (service, type) of both parties, each once, in order."""
    found = ((a.service, a.service_type) for p in spec.parties for a in p.sends)
    return tuple(dict.fromkeys(found))


def _role(element: etree._Element, spec: CpaSpec, number: int, service: tuple[str, str]) -> None:
    role = _add(element, "CollaborationRole")
    process = _add(role, "ProcessSpecification", name=service[0], version=spec.version)
    _href(process, f"urn:osb:process:{service[0]}")
    named = _add(role, "Role", name=spec.parties[number].role)
    _href(named, f"urn:osb:role:{spec.parties[number].role}")
    binding = _add(role, "ServiceBinding")
    _leaf(binding, "Service", service[0], type=service[1])
    for direction, sender in (("CanSend", number), ("CanReceive", 1 - number)):
        for position, action in enumerate(spec.parties[sender].sends):
            if (action.service, action.service_type) == service:
                can = _add(binding, direction)
                _action(can, spec, number, f"{_prefix(sender)}-{position}", action)


def _action(
    can: etree._Element, spec: CpaSpec, number: int, direction: str, action: CpaAction
) -> None:
    """`direction` is the same at both parties; the prefix tells whose end it is."""
    this = _add(
        can,
        "ThisPartyActionBinding",
        id=f"{_prefix(number)}-end-of-{direction}",
        action=action.action,
        packageId=_MESSAGE_PACKAGE,
    )
    _characteristics(this, spec)
    _leaf(this, "ChannelId", f"{_prefix(number)}-channel-message")
    _leaf(can, "OtherPartyActionBinding", f"{_prefix(1 - number)}-end-of-{direction}")


def _characteristics(this: etree._Element, spec: CpaSpec) -> None:
    signed = "transient-and-persistent" if spec.signed else "transient"
    _add(
        this,
        "BusinessTransactionCharacteristics",
        isNonRepudiationRequired=_word(spec.signed),
        isNonRepudiationReceiptRequired=_word(spec.signed and spec.reliable),
        isConfidential="transient-and-persistent" if spec.encrypted else "transient",
        isAuthenticated=signed,
        isTamperProof=signed,
        isAuthorizationRequired="true",
        isIntelligibleCheckRequired="false",
        timeToPerform="P2D",
    )


def _certificates(element: etree._Element, spec: CpaSpec, number: int) -> None:
    me = spec.parties[number]
    wanted = {
        "sign": me.sign if spec.signed else None,
        "encrypt": me.encrypt if spec.encrypted else None,
        "server": me.server,
        "client": me.client,
    }
    for kind, der in wanted.items():
        if der:
            found = _add(element, "Certificate", certId=f"{_prefix(number)}-{kind}")
            data = etree.SubElement(etree.SubElement(found, ds("KeyInfo")), ds("X509Data"))
            etree.SubElement(data, ds("X509Certificate")).text = base64.b64encode(der).decode()


def _channel(element: etree._Element, spec: CpaSpec, prefix: str, kind: str) -> None:
    reliable = spec.reliable and kind == "message"
    channel = _add(
        element,
        "DeliveryChannel",
        channelId=f"{prefix}-channel-{kind}",
        transportId=f"{prefix}-transport",
        docExchangeId=_exchange_id(prefix, reliable=reliable),
    )
    _add(
        channel,
        "MessagingCharacteristics",
        syncReplyMode=spec.sync_reply,
        ackRequested=_always(reliable),
        ackSignatureRequested=_always(reliable and spec.signed),
        duplicateElimination=_always(reliable),
        actor=TO_PARTY,
    )


def _transport(element: etree._Element, me: CpaParty, prefix: str) -> None:
    transport = _add(element, "Transport", transportId=f"{prefix}-transport")
    sender = _add(transport, "TransportSender")
    _leaf(sender, "TransportProtocol", "HTTP", version="1.1")
    client = _add(sender, "TransportClientSecurity")
    _leaf(client, "TransportSecurityProtocol", "TLS", version="1.2")
    _add(client, "ClientCertificateRef", certId=f"{prefix}-client")
    receiver = _add(transport, "TransportReceiver")
    _leaf(receiver, "TransportProtocol", "HTTP", version="1.1")
    _add(receiver, "Endpoint", uri=me.endpoint, type="allPurpose")
    server = _add(receiver, "TransportServerSecurity")
    _leaf(server, "TransportSecurityProtocol", "TLS", version="1.2")
    _add(server, "ServerCertificateRef", certId=f"{prefix}-server")


def _exchange_id(prefix: str, *, reliable: bool) -> str:
    return f"{prefix}-exchange-{'reliable' if reliable else 'best-effort'}"


def _exchange(element: etree._Element, spec: CpaSpec, prefix: str, *, reliable: bool) -> None:
    id_ = _exchange_id(prefix, reliable=reliable)
    if any(e.get(cpp("docExchangeId")) == id_ for e in element.findall(cpp("DocExchange"))):
        return  # without reliability signals and messages share one
    exchange = _add(element, "DocExchange", docExchangeId=id_)
    for side in ("Sender", "Receiver"):
        binding = _add(exchange, f"ebXML{side}Binding", version="2.0")
        if reliable:
            _reliability(binding, spec)
        if spec.signed:
            _non_repudiation(binding, spec, side, prefix)
        if spec.encrypted:
            _envelope(binding, spec, side, prefix)


def _reliability(binding: etree._Element, spec: CpaSpec) -> None:
    reliable = _add(binding, "ReliableMessaging")
    _leaf(reliable, "Retries", str(spec.retries))
    _leaf(reliable, "RetryInterval", iso_duration(spec.retry_interval))
    _leaf(reliable, "MessageOrderSemantics", "NotGuaranteed")
    _leaf(binding, "PersistDuration", iso_duration(spec.persist_duration))


def _non_repudiation(binding: etree._Element, spec: CpaSpec, side: str, prefix: str) -> None:
    found = _add(binding, f"{side}NonRepudiation")
    _leaf(found, "NonRepudiationProtocol", DS)
    _leaf(found, "HashFunction", spec.digest_algorithm)
    algorithm = spec.signature_algorithm
    _leaf(found, "SignatureAlgorithm", algorithm, w3c=algorithm)
    if side == "Sender":
        _add(found, "SigningCertificateRef", certId=f"{prefix}-sign")


def _envelope(binding: etree._Element, spec: CpaSpec, side: str, prefix: str) -> None:
    found = _add(binding, f"{side}DigitalEnvelope")
    _leaf(found, "DigitalEnvelopeProtocol", "XMLENC", version="1.1")
    algorithm = spec.encryption_algorithm
    _leaf(found, "EncryptionAlgorithm", algorithm, w3c=algorithm)
    if side == "Receiver":
        _add(found, "EncryptionCertificateRef", certId=f"{prefix}-encrypt")


# --- packaging ------------------------------------------------------------------------


def _packaging(root: etree._Element) -> None:
    header = _add(root, "SimplePart", id=_HEADER, mimetype="text/xml")
    _leaf(header, "NamespaceSupported", EB, location=EB, version="2.0")
    _add(root, "SimplePart", id=_PAYLOAD, mimetype="application/xml")
    for package, parts in (
        (_SIGNAL_PACKAGE, (_HEADER,)),
        (_MESSAGE_PACKAGE, (_HEADER, _PAYLOAD)),
    ):
        packaging = _add(root, "Packaging", id=package)
        _add(packaging, "ProcessingCapabilities", parse="true", generate="true")
        composite = _add(
            _add(packaging, "CompositeList"),
            "Composite",
            id=f"{package}-composite",
            mimetype="multipart/related",
            mimeparameters="type=text/xml",
        )
        for part in parts:
            _add(composite, "Constituent", idref=part)


# --- elements -------------------------------------------------------------------------


def _add(parent: etree._Element, name: str, /, **attributes: str) -> etree._Element:
    element = etree.SubElement(parent, cpp(name))
    _set(element, **attributes)
    return element


def _leaf(parent: etree._Element, name: str, text: str, /, **attributes: str) -> None:
    _add(parent, name, **attributes).text = text


def _set(element: etree._Element, /, **attributes: str) -> None:
    """Set attributes; in a CPA they are qualified."""
    for name, text in attributes.items():
        element.set(cpp(name), text)


def _href(element: etree._Element, target: str) -> None:
    element.set(xlink("type"), "simple")
    element.set(xlink("href"), target)


def _word(value: bool) -> str:  # noqa: FBT001 - the value itself
    return "true" if value else "false"


def _always(value: bool) -> str:  # noqa: FBT001 - the value itself
    return "always" if value else "never"


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
