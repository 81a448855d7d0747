"""Find the words of a term list in free text, however they were typed (domain 9.1.3).

A text is read the way a person reads it: what cannot be seen does not count (soft hyphens,
zero-width characters, accents), a letter counts whatever its shape (full width, bold), and a word
that is broken off at the end of a line is one word. Letters of another alphabet within a Latin
word have no such reading: they look like a word of the list and are none.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cache

from gateway.directory import TermList

_STEM = re.compile(r"\w[\w .-]*\*?")
_HYPHENS = "-\u00ad\u2010\u2011"
_BROKEN = re.compile(rf"(?<=\w)[{_HYPHENS}]\s*[\r\n\u0085\u2028\u2029]\s*(?=\w)")
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")
"""Letters by their category that are nothing to see."""
_MICRO = "\u00b5"
"""The sign of a unit (5 µg) is compatible with a Greek letter."""
_LATIN = "a-z\u00df-\u00f6\u00f8-\u024f\u1e00-\u1eff"
_LOOKALIKE = (
    "\u0250-\u02af\u0370-\u03ff\u0400-\u052f\u0531-\u0586\u10a0-\u10ff\u13a0-\u13fd\u1c80-\u1cbf"
    "\u1d00-\u1d7f\u1f00-\u1fff\u2c00-\u2cff\u2de0-\u2dff\ua4d0-\ua4fd\ua640-\ua69f\uab30-\uabbf"
)
"""Phonetic, Greek, Cyrillic, Armenian, Georgian, Cherokee, Glagolitic, Coptic, Lisu."""
_FEW = 16
"""So many are taken out sooner one by one."""
_MIXED = re.compile(rf"[{_LATIN}][{_LOOKALIKE}]|[{_LOOKALIKE}][{_LATIN}]")


def usable(term: str) -> bool:
    """Tell whether a term of a list is a word, or words, with an asterisk at most at its end."""
    return bool(_STEM.fullmatch(term)) and bool(_folded(term).removesuffix("*").strip())


class FreeText:
    """One text, read once."""

    def __init__(self, text: str) -> None:
        """Take the text of an element."""
        self._readings = tuple(_readings(text))

    def list_met(self, lists: Iterable[TermList]) -> str | None:
        """Return the name of the first list with a word in the text; None when there is none."""
        met = (one.name for one in lists if any(map(_matcher(one), self._readings)))
        return next(met, None)

    def mixes_alphabets(self) -> bool:
        """Tell whether a word has letters of another alphabet beside Latin ones."""
        return any(not text.isascii() and _MIXED.search(text) for text in self._readings)


@cache
def _matcher(terms: TermList) -> Callable[[str], object]:
    """Match whole words; a term with an asterisk matches what begins so."""
    stems = (
        r"\s+".join(map(re.escape, _folded(term).removesuffix("*").split()))
        + ("" if term.endswith("*") else r"(?!\w)")
        for term in terms.terms
    )
    return re.compile(rf"(?<!\w)(?:{'|'.join(stems)})").search


def _readings(text: str) -> Iterator[str]:
    """A hyphen at the end of a line belongs to the word, or was put there to break it."""
    yield _folded(text)
    if _BROKEN.search(text):
        yield _folded(_BROKEN.sub("", text))
        yield _folded(_BROKEN.sub("-", text))


def _folded(text: str) -> str:
    if text.isascii():
        return text.casefold()
    plain = unicodedata.normalize("NFKC", text.replace(_MICRO, "u")).casefold()
    return _seen(unicodedata.normalize("NFKD", plain))


def _seen(text: str) -> str:
    unseen = [character for character in set(text) if _hidden(character)]
    if len(unseen) > _FEW:
        return text.translate(dict.fromkeys(map(ord, unseen)))
    for character in unseen:
        text = text.replace(character, "")
    return text


def _hidden(character: str) -> bool:
    return character in _FILLERS or unicodedata.category(character) in {"Cf", "Mn", "Me"}
