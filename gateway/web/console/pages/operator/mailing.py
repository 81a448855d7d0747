"""A message that can not wait goes on by secure e-mail, because an operator says why."""

from urllib.parse import quote

from aiohttp import web

from gateway.web.console.language import N_
from gateway.web.console.page import post
from gateway.web.console.pages.operator.messages import MAIL, found, show_message
from gateway.web.console.pages.operator.today import OPERATOR
from gateway.web.console.visit import Visit
from gateway.web.control import WHY, Command, What


async def mail(visit: Visit) -> web.Response:
    """Let it go on by e-mail, on the ground that is given."""
    view = await found(visit)
    why = visit.form.line(
        "reden",
        least=10,
        most=WHY,
        missing=N_("Geef in 10 tot 200 tekens de grond: waarom kan het niet wachten?"),
    )
    if visit.form.faulty:
        return await show_message(visit, MAIL)
    command = Command(what=What.MAIL, id=view.message.id, who=visit.login, why=why)
    await visit.office.desk.perform(command)
    return visit.go(f"/berichten/{quote(view.message.id, safe='')}?klaar={MAIL}")


PAGES = (post("/berichten/{id}/email", mail, roles=OPERATOR),)
