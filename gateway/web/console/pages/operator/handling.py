"""What an operator does about a message that was refused with a Fo01."""

from datetime import timedelta
from urllib.parse import quote

from aiohttp import web

from gateway.ports.worklist import Reason
from gateway.store.worklist import check_free
from gateway.web.console.language import N_
from gateway.web.console.page import post
from gateway.web.console.pages.operator.messages import found, show_message
from gateway.web.console.pages.operator.today import OPERATOR
from gateway.web.console.visit import Visit
from gateway.web.control import WHY, Command, What

CLAIM = timedelta(hours=4)
"""Half a working day: who forgot it keeps nobody off it tomorrow."""
AGAIN, CLOSE = "opnieuw", "sluit"
"""The forms, in the place of a delivery: what is decided about is the whole message."""


async def again(visit: Visit) -> web.Response:
    """Hand in what was refused once more, as its system would."""
    view = await found(visit)
    why = visit.reason()
    if visit.form.faulty:
        return await show_message(visit, AGAIN)
    refusal = await visit.office.overview.refusal(view.message.id)
    if refusal is not None:
        check_free(refusal.claim, visit.login, visit.now())
    command = Command(what=What.AGAIN, id=view.message.id, who=visit.login, why=why)
    done = await visit.office.desk.perform(command)
    return _shown(visit, done["bericht"], AGAIN)


async def take(visit: Visit) -> web.Response:
    """Let others see who works on it; from another it is taken over."""
    until = visit.now() + CLAIM
    await visit.office.worklist.take(visit.path("id"), who=visit.login, until=until)
    return _shown(visit, visit.path("id"), "neem")


async def let_go(visit: Visit) -> web.Response:
    """Let others see that nobody does."""
    await visit.office.worklist.let_go(visit.path("id"), who=visit.login)
    return _shown(visit, visit.path("id"), "laat")


async def close(visit: Visit) -> web.Response:
    """Do nothing more about it, on a ground."""
    ground = visit.form.text("grond")
    if ground not in {*Reason}:
        visit.form.wrong("grond", N_("Kies een grond. Zonder grond kunt u niet afsluiten."))
    why = visit.form.line(
        "toelichting", least=3, most=WHY, missing=N_("Geef in 3 tot 200 tekens een toelichting.")
    )
    if visit.form.faulty:
        return await show_message(visit, CLOSE)
    await visit.office.worklist.close(
        visit.path("id"), who=visit.login, reason=Reason(ground), why=why
    )
    return _shown(visit, visit.path("id"), CLOSE)


def _shown(visit: Visit, message: str, done: str) -> web.Response:
    return visit.go(f"/berichten/{quote(message, safe='')}?klaar={done}")


PAGES = (
    post("/berichten/{id}/opnieuw", again, roles=OPERATOR),
    post("/berichten/{id}/neem", take, roles=OPERATOR),
    post("/berichten/{id}/laat", let_go, roles=OPERATOR),
    post("/berichten/{id}/sluit", close, roles=OPERATOR),
)
