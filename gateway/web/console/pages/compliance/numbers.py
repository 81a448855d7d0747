"""Numbers per period as charts, out of the daily totals. Looking at them is written down."""

from collections.abc import Iterator
from datetime import timedelta

from aiohttp import web
from babel.dates import format_date
from babel.numbers import format_decimal

from gateway.ports import AuditEvent, DeliveryChannel
from gateway.ports.tallies import Count, Tallied
from gateway.web.console.forms import Form
from gateway.web.console.language import N_
from gateway.web.console.lists import link
from gateway.web.console.page import Page
from gateway.web.console.pages.compliance.figures import figures
from gateway.web.console.pages.compliance.log import COMPLIANCE, looked
from gateway.web.console.pages.operator.messages import CHANNELS
from gateway.web.console.periods import OWN, Period, chosen, options
from gateway.web.console.sheets import as_csv
from gateway.web.console.times import LOCALE
from gateway.web.console.visit import Visit, download
from gateway.wire.tijd import civil

_FIELDS = ("periode", "van", "tot")
_COLUMNS = ("van", "tot", "maat", "soort", "uitsplitsing", "aantal", "minuten samen")
_MINUTE = timedelta(minutes=1)


async def numbers(visit: Visit) -> web.Response:
    """Show the charts of a period."""
    form, period = _asked(visit)
    if form.faulty:
        return _show(visit, form, period, None)
    await visit.office.note(_looked(visit, "numbers", period))
    tallied = await visit.office.tallies.between(period.first, period.last)
    return _show(visit, form, period, tallied)


async def export(visit: Visit) -> web.Response:
    """Give the totals of a period as a file."""
    form, period = _asked(visit)
    if form.faulty:
        return _show(visit, form, period, None)
    await visit.office.note(_looked(visit, "numbers.export", period))
    tallied = await visit.office.tallies.between(period.first, period.last)
    text = as_csv(_COLUMNS, _cells(period, tallied))
    name = f"cijfers-{period.first}-{period.last}.csv"
    return download(text.encode(), kind="text/csv", name=name)


def _asked(visit: Visit) -> tuple[Form, Period]:
    form = Form(fields={name: visit.query(name) for name in _FIELDS})
    return form, chosen(form, civil(visit.now()).date())


def _looked(visit: Visit, what: str, period: Period) -> AuditEvent:
    return looked(visit, what, first=str(period.first), last=str(period.last))


def _show(visit: Visit, form: Form, period: Period, tallied: Tallied | None) -> web.Response:
    language = visit.language
    shown = tallied and figures(
        tallied,
        period,
        say=visit.say,
        language=language,
        party=visit.office.party,
        channel=lambda name: _channel(visit, name),
    )
    value = form.text("periode") or f"{period.first:%Y-%m}"
    fields = {"periode": value, "van": form.text("van"), "tot": form.text("tot")}
    return visit.show(
        "compliance/numbers.html",
        form=form,
        value=value,
        own=OWN,
        options=options(civil(visit.now()).date(), language, visit.say),
        first=format_date(period.first, "d MMMM y", locale=LOCALE[language]),
        last=format_date(period.last, "d MMMM y", locale=LOCALE[language]),
        shown=shown,
        upto=tallied.upto if tallied else None,
        number=lambda n: format_decimal(n, locale=LOCALE[language]),
        file=link("/cijfers/csv", fields if value == OWN else {"periode": value}),
    )


def _channel(visit: Visit, name: str) -> str:
    known = name in {*DeliveryChannel}
    return visit.say(CHANNELS[DeliveryChannel(name)]) if known else name


def _cells(period: Period, tallied: Tallied) -> Iterator[tuple[str, ...]]:
    for one in tallied.counts:
        yield (
            str(period.first),
            str(period.last),
            one.measure.value,
            one.kind,
            one.detail,
            str(one.n),
            _minutes(one),
        )


def _minutes(one: Count) -> str:
    return str(round(one.spent / _MINUTE)) if one.spent else ""


PAGES = (
    Page(path="/cijfers", handler=numbers, roles=COMPLIANCE, nav=N_("Cijfers")),
    Page(path="/cijfers/csv", handler=export, roles=COMPLIANCE),
)
