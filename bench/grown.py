"""A melding with so many betrokkenen that it has a given size."""

from dataclasses import dataclass

_FIRST, _LAST = b"<JZ:heeftBetrokken", b"</JZ:heeftBetrokken>"
_BSN, _NO_BSN = b">999990019</", b">999990018</"
_ROLE, _NO_ROLE = b">jeugdige</", b">geen rol</"


def grown(example: bytes, octets: int) -> bytes:
    """Return a valid melding of at most that many octets."""
    parts = _Parts.of(example)
    return parts.head + parts.piece * parts.fitting(octets) + parts.tail


def spoiled_last(example: bytes, octets: int) -> bytes:
    """Return one whose very last betrokkene has a wrong value."""
    parts = _Parts.of(example)
    many = parts.piece * (parts.fitting(octets) - 1)
    return parts.head + many + parts.piece.replace(_ROLE, _NO_ROLE) + parts.tail


def rule_broken_last(example: bytes, octets: int) -> bytes:
    """Return one that keeps its schema and whose very last BSN is none."""
    parts = _Parts.of(example)
    many = parts.piece * (parts.fitting(octets) - 1)
    wrong = parts.piece.replace(_BSN, _NO_BSN)
    assert wrong != parts.piece
    return parts.head + many + wrong + parts.tail


def spoiled_all(example: bytes, octets: int) -> bytes:
    """Return one in which every betrokkene has a wrong value."""
    parts = _Parts.of(example)
    wrong = parts.piece.replace(_ROLE, _NO_ROLE)
    return parts.head + wrong * parts.fitting(octets) + parts.tail


def one_long_text(example: bytes, octets: int) -> bytes:
    """Return one with a single text that is as long as fits, and too long for its element."""
    start, end = b"<BG:voorvoegselGeslachtsnaam>", b"</BG:voorvoegselGeslachtsnaam>"
    head, _, rest = example.partition(start)
    _, _, tail = rest.partition(end)
    return head + start + b"v" * (octets - len(example)) + end + tail


def cut_off(example: bytes, octets: int) -> bytes:
    """Return one that ends in the middle."""
    return grown(example, octets)[:-200]


@dataclass(frozen=True, slots=True)
class _Parts:
    head: bytes
    piece: bytes
    """The first betrokkene."""
    tail: bytes

    @classmethod
    def of(cls, example: bytes) -> "_Parts":
        start = example.index(_FIRST)
        end = example.index(_LAST, start) + len(_LAST)
        piece = example[start:end]
        assert _ROLE in piece
        return cls(example[:start], piece, example[end:])

    def fitting(self, octets: int) -> int:
        return (octets - len(self.head) - len(self.tail)) // len(self.piece)
