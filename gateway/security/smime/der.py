"""The little of DER (X.690) that CMS needs; another spelling of the same is refused."""

INTEGER = 0x02
OCTET_STRING = 0x04
OID = 0x06
SEQUENCE = 0x30
SET = 0x31

_LONG = 0x80
_MANY_TAGS = 0x1F
_LENGTH_OCTETS = 4
"""Of a length at most: 4 GiB."""


class NotDer(ValueError):
    """The octets are not the DER that was asked for."""


def encode(tag: int, *contents: bytes) -> bytes:
    """Return one element with the contents one after the other."""
    size = sum(map(len, contents))
    if size < _LONG:
        return b"".join((bytes((tag, size)), *contents))
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return b"".join((bytes((tag, _LONG | len(length))), length, *contents))


class Reader:
    """Walks over elements side by side; all methods raise NotDer."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._at = 0

    def take(self, tag: int) -> bytes:
        """Return the contents of the next element, which must have this tag."""
        octets = self._octets
        if octets[self._at : self._at + 1] != bytes((tag,)):
            raise NotDer
        start, end = self._bounds()
        self._at = end
        return octets[start:end]

    def element(self) -> bytes:
        """Return the next element as it stands, whatever its tag."""
        begin = self._at
        _start, self._at = self._bounds()
        return self._octets[begin : self._at]

    @property
    def more(self) -> bool:
        """Whether anything is left."""
        return self._at < len(self._octets)

    def finish(self) -> None:
        """Refuse anything that is left."""
        if self.more:
            raise NotDer

    def _bounds(self) -> tuple[int, int]:
        """Return where the contents of the next element begin and end."""
        head = self._octets[self._at : self._at + 2]
        if len(head) != 2 or head[0] & _MANY_TAGS == _MANY_TAGS:  # noqa: PLR2004
            raise NotDer
        start, size = self._at + 2, head[1]
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
