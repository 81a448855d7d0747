"""Texts for people: Dutch as it stands in the code and the templates, English from `locale/en`."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

from gateway.ports.accounts import Language

_FOLDER = Path(__file__).parent / "locale"
Say = Callable[..., str]
"""Gives a text in one language, with `{names}` filled in."""


def N_(text: str) -> str:  # noqa: N802 - the name that extractors of texts know
    """Mark a text that is said later; it stays as it is."""
    return text


@cache
def catalogue(language: Language) -> Mapping[str, str]:
    """Return Dutch → that language; empty for Dutch itself."""
    found: dict[str, str] = {}
    for path in sorted((_FOLDER / language.value).glob("*.po")):
        with path.open("rb") as file:
            found |= {
                str(one.id): str(one.string) for one in read_po(file) if one.id and one.string
            }
    return found


def say_in(language: Language) -> Say:
    """Return what says texts in a language; one without a translation stays Dutch."""
    texts = catalogue(language)

    def say(text: str, **values: object) -> str:
        said = texts.get(text, text)
        return said.format(**values) if values else said

    return say
