"""BER as mail programs stream it (X.690, 8.1.3.6 and 8.7.3), made DER, within bounds.

Elements without a length get one, octet strings in pieces become one. An element that says its
length is copied as it stands: what streams has no room for the other kind inside it.
"""

from gateway.security.smime.der import OCTET_STRING, NotDer, Reader, encode

DEPTH = 16
PIECES = 65_536
"""Elements that are looked at: 35 MB in pieces of 1,000 octets, with room to spare."""

_CONSTRUCTED = 0x20
_UNSAID = 0x80
_END = b"\x00\x00"


def definite(octets: bytes) -> bytes:
    """Return the element with every length said; DER comes back as it is. Raises NotDer.

    What comes back may still be no DER: who reads it finds that out.
    """
    if octets[1:2] != bytes((_UNSAID,)):
        return octets
    walk = _Walk(octets)
    made = walk.element(0)
    if walk.at != len(octets):
        raise NotDer
    return made


def joined(contents: bytes) -> bytes:
    """Return what octet strings side by side hold together; raises NotDer."""
    reader, pieces = Reader(contents), list[bytes]()
    while reader.more:
        pieces.append(reader.take(OCTET_STRING))
    return b"".join(pieces)


class _Walk:
    """One walk over all of it."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets
        self._left = PIECES
        self.at = 0

    def element(self, depth: int) -> bytes:
        """Return the next element with its length said."""
        self._left -= 1
        head = self._octets[self.at : self.at + 2]
        if depth > DEPTH or self._left < 0 or len(head) != len(_END):
            raise NotDer
        if head[1] != _UNSAID:
            return self._as_it_stands()
        if not head[0] & _CONSTRUCTED:
            raise NotDer
        self.at += len(head)
        contents = b"".join(self._until_the_end(depth + 1))
        if head[0] == OCTET_STRING | _CONSTRUCTED:
            return encode(OCTET_STRING, joined(contents))
        return encode(head[0], contents)

    def _until_the_end(self, depth: int) -> list[bytes]:
        found: list[bytes] = []
        while self._octets[self.at : self.at + 2] != _END:
            found.append(self.element(depth))
        self.at += len(_END)
        return found

    def _as_it_stands(self) -> bytes:
        reader = Reader(self._octets, self.at)
        made = reader.element()
        self.at = reader.at
        return made
