"""Deciding in three steps: what, on which ground, check. Each step keeps what was filled in."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from gateway.errors import PolicyViolation
from gateway.pipeline.desk import Case
from gateway.ports import Verdict, VerdictState
from gateway.rules import officers
from gateway.rules.deciding import RELEASES
from gateway.rules.officers import MOST_WORDS, Wish
from gateway.web.console.forms import Form
from gateway.web.console.language import N_
from gateway.web.console.page import Page, post
from gateway.web.console.pages.officier.officer import (
    OFFICIER,
    case_of,
    mark,
    next_for,
    officer_of,
    page_of,
)
from gateway.web.console.pages.officier.reading import facts, purpose_of
from gateway.web.console.visit import Visit
from gateway.wire.toets import Uitkomst, Voorwaarde

_MOST_CONDITIONS = 5
"""That fit on the form; the API takes more."""
CHANGED = (
    "Dit verzoek is gewijzigd sinds u begon, of er is al op besloten. Uw invoer is bewaard. "
    "Open het verzoek opnieuw en kijk wat er is veranderd."
)
_NAMES = ("", "V1", "V2", "V3", "V4", "V5")
"""Codes of the conditions, by their number on the form."""
_INTEGRAL = N_("Integrale toets van gegevens van artikel 9 of 10 (Aanwijzing Wpg, 15.5.1)")
TO_RELEASE = (
    N_("Geen opsporingsbelang dat zich tegen verstrekking verzet (Aanwijzing Wpg, 15.1)"),
    N_("Toestemming voor gegevens van artikel 8 of 13 (Aanwijzing Wpg, 15.5.1)"),
    _INTEGRAL,
)
TO_REFUSE = (
    N_("Opsporing en vervolging verzetten zich tegen verstrekking (Aanwijzing Wpg, 8.2)"),
    _INTEGRAL,
)
"""As domain 5.2 has them; an officer may write another."""
OTHER = "anders"
TOLD = N_("Het belang van opsporing en vervolging verzet zich tegen verstrekking.")


def _draft(id_: str) -> str:
    return f"besluit:{id_}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Where somebody is in deciding."""

    case: Case
    officer: str
    kept: Mapping[str, str]
    mark: str

    @property
    def outcome(self) -> Uitkomst | None:
        text = self.kept.get("uitkomst", "")
        return Uitkomst(text) if text in {*Uitkomst} else None

    @property
    def grounds(self) -> tuple[str, ...]:
        """What this outcome can rest on, but for what the officer writes."""
        return TO_RELEASE if self.outcome in RELEASES else TO_REFUSE

    @property
    def ground(self) -> str:
        """The ground that was chosen, where it goes with the outcome; empty otherwise."""
        text = self.kept.get("grond", "")
        return text if text in {*self.grounds, OTHER} else ""

    @property
    def moved(self) -> bool:
        """Whether something changed since this began."""
        return bool(self.kept.get("stand")) and self.kept["stand"] != self.mark


async def _step(visit: Visit) -> Step:
    case = await case_of(visit, visit.path("id"))
    kept = await visit.office.drafts.find(visit.user.account.id, _draft(case.request.id))
    return Step(case=case, officer=officer_of(visit), kept=kept or {}, mark=mark(case, visit))


async def _keep(visit: Visit, step: Step, **fields: str) -> None:
    await visit.office.drafts.keep(
        visit.user.account.id,
        _draft(step.case.request.id),
        {**step.kept, "stand": step.mark, **fields},
    )


def _shown_with(step: Step, form: Form) -> Form:
    """Return the form with what was kept, where nothing was sent now."""
    return form if form.fields or form.faulty else Form(fields=step.kept)


async def begin(visit: Visit) -> web.Response:
    """Ask what is decided. Who has not read it reads it first."""
    step = await _step(visit)
    id_ = step.case.request.id
    if not await purpose_of(visit, id_):
        return visit.go(page_of(id_))
    if step.case.request.closed_at is not None:
        return visit.go(page_of(id_))
    return _outcome(visit, step)


def _outcome(visit: Visit, step: Step) -> web.Response:
    return visit.show(
        "officier/outcome.html",
        form=_shown_with(step, visit.form),
        **facts(visit, step.case),
    )


async def outcome(visit: Visit) -> web.Response:
    """Take the request, so that no other decides meanwhile, and keep what is decided."""
    step = await _step(visit)
    if visit.form.text("uitkomst") not in {*Uitkomst}:
        visit.form.wrong("uitkomst", N_("Kies wat u besluit."))
        return _outcome(visit, step)
    await visit.office.gateway.deciding.take(step.case.request.id, officer=step.officer)
    await _keep(visit, step, uitkomst=visit.form.text("uitkomst"))
    return visit.go(page_of(step.case.request.id, "grond"))


async def ask_ground(visit: Visit) -> web.Response:
    """Ask the ground, and conditions where there are any."""
    step = await _step(visit)
    if step.outcome is None:
        return visit.go(page_of(step.case.request.id, "besluit"))
    return _ground(visit, step)


def _ground(visit: Visit, step: Step) -> web.Response:
    return visit.show(
        "officier/ground.html",
        form=_shown_with(step, visit.form),
        outcome=step.outcome,
        releases=step.outcome in RELEASES,
        conditional=step.outcome is Uitkomst.ONDER_VOORWAARDEN,
        grounds=step.grounds,
        other=OTHER,
        told=visit.say(TOLD),
        most=_MOST_CONDITIONS,
        **facts(visit, step.case),
    )


