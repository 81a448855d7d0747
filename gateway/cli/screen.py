"""Where commands print: wide enough for whole ids when no terminal says how wide it is."""

from rich.console import Console

WIDTH = 200


def screen(width: int = WIDTH) -> Console:
    """Return the console; `width` columns count only where there is no terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=width)
