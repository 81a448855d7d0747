"""The webhooks of a back-end: how they do, a test, and switching one on again.

Where they are is a setting: a back-end can not name an address that the gateway then calls.
"""

from http import HTTPMethod

from aiohttp import web

from gateway.credentials import Scope
from gateway.directory import Webhook
from gateway.ports import WebhookResult, WebhookState
from gateway.web.api import models, shapes, webhook_texts
from gateway.web.api.office import BACKEND, OFFICE
from gateway.web.api.operation import Answer, Operation
from gateway.web.api.query import Query

WHY = "via de API"
"""Reason in the audit row of a webhook that its back-end switches on."""


async def overview(request: web.Request, _query: Query) -> web.Response:
    """Return the webhooks of this back-end."""
    found = await request.app[OFFICE].gateway.calling.overview(request[BACKEND])
    return shapes.answer(models.Webhooklijst(webhooks=[shape(*one) for one in found]))


async def test(request: web.Request, _query: Query) -> web.Response:
    """Send `webhook.proef` and tell what came of it: 200 whether it was taken or not."""
    calling = request.app[OFFICE].gateway.calling
    webhook = calling.own(request.match_info["id"], request[BACKEND])
    return shapes.answer(outcome(webhook, await calling.test(webhook)))


async def enable(request: web.Request, _query: Query) -> web.Response:
    """Switch on again; doing so again changes nothing."""
    calling, backend = request.app[OFFICE].gateway.calling, request[BACKEND]
    webhook = calling.own(request.match_info["id"], backend)
    changed = await calling.enable(webhook, who=backend.name, why=WHY)
    done = models.Inschakeling(id=webhook.name, status="actief", herhaald=not changed)
    return shapes.answer(done)


def shape(webhook: Webhook, state: WebhookState) -> models.Webhook:
    """A webhook with how it does; never its secret."""
    return models.Webhook(
        id=webhook.name,
        url=webhook.url,
        gebeurtenissen=sorted(webhook.subscriber.events),
        applicaties=sorted(webhook.subscriber.applicaties),
        status=status(state),
        uitgeschakeld_sinds=state.disabled_at,
        reden=state.disabled_why,
        faalt_sinds=state.failing_since,
        volgende_poging=state.next_at,
        laatst_gelukt=state.success_at,
        laatst_mislukt=state.failure_at,
        laatste_fout=state.failure_code,
        toelichting=webhook_texts.text(state.failure_code) if state.failure_code else "",
        wachtend=state.waiting,
        verzonden=state.sent,
        mislukt=state.failed,
        vervallen=state.dropped,
    )


def status(state: WebhookState) -> str:
    """Return one word: `actief`, `faalt` or `uitgeschakeld`."""
    if state.disabled_at is not None:
        return "uitgeschakeld"
    return "actief" if state.failing_since is None else "faalt"


def outcome(webhook: Webhook, result: WebhookResult) -> models.Proef:
    """What came of a test."""
    code = "" if result.failure is None else result.failure.code
    return models.Proef(
        id=webhook.name,
        gelukt=result.failure is None,
        tijd=result.at,
        code=code,
        toelichting=webhook_texts.text(code),
    )


OPERATIONS = (
    Operation(
        id="geefWebhooks",
        method=HTTPMethod.GET,
        path="/webhooks",
        handler=overview,
        tag="webhooks",
        summary="De webhooks van dit systeem",
        description="Waar dit systeem wordt geroepen, waarvoor, en hoe dat gaat. Waar ze staan "
        "is een instelling van de gateway.",
        scope=Scope.WEBHOOKS,
        answers={200: Answer(description="De webhooks.", model=models.Webhooklijst)},
    ),
    Operation(
        id="probeerWebhook",
        method=HTTPMethod.POST,
        path="/webhooks/{id}/proef",
        handler=test,
        tag="webhooks",
        summary="Een webhook proberen",
        description="Stuurt nu `webhook.proef`, ook als de webhook is uitgeschakeld, en zegt wat "
        "ervan kwam: 200, of de ontvanger het nu aannam of niet. Eén tegelijk; anders 503.",
        scope=Scope.WEBHOOKS,
        answers={200: Answer(description="De uitkomst.", model=models.Proef)},
    ),
    Operation(
        id="schakelWebhookIn",
        method=HTTPMethod.POST,
        path="/webhooks/{id}/inschakelen",
        handler=enable,
        tag="webhooks",
        summary="Een webhook weer inschakelen",
        description="Na lang falen of een 410 is een webhook uitgeschakeld. Wat er nog wacht wordt "
        "daarna meteen gestuurd; wat te oud werd staat in de lijsten.",
        scope=Scope.WEBHOOKS,
        answers={200: Answer(description="Hij staat aan.", model=models.Inschakeling)},
    ),
)
