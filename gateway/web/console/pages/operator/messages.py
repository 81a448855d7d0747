"""Messages: searching, one message with its trace, and what a person decides about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import quote

from aiohttp import web

from gateway.errors import NoRoute
from gateway.lifecycle import State
from gateway.message import MessageStatus
from gateway.ports import (
    TO_PARTNERS,
    AuditRow,
    DeliveryChannel,
    DeliveryKind,
    DeliveryView,
    Direction,
    Known,
    MessageView,
    Standing,
    Summary,
    Wanted,
    standing,
)
from gateway.ports.reading import Answered
from gateway.rules.mailing import Heard, heard_as
from gateway.store.decisions import RESUMABLE, STOPPABLE
from gateway.web.api import steps
from gateway.web.console import lists, searches, words
from gateway.web.console.forms import Form
from gateway.web.console.language import N_
from gateway.web.console.lists import Listed
from gateway.web.console.page import Page, post
from gateway.web.console.pages.operator.refused import Handled
from gateway.web.console.pages.operator.today import LOOKING, OPERATOR
from gateway.web.console.visit import Visit
from gateway.web.control import Command, What
from gateway.wire.stuf import ANSWERS

DIRECTIONS: Mapping[Direction, str] = {
    Direction.INBOUND: N_("ontvangen"),
    Direction.OUTBOUND: N_("van een eigen systeem"),
    Direction.OWN: N_("hier gemaakt"),
}
CHANNELS: Mapping[DeliveryChannel, str] = {
    DeliveryChannel.EBMS2: "ebMS2",
    DeliveryChannel.POSTVAK: N_("postvak"),
    DeliveryChannel.DESK: N_("officieren hier"),
    DeliveryChannel.MAIL: N_("beveiligde e-mail"),
}
MAIL = "email"
"""The form, in the place of a delivery: what is decided about is the whole message."""
LATE = frozenset({State.READY, State.SENT, State.UNKNOWN, State.DEAD})
"""What may need another way."""
_SEARCH = "zoek"
LOOKED_AT = 50_000
"""Messages that one page looks at, at most, for filters that no index helps."""
_FILTERS = ("status", "soort", "richting", "kenmerk", "sinds")
_NAMES = {
    "status": N_("Status"),
    "soort": N_("Berichtsoort"),
    "richting": N_("Richting"),
    "kenmerk": N_("Kenmerk"),
    "sinds": N_("Sinds"),
    "zaak": N_("Zaak"),
}
_DONE = {
    "hervat": N_("Het bericht wordt opnieuw verzonden."),
    "gestaakt": N_("De verzending is gestaakt. De zender hoort het."),
    "opnieuw": N_("Het bericht is opnieuw aangeboden; dit is het nieuwe bericht."),
    "neem": N_("Anderen zien nu dat u dit in behandeling hebt."),
    "laat": N_("Anderen kunnen dit nu in behandeling nemen."),
    "sluit": N_("Afgesloten. Het staat niet meer in de lijst Geweigerd."),
    "email": N_("Het bericht gaat verder per beveiligde e-mail."),
    "navraag-er": N_("De ontvanger zegt dat hij het bericht heeft. Dat beslist niets: u beslist."),
    "navraag-niet": N_("De ontvanger zegt dat hij het bericht niet kent."),
    "navraag-stil": N_("De ontvanger gaf geen bruikbaar antwoord; het verloop zegt waarom."),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A message in the list."""

    summary: Summary
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A filter that is on, and the address without it."""

    name: str
    text: str
    without: str


async def overview(visit: Visit) -> web.Response:
    """List messages, newest first."""
    filters = {name: visit.query(name) for name in _FILTERS}
    zaak = await searches.find(visit, _SEARCH, visit.query("zoek"))
    form = Form(fields={**filters, "zaak": zaak})
    wanted = _wanted(form)
    search = {**filters, "zoek": visit.query("zoek") if zaak else ""}
    place = lists.place(visit.office.marks, "berichten", visit.query("na"))
    if form.faulty:
        return _list(visit, form, Listed(rows=()), search)
    page = await visit.office.gateway.reader.look_back(
        wanted, below=int(place) if place else None, limit=lists.PAGE, most=LOOKED_AT
    )
    rows = [
        Row(summary=one, standing=standing(one.states, accepted=one.message.accepted))
        for one in page.found
    ]
    after = lists.onward(visit.office.marks, "berichten", "/berichten", search, page.last)
    first = lists.link("/berichten", search) if place else ""
    return _list(visit, form, Listed(rows=rows, first=first, next=after), search)


def _list(visit: Visit, form: Form, listed: Listed[Row], search: Mapping[str, str]) -> web.Response:
    kinds = sorted({name for name, _version in visit.office.directory.catalogue.kinds})
    return visit.show(
        "operator/messages.html",
        form=form,
        listed=listed,
        applied=_applied(visit, form, search),
        standings=list(Standing),
        directions=DIRECTIONS,
        kinds=kinds,
    )


def _applied(visit: Visit, form: Form, search: Mapping[str, str]) -> list[Applied]:
    on = {name: form.text(name) for name in (*_FILTERS, "zaak") if form.text(name)}
    found = []
    for name, text in on.items():
        rest = {k: v for k, v in search.items() if k != ("zoek" if name == "zaak" else name)}
        found.append(
            Applied(
                name=visit.say(_NAMES[name]),
                text=_word(visit, name, text),
                without=lists.link("/berichten", rest),
            )
        )
    return found


def _word(visit: Visit, name: str, text: str) -> str:
    if name == "status" and text == Answered.REFUSED:
        return visit.say(words.REFUSED_BY_RECEIVER.text)
    if name == "status" and text in {*Standing}:
        return visit.say(words.standing(Standing(text)).text)
    if name == "richting" and text in {*Direction}:
        return visit.say(DIRECTIONS[Direction(text)])
    return text


def _wanted(form: Form) -> Wanted:
    status, direction = form.text("status"), form.text("richting")
    return Wanted(
        since=form.day("sinds"),
        referentienummer=form.text("kenmerk") or None,
        zaak=form.text("zaak") or None,
        kind=form.text("soort") or None,
        direction=Direction(direction) if direction in {*Direction} else None,
        standing=Standing(status) if status in {*Standing} else None,
        answer=Answered.REFUSED if status == Answered.REFUSED else None,
    )


async def search(visit: Visit) -> web.Response:
    """Keep what may name a case, so that it does not stand in an address."""
    zaak = visit.form.text("zaak")
    if not zaak:
        return visit.go("/berichten")
    id_ = await searches.keep(visit, _SEARCH, zaak)
    return visit.go(f"/berichten?zoek={id_}")


# --- one message ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A row of the trace, with how long after the one before."""

    row: AuditRow
    text: str
    took: timedelta
    bad: bool
    facts: Sequence[tuple[str, str]]