async def ground(visit: Visit) -> web.Response:
    """Keep the ground."""
    step, form = await _step(visit), visit.form
    if step.outcome is None:
        return visit.go(page_of(step.case.request.id, "besluit"))
    chosen = form.text("grond")
    if chosen not in {*step.grounds, OTHER}:
        form.wrong("grond", N_("Kies een grond. Zonder grond kunt u niet besluiten."))
    missing = N_("Schrijf de grond op.") if chosen == OTHER else ""
    form.words("toelichting", most=MOST_WORDS - 200, missing=missing)
    if step.outcome not in RELEASES:
        form.words("melding", most=MOST_WORDS, missing=N_("Schrijf op wat de afzender mag weten."))
    if step.outcome is Uitkomst.ONDER_VOORWAARDEN and not _conditions(form.fields):
        form.wrong("voorwaarde1", N_("Schrijf ten minste één voorwaarde op."))
    if form.faulty:
        return _ground(visit, step)
    boxes = {name: form.text(name) for name in _condition_fields()}
    await _keep(
        visit,
        step,
        grond=chosen,
        toelichting=form.text("toelichting"),
        melding=form.text("melding"),
        bekend="ja" if form.ticked("bekend") else "",
        **boxes,
    )
    return visit.go(page_of(step.case.request.id, "controleren"))


def _condition_fields() -> tuple[str, ...]:
    return tuple(
        f"{name}{n}" for n in range(1, _MOST_CONDITIONS + 1) for name in ("voorwaarde", "aanvaard")
    )


def _conditions(fields: Mapping[str, str]) -> tuple[Voorwaarde, ...]:
    return tuple(
        Voorwaarde(
            code=_NAMES[n],
            tekst=fields[f"voorwaarde{n}"].strip(),
            aanvaarding=fields.get(f"aanvaard{n}") == "ja",
        )
        for n in range(1, _MOST_CONDITIONS + 1)
        if fields.get(f"voorwaarde{n}", "").strip()
    )


def _wish(step: Step) -> Wish:
    kept = step.kept
    if step.outcome is None:
        raise PolicyViolation("toets.gewijzigd", CHANGED)
    chosen, more = step.ground, kept.get("toelichting", "")
    lines = [more] if chosen == OTHER else [chosen, more]
    conditional = step.outcome is Uitkomst.ONDER_VOORWAARDEN
    return Wish(
        outcome=step.outcome,
        ground="\n".join(line for line in lines if line),
        told=kept.get("melding", "") if step.outcome not in RELEASES else "",
        conditions=_conditions(kept) if conditional else (),
        known=kept.get("bekend") == "ja",
    )


async def check(visit: Visit) -> web.Response:
    """Show everything once more; only the button here decides."""
    step = await _step(visit)
    if step.outcome is None or not step.ground:
        return visit.go(page_of(step.case.request.id, "besluit"))
    if step.moved:
        raise PolicyViolation("toets.gewijzigd", CHANGED)
    directory = visit.office.directory
    categories = (reason.category for reason in step.case.request.reasons)
    return visit.show(
        "officier/check.html",
        outcome=step.outcome,
        wish=_wish(step),
        stand=step.mark,
        releases=step.outcome in RELEASES,
        second=officers.needs_second(categories, step.outcome, directory),
        **facts(visit, step.case),
    )


async def decide(visit: Visit) -> web.Response:
    """Decide. Who clicks twice decides once; what changed meanwhile is told."""
    step = await _step(visit)
    id_ = step.case.request.id
    mine = _own(step)
    if not step.kept and mine is not None:
        return visit.go(page_of(id_, "klaar"))
    if not step.ground or step.moved or visit.form.text("stand") != step.mark:
        raise PolicyViolation("toets.gewijzigd", CHANGED)
    me = visit.user.account.id
    await visit.office.gateway.deciding.decide(
        id_, officer=step.officer, wish=_wish(step), account=me
    )
    await visit.office.drafts.drop(me, _draft(id_))
    return visit.go(page_of(id_, "klaar"))


def _own(step: Step) -> Verdict | None:
    """Return the newest decision of this officer that stands."""
    standing = {VerdictState.GIVEN, VerdictState.PROPOSED}
    own = [
        one for one in step.case.verdicts if one.officer == step.officer and one.state in standing
    ]
    return own[-1] if own else None


async def result(visit: Visit) -> web.Response:
    """Say what happens now."""
    step = await _step(visit)
    if not step.case.verdicts:
        return visit.go(page_of(step.case.request.id))
    last = step.case.verdicts[-1]
    return visit.show(
        "officier/result.html",
        verdict=last,
        waits=last.state is VerdictState.PROPOSED,
        releases=last.outcome in RELEASES,
        seconds=_seconds(visit, last),
        next=await next_for(visit),
        **facts(visit, step.case),
    )


def _seconds(visit: Visit, verdict: Verdict) -> list[str]:
    """Return who may confirm: officers with a mandate today, other than who decided."""
    now = visit.now()
    return [
        one.naam
        for one in visit.office.directory.officers
        if one.id != verdict.officer and officers.in_office(one, now)
    ]


PAGES = (
    Page(path="/verzoeken/{id}/besluit", handler=begin, roles=OFFICIER),
    post("/verzoeken/{id}/besluit", outcome, roles=OFFICIER),
    Page(path="/verzoeken/{id}/grond", handler=ask_ground, roles=OFFICIER),
    post("/verzoeken/{id}/grond", ground, roles=OFFICIER),
    Page(path="/verzoeken/{id}/controleren", handler=check, roles=OFFICIER, fresh=True),
    post("/verzoeken/{id}/controleren", decide, roles=OFFICIER, fresh=True),
    Page(path="/verzoeken/{id}/klaar", handler=result, roles=OFFICIER),
)
