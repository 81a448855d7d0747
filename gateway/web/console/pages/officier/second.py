"""The second officer, and taking a decision back."""

from aiohttp import web

from gateway.errors import NoRoute, PolicyViolation
from gateway.pipeline.desk import Case
from gateway.ports import Verdict, VerdictState
from gateway.web.console.language import N_
from gateway.web.console.page import Page, post
from gateway.web.console.pages.officier.deciding import CHANGED
from gateway.web.console.pages.officier.officer import (
    OFFICIER,
    case_of,
    mark,
    officer_of,
    page_of,
)
from gateway.web.console.pages.officier.reading import facts, purpose_of
from gateway.web.console.visit import Visit


async def _found(visit: Visit) -> tuple[Case, Verdict]:
    case = await case_of(visit, visit.path("id"))
    for one in case.verdicts:
        if one.id == visit.path("besluit"):
            return case, one
    raise NoRoute("toets.besluit.onbekend", "Dit besluit is hier niet bekend.")


async def second(visit: Visit) -> web.Response:
    """Show the decision of the first officer to who has read the message for himself."""
    officer_of(visit)
    case, verdict = await _found(visit)
    if not await purpose_of(visit, case.request.id):
        return visit.go(page_of(case.request.id))
    return _second(visit, case, verdict)


def _second(visit: Visit, case: Case, verdict: Verdict) -> web.Response:
    return visit.show(
        "officier/second.html", verdict=verdict, stand=mark(case, visit), **facts(visit, case)
    )


async def answer(visit: Visit) -> web.Response:
    """Confirm, or not."""
    officer = officer_of(visit)
    case, verdict = await _found(visit)
    id_, form = case.request.id, visit.form
    if not await purpose_of(visit, id_):
        return visit.go(page_of(id_))
    if verdict.state is VerdictState.GIVEN and verdict.second == officer:
        return visit.go(page_of(id_, "klaar"))  # a second click
    if form.text("stand") != mark(case, visit):
        raise PolicyViolation("toets.gewijzigd", CHANGED)
    chosen = form.text("oordeel")
    if chosen not in {"bevestig", "oneens"}:
        form.wrong("oordeel", N_("Kies of u het besluit bevestigt."))
    elif chosen == "oneens":
        visit.reason()
    if form.faulty:
        return _second(visit, case, verdict)
    deciding = visit.office.gateway.deciding
    if chosen == "bevestig":
        await deciding.confirm(verdict.id, officer=officer, account=visit.user.account.id)
        return visit.go(page_of(id_, "klaar"))
    await deciding.reject(verdict.id, officer=officer, why=form.text("reden"))
    return visit.go(f"{page_of(id_)}?klaar=afgewezen")


async def ask_withdrawal(visit: Visit) -> web.Response:
    """Ask why a decision is taken back."""
    officer_of(visit)
    case, verdict = await _found(visit)
    return _withdrawal(visit, case, verdict)


def _withdrawal(visit: Visit, case: Case, verdict: Verdict) -> web.Response:
    return visit.show("officier/withdraw.html", verdict=verdict, **facts(visit, case))


async def withdraw(visit: Visit) -> web.Response:
    """Take the decision back; whether that is in time, the holder says."""
    officer = officer_of(visit)
    case, verdict = await _found(visit)
    form, id_ = visit.form, case.request.id
    if verdict.state in {VerdictState.WITHDRAWN, VerdictState.TOO_LATE}:
        return visit.go(f"{page_of(id_)}?klaar=ingetrokken")  # a second click
    visit.reason()
    if form.faulty:
        return _withdrawal(visit, case, verdict)
    await visit.office.gateway.deciding.withdraw(
        verdict.id, officer=officer, why=form.text("reden")
    )
    return visit.go(f"{page_of(id_)}?klaar=ingetrokken")


_VERDICT = "/verzoeken/{id}/besluiten/{besluit}"
PAGES = (
    Page(path=f"{_VERDICT}/tweede", handler=second, roles=OFFICIER, fresh=True),
    post(f"{_VERDICT}/tweede", answer, roles=OFFICIER, fresh=True),
    Page(path=f"{_VERDICT}/intrekken", handler=ask_withdrawal, roles=OFFICIER, fresh=True),
    post(f"{_VERDICT}/intrekken", withdraw, roles=OFFICIER, fresh=True),
)
