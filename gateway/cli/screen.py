"""Where commands print: wide enough for whole ids when no terminal says how wide it is."""

from rich.console import Console

WIDTH = 200


def screen(width: int = WIDTH) -> Console:
    """Return the console; `width` columns count only where there is no terminal.

    Nothing in a text is markup: names come from certificates and partners.
    """
    console = Console(highlight=False, markup=False)
    return console if console.is_terminal else Console(highlight=False, markup=False, width=width)
