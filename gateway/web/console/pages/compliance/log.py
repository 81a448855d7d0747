"""The log of disclosures, looks, decisions and users. Looking at it is itself written down."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from gateway.credentials import UserRole
from gateway.ports import AuditEvent, AuditRow
from gateway.ports.overview import Trail, TrailWanted
from gateway.web.api import steps
from gateway.web.console import lists, sheets, times
from gateway.web.console.forms import Form
from gateway.web.console.language import N_
from gateway.web.console.lists import Listed
from gateway.web.console.page import Page, post
from gateway.web.console.visit import Visit, download
from gateway.web.console.words import GROUNDS, OUTCOMES

COMPLIANCE = frozenset({UserRole.COMPLIANCE})
MOST_EXPORTED = 10_000
"""Rows in one file; the period is chosen so that it fits."""
_FILTERS = ("wat", "van", "tot", "kenmerk", "partij", "grond", "besluit", "wie", "code")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Kind:
    """A group of events that somebody looks for."""

    text: str
    events: frozenset[str] = frozenset()
    prefix: str = ""


KINDS: Mapping[str, Kind] = {
    "verstrekkingen": Kind(
        N_("verstrekkingen"),
        frozenset({"delivery.acknowledged", "postvak.confirmed", "delivery.sent", "postvak.shown"}),
    ),
    "weigeringen": Kind(
        N_("weigeringen en niet bezorgd"),
        frozenset(
            {
                "message.refused",
                "delivery.refused",
                "delivery.dead",
                "delivery.withheld",
                "postvak.refused",
                "input.refused",
            }
        ),
    ),
    "besluiten": Kind(N_("toetsing en besluiten van het OM"), prefix="toets."),
    "inzage": Kind(N_("inzage: wie heeft gekeken"), frozenset({"toets.read", "console.looked"})),
    "gebruikers": Kind(N_("gebruikers en aanmelden"), prefix="console."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of the log."""

    row: AuditRow
    text: str
    facts: Sequence[tuple[str, str]]


def lines(visit: Visit, rows: Sequence[AuditRow]) -> list[Line]:
    """Return rows with their words."""
    return [
        Line(
            row=row,
            text=visit.say(steps.label(row.event.event, row.event.data.get("kind"))),
            facts=[(k, str(v)) for k, v in row.event.data.items() if v not in ("", None)],
        )
        for row in rows
    ]


def looked(visit: Visit, what: str, **facts: str) -> AuditEvent:
    """Return the audit row that somebody looked."""
    data = {"what": what, **{k: v for k, v in facts.items() if v}}
    return AuditEvent(event="console.looked", at=visit.now(), actor=visit.login, data=data)


async def log(visit: Visit) -> web.Response:
    """Show the log, newest first."""
    filters = {name: visit.query(name) for name in _FILTERS}
    form = Form(fields=filters)
    wanted = wanted_of(form)
    place = lists.place(visit.office.marks, "log", visit.query("na"))
    if form.faulty:
        return _log(visit, form, Listed(rows=()), filters)
    await visit.office.note(looked(visit, "log", **_named(filters)))
    trail = await visit.office.overview.trail(
        wanted, below=int(place) if place else None, limit=lists.PAGE
    )
    after = lists.onward(visit.office.marks, "log", "/verstrekkingen", filters, trail.last)
    first = lists.link("/verstrekkingen", filters) if place else ""
    return _log(
        visit, form, Listed(rows=lines(visit, trail.rows), first=first, next=after), filters
    )


def _named(filters: Mapping[str, str]) -> dict[str, str]:
    return {f"filter_{name}": text[:64] for name, text in filters.items() if text}


def _log(
    visit: Visit, form: Form, listed: Listed[Line], filters: Mapping[str, str]
) -> web.Response:
    parties = [(str(oin), one.name) for oin, one in visit.office.directory.parties.items()]
    return visit.show(
        "compliance/log.html",
        form=form,
        listed=listed,
        filters={name: text for name, text in filters.items() if text},
        kinds=KINDS,
        grounds=GROUNDS,
        outcomes=OUTCOMES,
        parties=parties,
    )


def wanted_of(form: Form) -> TrailWanted:
    """Return what the filters ask; says in the form what can not be read."""
    kind = KINDS.get(form.text("wat"), Kind(""))
    until = form.day("tot")
    return TrailWanted(
        since=form.day("van"),
        until=until + _DAY if until is not None else None,
        event=kind.prefix,
        events=kind.events,
        party=form.text("partij"),
        reference=form.text("kenmerk"),
        ground=form.text("grond"),
        outcome=form.text("besluit"),
        actor=form.text("wie"),
        code=form.text("code"),
    )


# --- export ---------------------------------------------------------------------------


async def export(visit: Visit) -> web.Response:
    """Give the same rows as a file; what for is asked, and written down first."""
    form = visit.form
    filters = {name: form.text(name) for name in _FILTERS}
    purpose = form.line(
        "doel", least=3, most=200, missing=N_("Zeg in 3 tot 200 tekens waarvoor u exporteert.")
    )
    wanted = wanted_of(form)
    shape = form.text("vorm")
    if shape not in {"csv", "jsonl"}:
        form.wrong("vorm", N_("Kies een vorm."))
    if form.faulty:
        return _log(visit, form, Listed(rows=()), filters)
    event = looked(visit, "export", purpose=purpose, shape=shape, **_named(filters))
    await visit.office.note(event)
    rows = await _all(visit, wanted)
    text = as_csv(rows) if shape == "csv" else as_json_lines(rows)
    kind = "text/csv" if shape == "csv" else "application/x-ndjson"
    name = f"verstrekkingslog-{visit.now():%Y-%m-%d}.{shape}"
    return download(text.encode(), kind=kind, name=name)


async def _all(visit: Visit, wanted: TrailWanted) -> list[AuditRow]:
    found: list[AuditRow] = []
    below: int | None = None
    while len(found) < MOST_EXPORTED:
        limit = min(1_000, MOST_EXPORTED - len(found))
        trail: Trail = await visit.office.overview.trail(wanted, below=below, limit=limit)
        found.extend(trail.rows)
        if trail.last is None:
            break
        below = trail.last
    return found


_COLUMNS = ("tijd", "gebeurtenis", "code", "partij", "wie", "bericht", "levering", "feiten", "hash")


def _cells(row: AuditRow) -> tuple[str, ...]:
    event = row.event
    return (
        times.iso(event.at),
        event.event,
        event.code,
        event.party,
        event.actor,
        event.message,
        event.delivery,
        json.dumps(dict(event.data), ensure_ascii=False, sort_keys=True) if event.data else "",
        row.hash,
    )


def as_csv(rows: Sequence[AuditRow]) -> str:
    """Return one line per row; see `sheets`."""
    return sheets.as_csv(_COLUMNS, map(_cells, rows))


def as_json_lines(rows: Sequence[AuditRow]) -> str:
    """Return one JSON object per line, with the hash of the chain."""
    return "".join(
        json.dumps(
            {
                **dict(zip(_COLUMNS, _cells(row), strict=True)),
                "feiten": dict(row.event.data),
                "keten": row.writer,
                "n": row.n,
                "vorige": row.previous,
            },
            ensure_ascii=False,
        )
        + "\n"
        for row in rows
    )


PAGES = (
    Page(path="/verstrekkingen", handler=log, roles=COMPLIANCE, nav=N_("Verstrekkingslog")),
    post("/verstrekkingen/export", export, roles=COMPLIANCE),
)
