"""Reading an ebXML CPA (CPPA 2.0) into an Agreement, as it is; what is unwise gives a remark.

What is taken from where, for a message from party S to party R:

- **Action**: a `CanSend` of S with its counterpart at R: the binding that
  `OtherPartyActionBinding` names, else R's `CanReceive` of the same service and action.
  Without a counterpart R never agreed to receive it: left out, with a remark.
- **Endpoint, server and encryption certificate**: of R's channel.
- **Messaging characteristics, retries, signing and client certificate**: of S's channel.
- **Signed** when the BusinessTransactionCharacteristics of S's binding say so
  (isNonRepudiationRequired, or isAuthenticated or isTamperProof persistent); when they say
  nothing of the three, S's SenderNonRepudiation decides. Demanded without
  SenderNonRepudiation, the CPA can not be carried out: refused.
- **Encrypted** in the same way by isConfidential and R's ReceiverDigitalEnvelope.
- **Signals** (Acknowledgment, MessageError): the `OverrideMshActionBinding` for
  Acknowledgment, else the default MSH channel. They are signed when that channel has
  SenderNonRepudiation, or when the counterpart asks for signed acknowledgements.
"""

from collections.abc import Iterator
from dataclasses import replace

from lxml import etree

from gateway.cpa_rules import CpaRule
from gateway.directory import Agreement, Binding
from gateway.errors import Malformed
from gateway.message import OIN_TYPE, PartyRef
from gateway.wire.ebms2.cpa_channels import Action, Party, message_channel, signal_channel
from gateway.wire.ebms2.cpa_checks import check
from gateway.wire.ebms2.cpa_document import check_document
from gateway.wire.ebms2.cpa_tree import (
    attribute,
    cpp,
    index,
    malformed,
    maybe,
    maybe_attribute,
    moment,
    need,
    text,
)
from gateway.wire.ebms2.cpa_warnings import Doubts
from gateway.wire.xml import XmlLimits, parse

LIMITS = XmlLimits(octets=5_000_000, depth=32, nodes=100_000)


def read_cpa(octets: bytes) -> Agreement:
    """Return the agreement that a CPA lays down, whenever it counts.

    Raises Malformed: `xml.*`, or `cpa.root`, `.missing`, `.value`, `.duplicate`,
    `.reference`, `.moment`, `.duration`, `.certificate`, `.parties`, `.period`, `.signing`,
    `.encryption`, `.endpoint`.
    """
    root = parse(octets, limits=LIMITS, where="CPA")
    if root.tag != cpp("CollaborationProtocolAgreement"):
        raise Malformed("cpa.root", "Dit is geen CPA (CPPA 2.0).")
    start, end = moment(need(root, "Start")), moment(need(root, "End"))
    if start >= end:
        raise malformed("period", "De CPA eindigt voor zij begint.", root)
    a, b = _parties(root)
    doubts = Doubts()
    actions = (*_actions(a), *_actions(b))
    bindings = tuple(_bindings(actions, doubts))
    agreement = Agreement(
        cpa_id=attribute(root, "cpaid"),
        status=attribute(need(root, "Status"), "value"),
        start=start,
        end=end,
        parties=(a.ref, b.ref),
        bindings=bindings,
        signals={
            one.ref.id: signal_channel(one, two, bindings, doubts) for one, two in ((a, b), (b, a))
        },
    )
    check(agreement, doubts)
    check_document(root, doubts)
    return replace(agreement, remarks=doubts.remarks())


# --- parties and actions --------------------------------------------------------------


def _parties(root: etree._Element) -> tuple[Party, Party]:
    found = tuple(_party(element) for element in root.findall(cpp("PartyInfo")))
    if len(found) != 2 or found[0].ref.id == found[1].ref.id:  # noqa: PLR2004 - two parties
        raise malformed("parties", "Een CPA heeft precies twee verschillende partijen.", root)
    return found[0], found[1]


def _party(element: etree._Element) -> Party:
    return Party(
        element,
        _ref(element),
        index(element, "DeliveryChannel", "channelId"),
        index(element, "Transport", "transportId"),
        index(element, "DocExchange", "docExchangeId"),
        index(element, "Certificate", "certId"),
    )


def _ref(element: etree._Element) -> PartyRef:
    """Return the PartyId that is an OIN, else the first one."""
    need(element, "PartyId")
    ids = element.findall(cpp("PartyId"))
    refs = [PartyRef(text(id_), maybe_attribute(id_, "type") or "") for id_ in ids]
    return next((ref for ref in refs if ref.type == OIN_TYPE), refs[0])


def _actions(party: Party) -> Iterator[Action]:
    for role in party.element.findall(cpp("CollaborationRole")):
        binding = need(role, "ServiceBinding")
        # Also those inside another: a synchronous answer stands in its request.
        for element in binding.iter(cpp("CanSend"), cpp("CanReceive")):
            yield _action(party, role, binding, element)


def _action(
    party: Party, role: etree._Element, binding: etree._Element, element: etree._Element
) -> Action:
    this, service = need(element, "ThisPartyActionBinding"), need(binding, "Service")
    channel, other = need(this, "ChannelId"), maybe(element, "OtherPartyActionBinding")
    return Action(
        element=this,
        side=party.side(text(channel), channel),
        sends=element.tag == cpp("CanSend"),
        role=attribute(need(role, "Role"), "name"),
        service=text(service),
        service_type=maybe_attribute(service, "type") or "",
        action=attribute(this, "action"),
        other=text(other) if other is not None else None,
    )


def _bindings(actions: tuple[Action, ...], doubts: Doubts) -> Iterator[Binding]:
    for action in actions:
        if not action.sends:
            continue
        counterpart = _counterpart(action, actions)
        if counterpart is None:
            doubts.add(CpaRule.ONE_SIDED, action.side.party.ref.id, action.action)
            continue
        yield _binding(action, counterpart, doubts)


def _counterpart(sent: Action, actions: tuple[Action, ...]) -> Action | None:
    receives = [a for a in actions if not a.sends and a.side.party is not sent.side.party]
    if sent.other is None:
        return next((a for a in receives if a.key == sent.key), None)
    for action in receives:
        if attribute(action.element, "id") == sent.other:
            return action
    raise malformed("reference", "De verwijzing komt nergens uit.", sent.element)


def _binding(sent: Action, received: Action, doubts: Doubts) -> Binding:
    if received.action != sent.action:
        raise malformed("reference", "De actie van de andere partij heet anders.", sent.element)
    doubts.differing(sent.side.channel, received.side.channel)
    return Binding(
        sender=sent.side.party.ref,
        receiver=received.side.party.ref,
        sender_role=sent.role,
        receiver_role=received.role,
        service=sent.service,
        service_type=sent.service_type,
        action=sent.action,
        channel=message_channel(sent, received.side, doubts),
    )
