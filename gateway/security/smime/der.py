"""The little of DER (X.690) that CMS needs; another spelling of the same is refused."""

INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OID = 0x06
SEQUENCE = 0x30
SET = 0x31
NULL = b"\x05\x00"

_LONG = 0x80
_MANY_TAGS = 0x1F
_LENGTH_OCTETS = 4
"""Of a length at most: 4 GiB."""
_SEVEN_BITS = 0x7F


class NotDer(ValueError):
    """The octets are not the DER that was asked for."""


def encode(tag: int, *contents: bytes) -> bytes:
    """Return one element with the contents one after the other."""
    size = sum(map(len, contents))
    if size < _LONG:
        return b"".join((bytes((tag, size)), *contents))
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return b"".join((bytes((tag, _LONG | len(length))), length, *contents))


def tagged(number: int, *, constructed: bool = True) -> int:
    """Return the context-specific tag of this number, at most 30."""
    return (0xA0 if constructed else 0x80) | number


def oid(dotted: str) -> bytes:
    """Return the element of an object identifier."""
    first, second, *rest = map(int, dotted.split("."))
    return encode(OID, *(_base_128(arc) for arc in (40 * first + second, *rest)))


def _base_128(arc: int) -> bytes:
    octets = [arc & _SEVEN_BITS]
    while arc := arc >> 7:
        octets.append(_LONG | arc & _SEVEN_BITS)
    return bytes(reversed(octets))


class Reader:
    """Walks over elements side by side; all methods raise NotDer."""

    def __init__(self, octets: bytes, at: int = 0) -> None:
        self._octets = octets
        self.at = at
        """Where the next element begins."""

    def take(self, tag: int) -> bytes:
        """Return the contents of the next element, which must have this tag."""
        octets = self._octets
        if not self.next_is(tag):
            raise NotDer
        start, end = self._bounds()
        self.at = end
        return octets[start:end]

    def last(self, tag: int) -> bytes:
        """Return what `take` does, when nothing follows."""
        contents = self.take(tag)
        self.finish()
        return contents

    def inside(self, tag: int) -> "Reader":
        """Return a reader of the contents of the next element."""
        return Reader(self.take(tag))

    def element(self) -> bytes:
        """Return the next element as it stands, whatever its tag."""
        begin = self.at
        _start, self.at = self._bounds()
        return self._octets[begin : self.at]

    def expect(self, element: bytes) -> None:
        """Go past this element, octet by octet."""
        if self.element() != element:
            raise NotDer

    def next_is(self, tag: int) -> bool:
        """Whether the next element has this tag."""
        return self._octets[self.at : self.at + 1] == bytes((tag,))

    @property
    def more(self) -> bool:
        """Whether anything is left."""
        return self.at < len(self._octets)

    def finish(self) -> None:
        """Refuse anything that is left."""
        if self.more:
            raise NotDer

    def _bounds(self) -> tuple[int, int]:
        """Return where the contents of the next element begin and end."""
        head = self._octets[self.at : self.at + 2]
        if len(head) != 2 or head[0] & _MANY_TAGS == _MANY_TAGS:  # noqa: PLR2004
            raise NotDer
        start, size = self.at + 2, head[1]
        if size >= _LONG:
            width = size - _LONG
            length = self._octets[start : start + width]
            start, size = start + width, int.from_bytes(length, "big")
            shortest = bool(length) and length[0] != 0 and size >= _LONG
            if not shortest or len(length) != width or width > _LENGTH_OCTETS:
                raise NotDer
        if start + size > len(self._octets):
            raise NotDer
        return start, start + size


def only(octets: bytes, tag: int) -> Reader:
    """Return a reader of the contents of the one element that the octets are; raises NotDer."""
    return Reader(Reader(octets).last(tag))
