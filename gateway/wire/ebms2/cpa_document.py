"""What the document of a CPA says that an Agreement does not hold."""

from collections.abc import Iterator

from lxml import etree

from gateway.cpa_rules import CpaRule
from gateway.wire.ebms2.cpa_tree import cpp, flag, maybe_attribute
from gateway.wire.ebms2.cpa_warnings import NOTHING, Doubts, Values
from gateway.wire.xml import path_of, value

_GOOD_TLS = frozenset({"1.2", "1.3"})
_EBMS = ("ebXMLSenderBinding", "ebXMLReceiverBinding")
_RSA15 = "rsa-1_5"
_USUAL = (("isAuthorizationRequired", True), ("isIntelligibleCheckRequired", False))
"""DK-BP chapter 3; left out = not said."""

_Said = tuple[CpaRule, etree._Element, Values]  # noqa: SLF001 - lxml has no other name for it


def check_document(root: etree._Element, doubts: Doubts) -> None:
    """Add what is noticed, each at its element."""
    for rule, element, values in (
        *_transport(root),
        *_messaging(root),
        *_algorithms(root),
        *_characteristics(root),
    ):
        doubts.add(rule, path_of(element), values=values)


def _transport(root: etree._Element) -> Iterator[_Said]:
    for element in root.iter(cpp("TransportProtocol")):
        protocol = value(element).strip()
        if protocol.upper() not in {"HTTP", "HTTPS"}:
            yield CpaRule.TRANSPORT, element, {"protocol": protocol or "-"}
    for element in root.iter(cpp("TransportSecurityProtocol")):
        protocol = value(element).strip()
        version = maybe_attribute(element, "version") or "-"
        if protocol.upper() != "TLS" or version not in _GOOD_TLS:
            yield (
                CpaRule.TLS_VERSION,
                element,
                {"protocol": protocol or "-", "version": version},
            )


def _messaging(root: etree._Element) -> Iterator[_Said]:
    for element in root.iter(cpp("MessagingCharacteristics")):
        if (maybe_attribute(element, "actor") or "").lower().endswith(":nextmsh"):
            yield CpaRule.MULTI_HOP, element, NOTHING
    for element in root.iter(cpp("MessageOrderSemantics")):
        if value(element).strip() == "Guaranteed":
            yield CpaRule.ORDER, element, NOTHING
    for element in root.iter(*(cpp(name) for name in _EBMS)):
        version = maybe_attribute(element, "version") or "-"
        if version != "2.0":
            yield CpaRule.EBMS_VERSION, element, {"version": version}


def _algorithms(root: etree._Element) -> Iterator[_Said]:
    """Look at every algorithm that is offered, not at the first alone."""
    for element in root.iter(cpp("EncryptionAlgorithm")):
        said = (value(element).strip(), maybe_attribute(element, "w3c") or "")
        if any(one.lower().endswith(_RSA15) for one in said):
            yield CpaRule.RSA15, element, NOTHING


def _characteristics(root: etree._Element) -> Iterator[_Said]:
    for element in root.iter(cpp("BusinessTransactionCharacteristics")):
        for name, usual in _USUAL:
            found = flag(element, name)
            if found is not None and found is not usual:
                yield (
                    CpaRule.CHARACTERISTICS,
                    element,
                    {"name": name, "value": _word(found), "usual": _word(usual)},
                )


def _word(value: bool) -> str:  # noqa: FBT001 - it is what is said
    return "true" if value else "false"
