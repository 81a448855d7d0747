"""Changes to DER: elements, whose lengths stay right, or are left open as BER has it."""

import copy
from collections.abc import Iterator
from itertools import islice

from gateway.security.smime.der import NotDer, Reader, encode
from tests.fuzz.changes import MOST, STEPS, octets_changed
from tests.fuzz.choices import Choices

_CONSTRUCTED = 0x20
_DEPTH = 24


class _Node:
    """An element of DER: its tag, and what is in it."""

    def __init__(self, tag: int, contents: "bytes | list[_Node]") -> None:
        self.tag = tag
        self.contents = contents

    def octets(self) -> bytes:
        if isinstance(self.contents, bytes):
            return encode(self.tag, self.contents)
        return encode(self.tag, *(one.octets() for one in self.contents))

    def streamed(self) -> bytes:
        """Write it as programs do that do not know how much will follow."""
        if isinstance(self.contents, bytes):
            return self.octets()
        inside = b"".join(one.streamed() for one in self.contents)
        return bytes((self.tag, 0x80)) + inside + b"\0\0"


def _nodes(contents: bytes, depth: int = _DEPTH) -> list[_Node]:
    reader, found = Reader(contents), list[_Node]()
    while reader.more:
        element = reader.element()
        inside = Reader(element).take(element[0])
        below: bytes | list[_Node] = inside
        if element[0] & _CONSTRUCTED and depth:
            below = _nodes(inside, depth - 1)
        found.append(_Node(element[0], below))
    return found


def _holders(nodes: list[_Node]) -> Iterator[list[_Node]]:
    """Yield every list of elements side by side."""
    yield nodes
    for node in nodes:
        if isinstance(node.contents, list):
            yield from _holders(node.contents)


def der_changed(octets: bytes, choices: Choices) -> bytes:
    try:
        nodes = _nodes(octets)
    except NotDer:
        return octets_changed(octets, choices)
    for _ in range(1 + choices.number(STEPS)):
        _der_step(nodes, choices)
    written = _Node.streamed if choices.number(4) == 1 else _Node.octets
    return b"".join(written(node) for node in nodes)


def _der_step(nodes: list[_Node], choices: Choices) -> None:
    holders = [one for one in islice(_holders(nodes), MOST) if one]
    if not holders:
        return
    holder, other = choices.one(holders), choices.one(holders)
    at = choices.number(len(holder))
    node = holder[at]
    match choices.number(7):
        case 0:
            contents = node.octets()[2:] if isinstance(node.contents, list) else node.contents
            node.contents = octets_changed(contents, choices)
        case 1:
            node.tag = choices.one((2, 3, 4, 5, 6, 0x17, 0x18, 0x30, 0x31, 0x80, 0xA0, 0xA1, 0x24))
        case 2:
            del holder[at]
        case 3:
            holder.insert(at, copy.deepcopy(node))
        case 4:
            other.append(copy.deepcopy(node))
        case 5:
            holder[at] = copy.deepcopy(choices.one(other))
        case _:
            holder.reverse()
