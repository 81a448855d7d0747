"""Canonical XML, and what an ebMS2 signature leaves out of the envelope.

lxml canonicalises a subtree exclusively without fault, but not inclusively: with a default
namespace in scope it writes empty declarations, and it forgets the `xml:*` attributes of
the ancestors. Inclusive canonicalisation therefore works on a parsed copy. lxml also
ignores `#default` in a PrefixList: that is refused.
"""

import re

from lxml import etree

from gateway.errors import SignatureInvalid
from gateway.security.algorithms import C14N_EXCLUSIVE, C14N_INCLUSIVE
from gateway.wire.ebms2 import names

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
ACTOR = f"{{{SOAP}}}actor"
ACTOR_NEXT = "http://schemas.xmlsoap.org/soap/actor/next"
ACTOR_NEXT_MSH = "urn:oasis:names:tc:ebxml-msg:actor:nextMSH"
_ACTORS = (ACTOR_NEXT_MSH, ACTOR_NEXT)
_XML = "{http://www.w3.org/XML/1998/namespace}"

XPATH_NOT_NEXT = names.XPATH_NOT_NEXT
_STEP = r"ancestor-or-self::node\(\)\[@([\w.-]+):actor=(?:\"([^\"]*)\"|'([^']*)')\]"
_KNOWN_XPATH = re.compile(rf"not\({_STEP}\|{_STEP}\)")


def canonicalize(element: etree._Element, algorithm: str, prefixes: tuple[str, ...] = ()) -> bytes:
    """Return the canonical octets of the element, comments left out.

    Raises SignatureInvalid `signature.algorithm` for another algorithm than the two,
    `signature.transform` for a PrefixList that can not be honoured, `signature.form` for what
    has no canonical form: a namespace that is no absolute URI (Canonical XML, 1.3).
    """
    try:
        return _canonical(element, algorithm, prefixes)
    except etree.C14NError:  # its text may hold values
        raise SignatureInvalid("signature.form", "there is no canonical form") from None


def _canonical(element: etree._Element, algorithm: str, prefixes: tuple[str, ...]) -> bytes:
    if algorithm == C14N_EXCLUSIVE:
        if "#default" in prefixes:
            raise SignatureInvalid("signature.transform", "#default in PrefixList not supported")
        return etree.tostring(
            element,
            method="c14n",
            exclusive=True,
            with_comments=False,
            inclusive_ns_prefixes=list(prefixes) or None,
        )
    if algorithm != C14N_INCLUSIVE:
        raise SignatureInvalid("signature.algorithm", "canonicalization is not supported")
    if prefixes:
        raise SignatureInvalid("signature.transform", "PrefixList without exclusive C14N")
    return etree.tostring(_standalone(element), method="c14n", with_comments=False)


def _standalone(element: etree._Element) -> etree._Element:
    """Parse the element again as a document that inherits namespaces and `xml:*`."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    root = etree.fromstring(etree.tostring(element, with_tail=False), parser)
    for ancestor in element.iterancestors():
        for name, value in ancestor.attrib.items():
            if str(name).startswith(_XML) and name not in root.attrib:
                root.set(name, value)
    return root


def is_not_next(expression: etree._Element) -> bool:
    """Tell whether a ds:XPath element holds the one filter that ebMS 2.0 prescribes."""
    text = expression.text or ""
    found = None if len(expression) else _KNOWN_XPATH.fullmatch("".join(text.split()))
    if found is None or not all(actor in text for actor in _ACTORS):
        return False
    prefix_a, double_a, single_a, prefix_b, double_b, single_b = found.groups()
    actors = {double_a or single_a, double_b or single_b}
    spaces = {expression.nsmap.get(prefix_a), expression.nsmap.get(prefix_b)}
    return actors == set(_ACTORS) and spaces == {SOAP}


def addressed_to_next(envelope: etree._Element) -> list[etree._Element]:
    """Return the elements that the filter leaves out: those for the next node or MSH."""
    return [e for e in envelope.iter(etree.Element) if e.get(ACTOR) in _ACTORS]


def cut(element: etree._Element) -> None:
    """Take the element out of its tree and leave the text behind it where it was."""
    parent = element.getparent()
    if parent is None:
        raise SignatureInvalid("signature.misplaced", "the envelope itself is left out")
    previous = element.getprevious()
    tail = element.tail or ""
    if previous is None:
        parent.text = (parent.text or "") + tail
    else:
        previous.tail = (previous.tail or "") + tail
    parent.remove(element)