_HIDDEN = frozenset({"sha256"})
_BAD = frozenset({"message.refused", "delivery.refused", "delivery.dead", "delivery.unknown"})


def trace(visit: Visit, rows: Sequence[AuditRow]) -> list[Step]:
    """Return the steps, oldest first."""
    found = []
    before = rows[0].event.at if rows else None
    for row in rows:
        at = row.event.at
        found.append(
            Step(
                row=row,
                text=visit.say(steps.label(row.event.event, row.event.data.get("kind"))),
                took=at - before if before is not None else timedelta(0),
                bad=row.event.event in _BAD or bool(row.event.code),
                facts=[
                    (name, str(value))
                    for name, value in row.event.data.items()
                    if value not in ("", None) and name not in _HIDDEN
                ],
            )
        )
        before = at
    return found


async def found(visit: Visit) -> MessageView:
    """Return the message of the address; raises NoRoute `bericht.onvindbaar`."""
    view = await visit.office.gateway.reader.message(visit.path("id"))
    if view is None:
        raise NoRoute("bericht.onvindbaar", "Dit bericht is hier niet bekend.")
    return view


async def message(visit: Visit) -> web.Response:
    """Show one message, without its content."""
    return await show_message(visit)


async def show_message(visit: Visit, acting: str = "") -> web.Response:
    """Show one; `acting` is the delivery, or the form, where something has to be mended."""
    view = await found(visit)
    states = [d.state for d in view.deliveries if d.kind is DeliveryKind.MESSAGE]
    return visit.show(
        "operator/message.html",
        view=view,
        known=view.message,
        standing=standing(states, accepted=view.message.accepted),
        answered=view.message.kind not in ANSWERS,
        deliveries=[d for d in view.deliveries if d.kind is DeliveryKind.MESSAGE],
        steps=trace(visit, view.trace),
        directions=DIRECTIONS,
        channels=CHANNELS,
        resumable=_may(view.deliveries, RESUMABLE),
        stoppable=_may(view.deliveries, STOPPABLE),
        askable=_askable(view.deliveries),
        refused=await _handled(visit, view.message),
        grounds=[(str(one), visit.say(text), "") for one, text in words.REASONS.items()],
        mailable=_mailable(visit, view),
        replacement=await _replacement(visit, view.message),
        replaces=await _replaces(visit, view.message),
        acting=acting,
        may_act=bool(visit.roles & OPERATOR),
        done=visit.done(_DONE),
        milliseconds=lambda span: f"{span / timedelta(milliseconds=1):.0f}",
    )


