"""Moments and spans as people read them: Dutch civil time, absolute and relative."""

from datetime import UTC, datetime, timedelta

from babel.dates import format_datetime
from markupsafe import Markup

from gateway.ports.accounts import Language
from gateway.web.console.language import Say
from gateway.wire.tijd import civil

LOCALE = {Language.NL: "nl", Language.EN: "en_GB"}
_DAY = timedelta(days=1)


def offset(at: datetime) -> timedelta:
    """Return the offset of Dutch civil time at a moment."""
    return civil(at) - at.astimezone(UTC).replace(tzinfo=None)


def zone(at: datetime) -> str:
    """Return CET or CEST."""
    return "CEST" if offset(at) == timedelta(hours=2) else "CET"


def iso(at: datetime) -> str:
    """Return ISO 8601 with the Dutch offset, to the second."""
    hours = int(offset(at) / timedelta(hours=1))
    return f"{civil(at):%Y-%m-%dT%H:%M:%S}+{hours:02d}:00"


def in_table(at: datetime, language: Language) -> str:
    """Return `ma 23 nov 2026, 14:05`; with the zone in the hour that comes twice."""
    text = format_datetime(civil(at), "EEE d MMM y, HH:mm", locale=LOCALE[language])
    return f"{text} {zone(at)}" if _twice(at) else text


def in_trace(at: datetime, language: Language) -> str:
    """Return the moment to the millisecond, with the zone."""
    text = format_datetime(civil(at), "EEE d MMM y, HH:mm:ss", locale=LOCALE[language])
    return f"{text}.{at.microsecond // 1000:03d} {zone(at)}"


def in_sentence(at: datetime, language: Language) -> str:
    """Return `23 november 2026 om 14:05 uur`."""
    form = "d MMMM y 'om' HH:mm 'uur'" if language is Language.NL else "d MMMM y 'at' HH:mm"
    return format_datetime(civil(at), form, locale=LOCALE[language])


def clock(at: datetime) -> str:
    """Return `14:05`."""
    return f"{civil(at):%H:%M}"


def _twice(at: datetime) -> bool:
    """Tell whether this civil time comes, or came, again an hour away."""
    hour = timedelta(hours=1)
    return civil(at) == civil(at + hour) or civil(at) == civil(at - hour)


def element(at: datetime, text: str) -> Markup:
    """Return a `<time>` with the exact moment."""
    return Markup('<time datetime="{}">{}</time>').format(iso(at), text)


def span(length: timedelta, say: Say) -> str:
    """Return `3 u 20 min`, `20 min` or `3 dagen`."""
    minutes = int(length / timedelta(minutes=1))
    if length >= 2 * _DAY:
        return say("{n} dagen", n=length.days)
    if minutes >= 60:  # noqa: PLR2004 - minutes of an hour
        return say("{h} u {m} min", h=minutes // 60, m=minutes % 60)
    return say("{m} min", m=minutes)


def term(deadline: datetime, now: datetime, say: Say) -> str:
    """Return how long there is, or since when it is too late."""
    left = deadline - now
    if left >= timedelta(0):
        return say("nog {span}", span=span(left, say))
    return say("te laat sinds {at} ({span})", at=clock(deadline), span=span(-left, say))
