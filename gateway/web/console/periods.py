"""A month, a quarter or own dates, chosen in a form; never longer than a year."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from babel.dates import format_date

from gateway.ports.accounts import Language
from gateway.web.console.forms import Form
from gateway.web.console.language import N_, Say
from gateway.web.console.times import LOCALE
from gateway.wire.tijd import civil

MOST_DAYS = 366
MONTHS, QUARTERS = 13, 5
"""That can be chosen by name, this one included."""
OWN = "eigen"
_DAY = timedelta(days=1)
_YEAR, _QUARTER = 12, 3
"""In months."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Dutch days, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


def _months_later(month: date, n: int) -> date:
    year, rest = divmod(month.year * _YEAR + month.month - 1 + n, _YEAR)
    return date(year, rest + 1, 1)


def _from(month: date, months: int) -> Period:
    return Period(first=month, last=_months_later(month, months) - _DAY)


def _named(today: date) -> dict[str, Period]:
    """Return what can be chosen by name, the newest of each first."""
    month = today.replace(day=1)
    quarter = _months_later(month, -((month.month - 1) % _QUARTER))
    months = [_from(_months_later(month, -n), 1) for n in range(MONTHS)]
    quarters = [_from(_months_later(quarter, -n * _QUARTER), _QUARTER) for n in range(QUARTERS)]
    return {f"{one.first:%Y-%m}": one for one in months} | {
        f"{one.first.year}-K{_nth(one)}": one for one in quarters
    }


def _nth(quarter: Period) -> int:
    return (quarter.first.month - 1) // _QUARTER + 1


def options(today: date, language: Language, say: Say) -> Sequence[tuple[str, str]]:
    """Return value and text of each period that can be chosen."""
    found = []
    for value, one in _named(today).items():
        if "K" in value:
            text = say("{n}e kwartaal {year}", n=_nth(one), year=one.first.year)
        else:
            text = format_date(one.first, "MMMM y", locale=LOCALE[language])
        found.append((value, text))
    return [*found, (OWN, say(N_("eigen datums")))]


def chosen(form: Form, today: date) -> Period:
    """Return the period of a form; this month, and what is wrong in the form, when it has none."""
    named = _named(today)
    value = form.text("periode")
    if value != OWN:
        if value and value not in named:
            form.wrong("periode", N_("Kies een periode uit de lijst."))
        return named.get(value) or _from(today.replace(day=1), 1)
    return _own(form) or _from(today.replace(day=1), 1)


def _own(form: Form) -> Period | None:
    since, until = form.day("van"), form.day("tot")
    for name, found in (("van", since), ("tot", until)):
        if found is None:
            form.wrong(name, N_("Vul een datum in."))
    if since is None or until is None:
        return None
    period = Period(first=civil(since).date(), last=civil(until).date())
    if period.days < 1:
        form.wrong("tot", N_("Deze datum ligt voor de eerste."))
    elif period.days > MOST_DAYS:
        form.wrong("tot", N_("Kies ten hoogste een jaar."))
    else:
        return period
    return None
