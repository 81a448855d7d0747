"""Changes to XML: elements, attributes and texts, of one document."""

import copy
from itertools import islice

from lxml import etree

from gateway.security.algorithms import C14N_EXCLUSIVE
from gateway.security.c14n import ACTOR
from gateway.security.dsig import DS
from gateway.wire.ebms2.names import eb, soap
from tests.fuzz.changes import CANARY, MOST, STEPS, TEXTS, octets_changed
from tests.fuzz.choices import Choices

_PARAMETERS = (f"{{{C14N_EXCLUSIVE}}}InclusiveNamespaces", f"{{{DS}}}XPath", f"{{{DS}}}Signature")
NAMES = ("x", "{urn:w}wrapper", "{relative}x", eb("MessageHeader"), soap("Header"), soap("Body"))

Element = etree._Element


def tree_changed(root: Element, choices: Choices) -> None:
    """Change one thing in a tree, somewhere below its root or at it."""
    elements = list(islice(root.iter(etree.Element), MOST))
    one, other = choices.one(elements), choices.one(elements)
    _TREE[choices.number(len(_TREE))](one, other, choices)


def _removed(one: Element, _other: Element, _choices: Choices) -> None:
    parent = one.getparent()
    if parent is not None:
        parent.remove(one)


def _doubled(one: Element, _other: Element, _choices: Choices) -> None:
    if one.getparent() is not None:
        one.addnext(copy.deepcopy(one))


def _moved(one: Element, other: Element, _choices: Choices) -> None:
    if one.getparent() is not None and one is not other and one not in other.iterancestors():
        other.append(one)


def _copied(one: Element, other: Element, _choices: Choices) -> None:
    other.append(copy.deepcopy(one))


def _added(one: Element, _other: Element, choices: Choices) -> None:
    """Add what an algorithm may have as its parameter."""
    etree.SubElement(one, choices.one(_PARAMETERS), PrefixList=choices.one(TEXTS))


def _wrapped(one: Element, _other: Element, choices: Choices) -> None:
    parent = one.getparent()
    if parent is not None:
        wrapper = etree.Element(choices.one(NAMES))
        parent.replace(one, wrapper)
        wrapper.append(one)


def _told(one: Element, other: Element, choices: Choices) -> None:
    one.text = other.text if choices.flag() else choices.one(TEXTS)


def _tailed(one: Element, _other: Element, choices: Choices) -> None:
    if one.getparent() is not None:
        one.tail = choices.one(TEXTS)


def _split(one: Element, _other: Element, choices: Choices) -> None:
    """Put what is no text in the middle of one."""
    text = one.text or ""
    middle = len(text) // 2
    kinds = (etree.Comment, lambda told: etree.ProcessingInstruction("x", told))
    node = choices.one(kinds)(choices.one((CANARY, "", "a-b")))
    one.text, node.tail = text[:middle], text[middle:]
    one.insert(0, node)


def _cdata(one: Element, _other: Element, _choices: Choices) -> None:
    if one.text and "]]>" not in one.text:
        one.text = etree.CDATA(one.text)


def _attribute(one: Element, other: Element, choices: Choices) -> None:
    names = [*sorted(map(str, other.attrib)), ACTOR, "Id", eb("id")]
    one.set(choices.one(names), choices.one(TEXTS))


def _without_attribute(one: Element, _other: Element, choices: Choices) -> None:
    if one.attrib:
        del one.attrib[choices.one(sorted(map(str, one.attrib)))]


def _renamed(one: Element, other: Element, choices: Choices) -> None:
    one.tag = other.tag if choices.flag() else choices.one(NAMES)


_TREE = (
    *(_removed, _doubled, _moved, _copied, _added, _wrapped, _told, _told, _tailed, _split, _cdata),
    *(_attribute, _attribute, _without_attribute, _renamed),
)


def xml_changed(octets: bytes, choices: Choices) -> bytes:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, strip_cdata=False)
    try:
        root = etree.fromstring(octets, parser)
    except (etree.LxmlError, ValueError):
        return octets_changed(octets, choices)
    for _ in range(1 + choices.number(STEPS)):
        tree_changed(root, choices)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")
