"""What the demo prints: chapters, steps as they happen, and a table at the end."""

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from gateway.cli.screen import screen

LABELS = {
    "message.handed_in": "aangeleverd over REST",
    "message.received": "ontvangen; de zender staat vast",
    "message.opened": "ontsleuteld, handtekening geverifieerd",
    "message.validated": "schema en regels in orde",
    "message.classified": "geclassificeerd",
    "message.held": "VASTGEHOUDEN voor het OM",
    "message.released": "mag de deur uit",
    "message.routed": "gerouteerd",
    "message.refused": "geweigerd",
    "message.answered": "beantwoord",
    "message.made": "antwoord gemaakt",
    "message.duplicate": "dubbel ontvangen: bevestigd, niet nog eens opgenomen",
    "acknowledgment.queued": "ontvangstbevestiging ondertekend en klaargezet",
    "delivery.signed": "ondertekend",
    "delivery.encrypted": "versleuteld voor de ontvanger",
    "delivery.sent": "verzonden (nog niet bezorgd)",
    "delivery.retry": "niet gelukt, nieuwe poging gepland",
    "delivery.acknowledged": "BEZORGD: getekende Acknowledgment, digests kloppen",
    "delivery.dead": "opgegeven",
    "delivery.switched": "OMGEZET naar beveiligde e-mail: onverwijlde spoed",
    "mail.sealed": "ondertekend en versleuteld als S/MIME",
    "mail.proved": "mailserver bewezen: DNSSEC, DANE, TLS",
    "mail.receipt": "BEZORGD: getekend ontvangstbewijs van de ontvanger",
    "postvak.shown": "getoond in het postvak",
    "postvak.confirmed": "bevestigd door het ontvangende systeem",
}

SIGNAL_LABELS = {
    "delivery.sent": "ontvangstbevestiging verzonden",
    "delivery.retry": "ontvangstbevestiging niet verzonden, nieuwe poging gepland",
}

WIDTH = 120
"""Columns, where no terminal says how many there are."""


class Show:
    """One console for the whole demo."""

    def __init__(self) -> None:
        """Write to standard output, plain when it is not a terminal."""
        self.console = screen(WIDTH, markup=True)
        self._seen: set[tuple[str, ...]] = set()

    def chapter(self, title: str) -> None:
        self.console.print(f"\n[bold]{title}[/bold]")

    def line(self, text: str) -> None:
        self.console.print(f"  {text}", markup=False, soft_wrap=True)

    def good(self, text: str) -> None:
        self.console.print(f"  [green]✓[/green] {text}", soft_wrap=True)

    def steps(self, messages: Sequence[tuple[str, dict[str, Any]]]) -> None:
        """Print the steps of (place, message) that were not printed before, by time."""
        fresh = []
        for place, message in messages:
            signals = {d["id"] for d in message["leveringen"] if d["soort"] == "signaal"}
            for step in message["stappen"]:
                key = (place, message["id"], step["tijd"], step["gebeurtenis"], step["levering"])
                label = _label(step, signals)
                if key not in self._seen and label is not None:
                    self._seen.add(key)
                    fresh.append((step["tijd"], place, label, step["code"]))
        for time, place, label, code in sorted(fresh, key=lambda f: f[0]):
            told = f"{label} · {code}" if code else label
            self.console.print(f"  [dim]{time[11:23]}[/dim] {place:<12} {told}", soft_wrap=True)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        table = Table(title=title, title_justify="left", title_style="bold")
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(*row)
        self.console.print(table)


def _label(step: dict[str, Any], signals: set[str]) -> str | None:
    if step["levering"] in signals and step["gebeurtenis"].startswith("delivery."):
        return SIGNAL_LABELS.get(step["gebeurtenis"])
    return LABELS.get(step["gebeurtenis"])
