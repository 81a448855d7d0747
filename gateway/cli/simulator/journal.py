"""What a player prints: each step as it happens, and a summary. Never a value of a payload."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from rich.markup import escape
from rich.table import Table

from gateway.cli.screen import screen
from gateway.wire.tijd import civil

IN, OUT, OWN = "←", "→", "·"
"""Came in, went out, happened here."""
_SHOWN = 8
"""Characters of a referentienummer: enough to find it, as the demo shows it."""
_WIDTH = 110


class Journal:
    """One console."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Write to standard output, plain when it is not a terminal."""
        self._console = screen(_WIDTH, markup=True)
        self._now = now
        self._counts: Counter[tuple[str, str]] = Counter()

    def say(self, direction: str, what: str, text: str, *, about: str = "", on: str = "") -> None:
        """Print a step and count it; `about` is a referentienummer, `on` that of the question."""
        self._counts[(f"{direction} {what}", text)] += 1
        moment = f"{civil(self._now()):%H:%M:%S.%f}"[:12]
        line = f"{direction} {what:<30} {about[:_SHOWN]:<8}  {text}"
        line += f", op {on[:_SHOWN]}" if on else ""
        self._console.print(f"[dim]{moment}[/dim] {escape(line)}", soft_wrap=True)

    def note(self, text: str) -> None:
        """Print a line that is no step."""
        self._console.print(text, markup=False, soft_wrap=True)

    def summary(self) -> None:
        """Print how often each step was taken."""
        table = Table(title="Samenvatting", title_justify="left", title_style="bold")
        table.add_column("bericht")
        table.add_column("stap", overflow="fold")
        table.add_column("aantal", justify="right")
        for (what, text), count in sorted(self._counts.items()):
            table.add_row(escape(what), escape(text), str(count))
        self._console.print(table)
