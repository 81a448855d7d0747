"""Daily totals as the tables and charts of a page. No I/O."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from babel.dates import format_date

from gateway.ports.accounts import Language
from gateway.ports.tallies import (
    BY_RECEIVER,
    BY_US,
    IN_TIME,
    LATE,
    NO_TERM,
    OVER,
    PARTS,
    UNPROVEN,
    Count,
    Measure,
    Tallied,
)
from gateway.web.console import words
from gateway.web.console.charts import Bars, Share, Shares, bars, shares
from gateway.web.console.language import N_, Say
from gateway.web.console.periods import Period
from gateway.web.console.times import LOCALE
from gateway.web.console.words import GROUNDS
from gateway.wire.toets import Uitkomst

DAYS_APART = 31
"""Longer periods are shown by month."""
MOST_CODES = 20
_BACK = {
    IN_TIME: N_("ingetrokken, op tijd"),
    LATE: N_("ingetrokken, te laat"),
}
_PARTS = {
    "25": N_("tot een kwart"),
    "50": N_("tot de helft"),
    "75": N_("tot driekwart"),
    "100": N_("tot het einde"),
    OVER: N_("na de termijn"),
    NO_TERM: N_("zonder termijn"),
}
_REFUSERS = {
    BY_US: N_("hier geweigerd"),
    BY_RECEIVER: N_("door de ontvanger"),
    UNPROVEN: N_("hier, van onbekende herkomst"),
}
_IN_TERM = frozenset(str(part) for part in PARTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """Deadlines of one kind of message: how many decisions, in time, and how long they took."""

    share: Share
    late: int
    mean: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Deadlines, by kind of message and by the part of the term that was taken."""

    kinds: Sequence[Term]
    parts: Bars


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Everything on the page."""

    offered: Shares
    grounds: Bars
    rulings: Bars
    holding: Shares
    holds: Terms
    decisions: Bars
    deciding: Terms
    codes: Bars
    receivers: Bars
    channels: Bars


def figures(
    tallied: Tallied,
    period: Period,
    *,
    say: Say,
    language: Language,
    party: Callable[[str], str],
    channel: Callable[[str], str],
) -> Figures:
    """Return the charts of a period."""
    of: dict[Measure, list[Count]] = defaultdict(list)
    for one in tallied.counts:
        of[one.measure].append(one)
    return Figures(
        offered=_over_time(tallied.per_day, period, language),
        grounds=bars(_named(of[Measure.RELEASED], GROUNDS, say)),
        rulings=_decisions(of[Measure.RULED], of[Measure.WITHDRAWN], say),
        holding=_holding(of[Measure.OFFERED], of[Measure.HELD]),
        holds=_terms(of[Measure.HOLDING], say),
        decisions=_decisions(of[Measure.DECIDED], of[Measure.TAKEN_BACK], say),
        deciding=_terms(of[Measure.DECIDING], say),
        codes=_codes(of[Measure.REFUSED], say),
        receivers=bars(_most(of[Measure.DISCLOSED], party)),
        channels=bars(_most(of[Measure.CHANNEL], channel)),
    )


def _over_time(
    per_day: Sequence[tuple[date, Measure, int]], period: Period, language: Language
) -> Shares:
    by_day = period.days <= DAYS_APART
    form = "EE d MMM" if by_day else "MMMM y"
    found: dict[date, Counter[Measure]] = defaultdict(Counter)
    for day, measure, n in per_day:
        found[day if by_day else day.replace(day=1)][measure] += n
    return shares(
        (format_date(day, form, locale=LOCALE[language]), n[Measure.OFFERED], n[Measure.HELD])
        for day, n in sorted(found.items())
    )


def _by_detail(counts: Iterable[Count]) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in counts:
        found[one.detail] += one.n
    return found


def _named(counts: Iterable[Count], names: Mapping[str, str], say: Say) -> list[tuple[str, int]]:
    """Return every name with its number, also 0, and behind them what has no name here."""
    found = _by_detail(counts)
    named = [(say(text), found.pop(key, 0)) for key, text in names.items()]
    return [*named, *sorted(found.items())]


def _decisions(decided: Sequence[Count], back: Sequence[Count], say: Say) -> Bars:
    outcomes = {str(one): words.decided(one.value).text for one in Uitkomst}
    taken = _named(back, _BACK, say) if any(one.detail for one in back) else []
    if back and not taken:
        taken = [(say(N_("ingetrokken")), sum(one.n for one in back))]
    return bars([*_named(decided, outcomes, say), *taken])


def _by_kind(counts: Iterable[Count]) -> Counter[str]:
    found: Counter[str] = Counter()
    for one in counts:
        found[one.kind] += one.n
    return found


def _holding(offered: Iterable[Count], held: Iterable[Count]) -> Shares:
    whole, part = _by_kind(offered), _by_kind(held)
    return shares((kind, n, part[kind]) for kind, n in sorted(whole.items()))


def _terms(counts: Sequence[Count], say: Say) -> Terms:
    all_, timely = _by_kind(counts), _by_kind(one for one in counts if one.detail in _IN_TERM)
    late = _by_kind(one for one in counts if one.detail == OVER)
    spent: dict[str, timedelta] = defaultdict(timedelta)
    for one in counts:
        spent[one.kind] += one.spent
    drawn = shares((kind, n, timely[kind]) for kind, n in sorted(all_.items()))
    kinds = [
        Term(share=one, late=late[one.label], mean=spent[one.label] / one.whole)
        for one in drawn.rows
    ]
    return Terms(kinds=kinds, parts=bars(_named(counts, _PARTS, say)))


def _codes(refused: Iterable[Count], say: Say) -> Bars:
    rows = Counter({(one.detail, one.kind): one.n for one in refused}).most_common()
    named = [(f"{code} ({say(_REFUSERS.get(by, by))})", n) for (code, by), n in rows[:MOST_CODES]]
    rest = sum(n for _, n in rows[MOST_CODES:])
    return bars([*named, (say(N_("overige codes")), rest)] if rest else named)


def _most(counts: Iterable[Count], name: Callable[[str], str]) -> list[tuple[str, int]]:
    return [(name(detail), n) for detail, n in _by_detail(counts).most_common()]
