"""Where commands print: wide enough for whole ids when no terminal says how wide it is."""

from rich.console import Console

WIDTH = 200


def screen(width: int = WIDTH, *, markup: bool = False) -> Console:
    """Return the console; `width` columns count only where there is no terminal.

    With `markup` the caller escapes what is not its own: names come from certificates and
    partners.
    """
    console = Console(highlight=False, markup=markup)
    return console if console.is_terminal else Console(highlight=False, markup=markup, width=width)
