"""Where commands print: wide enough for whole ids when no terminal says how wide it is."""

from collections.abc import Sequence
from typing import TypeVar

from rich.console import Console

T = TypeVar("T")
WIDTH = 200


def screen(width: int = WIDTH, *, markup: bool = False) -> Console:
    """Return the console; `width` columns count only where there is no terminal.

    With `markup` the caller escapes what is not its own: names come from certificates and
    partners.
    """
    console = Console(highlight=False, markup=markup)
    return console if console.is_terminal else Console(highlight=False, markup=markup, width=width)


def newest(found: Sequence[T], limit: int) -> Sequence[T]:
    """Return the first `limit`, and say that there are more where one more was found."""
    if len(found) > limit:
        print(f"Dit zijn de nieuwste {limit}; er zijn er meer: --limit.")
    return found[:limit]
