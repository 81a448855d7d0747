"""What `gateway doctor` says of payloads and epoch keys: read-only, beside the running process."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta

from gateway.app import SystemClock
from gateway.errors import GatewayError
from gateway.installation import Installation
from gateway.keys.epochs import EpochKey, look
from gateway.rules.retention import Terms, traffic_due
from gateway.store.retention import Figures
from gateway.store.view import View

Line = tuple[str, str]
"""Mark and text."""


def retention(installation: Installation) -> Iterator[Line]:
    """Yield what is due for destruction and what stands under which epoch key."""
    clock = SystemClock()
    try:
        figures = asyncio.run(_figures(installation, clock))
    except GatewayError as error:
        if error.code == "store.path":
            yield "✓", "nog geen database: niets te vernietigen"
        return  # anything else is said with the database
    now = clock.now()
    yield from _due(figures, now)
    yield from _traffic(installation, figures, now)
    yield from _keys(installation, figures, now)


async def _figures(installation: Installation, clock: SystemClock) -> Figures:
    with View(installation.database, clock, password_file=installation.password_file) as view:
        return await view.retention()


def _due(figures: Figures, now: datetime) -> Iterator[Line]:
    oldest = "geen" if figures.oldest_live is None else _age(now - figures.oldest_live)
    count = f"{sum(figures.live.values())} aanwezig (oudste {oldest})"
    yield "✓", f"inhoud: {count}, {figures.due} te beoordelen, {figures.orphans} zonder bericht"
    if figures.overdue:
        yield "!", f"inhoud: {figures.overdue} meer dan een uur te laat; loopt de gateway?"


def _traffic(installation: Installation, figures: Figures, now: datetime) -> Iterator[Line]:
    settings = installation.settings
    terms = Terms.of(settings.retention, settings.rol)
    if figures.oldest_message is None or terms.traffic is None:
        return
    due = traffic_due(figures.oldest_message, terms)
    mark = "!" if due is not None and due <= now else "✓"
    term = f"te verwijderen na {settings.retention.traffic_days} dagen"
    yield mark, f"verkeersgegevens: oudste van {figures.oldest_message:%Y-%m-%d}, {term}"


def _keys(installation: Installation, figures: Figures, now: datetime) -> Iterator[Line]:
    keys = look(installation.path(installation.settings.paths.epoch_keys))
    for key in keys:
        yield "✓", f"epoch-sleutel {key.id}: {_key(key, now)}, {figures.live.get(key.id, 0)} inhoud"
    for id_ in sorted(figures.live.keys() - {key.id for key in keys}):
        yield "✗", f"epoch-sleutel {id_} ontbreekt: {figures.live[id_]} inhoud is onleesbaar"


def _key(key: EpochKey, now: datetime) -> str:
    age = _age(now - key.made_at)
    return f"{age} oud" if key.closed_at is None else f"{age} oud, gesloten"


def _age(span: timedelta) -> str:
    hours = int(span.total_seconds() // 3600)
    return f"{hours} uur" if hours < 48 else f"{hours // 24} dagen"  # noqa: PLR2004 - two days
