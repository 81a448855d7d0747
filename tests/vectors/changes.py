"""One change to an example, written as a line: a verb, a path and sometimes a value.

Paths are those of findings without the root: local names, `[n]` where there are several.
"""

import re
from collections.abc import Callable
from copy import deepcopy

from lxml import etree

Element = etree._Element
SECRET = "NIETTONEN"
"""Stands in every value that a change plants: no finding may show it."""
_PREFIXES = {
    "StUF": "http://www.egem.nl/StUF/StUF0301",
    "JZ": "http://www.stufstandaarden.nl/koppelvlak/jz0100",
    "ZKN": "http://www.egem.nl/StUF/sector/zkn/0310",
    "BG": "http://www.egem.nl/StUF/sector/bg/0310",
    "bgt": "urn:berichtengateway:toets:1",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
_STEP = re.compile(r"([\w.]+)(?:\[(\d+)\])?")


def changed(root: Element, line: str) -> bytes:
    """Return the document after the change; ValueError for a verb or path that is not there."""
    verb, path, value = (*line.split(" ", 2), "")[:3]
    root = deepcopy(root)
    _VERBS[verb](_at(root, path), value)
    return etree.tostring(root, encoding="UTF-8")


def _at(root: Element, path: str) -> Element:
    element = root
    for step in path.split("/") if path != "." else ():
        found = _STEP.fullmatch(step)
        if found is None:
            raise ValueError(path)
        same = [child for child in element if etree.QName(child).localname == found[1]]
        if len(same) < int(found[2] or 1):
            raise ValueError(path)
        element = same[int(found[2] or 1) - 1]
    return element


def _name(text: str) -> str:
    prefix, _, name = text.rpartition(":")
    return f"{{{_PREFIXES[prefix]}}}{name}" if prefix else name


def _parent(element: Element) -> Element:
    parent = element.getparent()
    if parent is None:
        raise ValueError("the root has no parent")
    return parent


def _remove(element: Element, which: str) -> None:
    parent = _parent(element)
    for one in list(parent.iterchildren(element.tag)) if which == "all" else (element,):
        parent.remove(one)


def _repeat(element: Element, times: str) -> None:
    for _ in range(int(times or 1)):
        element.addnext(deepcopy(element))


def _swap(element: Element, _value: str) -> None:
    following = element.getnext()
    if following is None:
        raise ValueError("nothing follows")
    following.addnext(element)


def _rename(element: Element, value: str) -> None:
    element.tag = _name(value)


def _set(element: Element, value: str) -> None:
    element[:] = []
    element.text = _long(value)


def _long(value: str) -> str:
    """`*200` at the end: until there are so many characters."""
    text, _, size = value.partition("*")
    return text.ljust(int(size), "x") if size else text


def _text(element: Element, value: str) -> None:
    element.text = value


def _append(element: Element, value: str) -> None:
    name, _, text = value.partition("=")
    etree.SubElement(element, _name(name)).text = _long(text) or SECRET


def _attribute(element: Element, value: str) -> None:
    name, _, text = value.partition("=")
    element.set(_name(name), _long(text))


def _unset(element: Element, value: str) -> None:
    del element.attrib[_name(value)]


_VERBS: dict[str, Callable[[Element, str], None]] = {
    "remove": _remove,
    "repeat": _repeat,
    "swap": _swap,
    "rename": _rename,
    "set": _set,
    "text": _text,
    "append": _append,
    "attribute": _attribute,
    "unset": _unset,
}