async def _handled(visit: Visit, known: Known) -> Handled | None:
    """Return what was refused, and who does what about it."""
    if known.answer != Answered.REFUSED:
        return None
    refusal = await visit.office.overview.refusal(known.id)
    return None if refusal is None else Handled.of(refusal, visit)


async def _replacement(visit: Visit, known: Known) -> Known | None:
    """Return what came in the place of a message that was refused."""
    if known.answer != Answered.REFUSED:
        return None
    return await visit.office.gateway.inbox.replacement(known)


async def _replaces(visit: Visit, known: Known) -> Known | None:
    number = known.aanlevering.vervangt
    if not number:
        return None
    return await visit.office.gateway.inbox.by_key(known.zender, known.zender_applicatie, number)


def _may(deliveries: Sequence[DeliveryView], states: frozenset[State]) -> frozenset[str]:
    return frozenset(
        d.id
        for d in deliveries
        if d.channel in TO_PARTNERS and d.kind is DeliveryKind.MESSAGE and d.state in states
    )


def _askable(deliveries: Sequence[DeliveryView]) -> frozenset[str]:
    """Of what was sent over ebMS and is not confirmed the receiver can be asked."""
    sent = [d for d in deliveries if d.attempt and d.channel is DeliveryChannel.EBMS2]
    return _may(sent, LATE)


def _mailable(visit: Visit, view: MessageView) -> bool:
    """Tell whether a ground is of use: the message may be late, and its receiver takes e-mail."""
    directory = visit.office.directory
    party = directory.party(view.message.ontvanger)
    if directory.mail is None or party is None or party.mail is None:
        return False
    return any(
        d.channel is DeliveryChannel.EBMS2 and d.kind is DeliveryKind.MESSAGE and d.state in LATE
        for d in view.deliveries
    )


async def resume(visit: Visit) -> web.Response:
    """Send again what may have arrived."""
    return await _decide(visit, What.RESUME, "hervat")


async def stop(visit: Visit) -> web.Response:
    """Give it up."""
    return await _decide(visit, What.STOP, "gestaakt")


async def ask(visit: Visit) -> web.Response:
    """Ask the receiver what became of it; what he says stands in the trace."""
    delivery = await _delivery(visit)
    command = Command(what=What.ASK, id=delivery, who=visit.login, why="navraag")
    heard = await visit.office.desk.perform(command)
    said = {Heard.THERE: "er", Heard.NOT_THERE: "niet", Heard.NOTHING: "stil"}
    status = MessageStatus(heard["antwoord"]) if heard["antwoord"] else None
    return _shown(visit, f"navraag-{said[heard_as(status)]}")


async def _delivery(visit: Visit) -> str:
    """Return the delivery of the address; raises NoRoute `bericht.onvindbaar`."""
    delivery = visit.path("levering")
    view = await found(visit)
    if delivery not in {one.id for one in view.deliveries}:
        raise NoRoute("bericht.onvindbaar", "Deze verzending is hier niet bekend.")
    return delivery


def _shown(visit: Visit, done: str) -> web.Response:
    return visit.go(f"/berichten/{quote(visit.path('id'), safe='')}?klaar={done}")


async def _decide(visit: Visit, what: What, done: str) -> web.Response:
    delivery = await _delivery(visit)
    why = visit.reason()
    if visit.form.faulty:
        return await show_message(visit, delivery)
    await visit.office.desk.perform(Command(what=what, id=delivery, who=visit.login, why=why))
    return _shown(visit, done)


PAGES = (
    Page(path="/berichten", handler=overview, roles=LOOKING, nav=N_("Berichten")),
    post("/berichten/zoeken", search, roles=LOOKING),
    Page(path="/berichten/{id}", handler=message, roles=LOOKING),
    post("/berichten/{id}/leveringen/{levering}/hervat", resume, roles=OPERATOR),
    post("/berichten/{id}/leveringen/{levering}/staak", stop, roles=OPERATOR),
    post("/berichten/{id}/leveringen/{levering}/navraag", ask, roles=OPERATOR),
)
