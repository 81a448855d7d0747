"""Alarms that stand open: since when, what they stop, what to do."""

from aiohttp import web

from gateway.web.console.language import N_
from gateway.web.console.page import Page, post
from gateway.web.console.pages.operator.today import LOOKING, alarm_text
from gateway.web.console.visit import Visit
from gateway.web.control import Command, What

MOST = 200
_DONE = {
    "af": N_("Het alarm is afgehandeld. Komt de oorzaak terug, dan gaat het weer af."),
    "kijkt": N_("Anderen zien nu dat u ernaar kijkt. Het alarm blijft open."),
    "los": N_("Anderen zien nu dat u er niet meer naar kijkt."),
}


async def alarms(visit: Visit) -> web.Response:
    """Show them, the newest first."""
    return await _alarms(visit)


async def _alarms(visit: Visit, acting: int = 0) -> web.Response:
    found = await visit.office.gateway.reader.alarms(limit=MOST + 1)
    return visit.show(
        "operator/alarms.html",
        alarms=found[:MOST],
        more=len(found) > MOST,
        alarm_text=alarm_text,
        acting=acting,
        done=visit.done(_DONE),
    )


async def dismiss(visit: Visit) -> web.Response:
    """Close one by a person."""
    why = visit.reason()
    id_ = visit.path("id")
    if visit.form.faulty:
        return await _alarms(visit, int(id_) if id_.isdecimal() else 0)
    await visit.office.desk.perform(Command(what=What.DISMISS, id=id_, who=visit.login, why=why))
    return visit.go("/alarmen?klaar=af")


async def look_at(visit: Visit) -> web.Response:
    """Let others see who looks at it; from another it is taken over."""
    return await _looking(visit, What.LOOK_AT, "kijkt ernaar")


async def let_go(visit: Visit) -> web.Response:
    """Let others see that nobody does."""
    return await _looking(visit, What.LET_GO, "kijkt niet meer")


async def _looking(visit: Visit, what: What, why: str) -> web.Response:
    id_ = visit.path("id")
    await visit.office.desk.perform(Command(what=what, id=id_, who=visit.login, why=why))
    return visit.go(f"/alarmen?klaar={what}")


PAGES = (
    Page(path="/alarmen", handler=alarms, roles=LOOKING, nav=N_("Alarmen")),
    post("/alarmen/{id}/af", dismiss, roles=LOOKING),
    post("/alarmen/{id}/kijkt", look_at, roles=LOOKING),
    post("/alarmen/{id}/los", let_go, roles=LOOKING),
)
