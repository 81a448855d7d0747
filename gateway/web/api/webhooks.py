"""The webhooks of a back-end: how they do, a test, and switching one on again.

Where they are is a setting: a back-end can not name an address that the gateway then calls.
"""

from typing import Any

from aiohttp import web

from gateway.directory import Webhook
from gateway.ports import WebhookResult, WebhookState
from gateway.web.api import query, shapes, webhook_texts
from gateway.web.api.office import BACKEND, OFFICE

WHY = "via de API"
"""Reason in the audit row of a webhook that its back-end switches on."""


async def overview(request: web.Request) -> web.Response:
    """Return the webhooks of this back-end."""
    query.only(request)
    found = await request.app[OFFICE].webhooks.overview(request[BACKEND])
    return shapes.answer({"webhooks": [shape(w, state) for w, state in found]})


async def test(request: web.Request) -> web.Response:
    """Send `webhook.proef` and tell what came of it: 200 whether it was taken or not."""
    query.only(request)
    calling = request.app[OFFICE].webhooks
    webhook = calling.own(request.match_info["id"], request[BACKEND])
    return shapes.answer(outcome(webhook, await calling.test(webhook)))


async def enable(request: web.Request) -> web.Response:
    """Switch on again; doing so again changes nothing."""
    query.only(request)
    calling, backend = request.app[OFFICE].webhooks, request[BACKEND]
    webhook = calling.own(request.match_info["id"], backend)
    changed = await calling.enable(webhook, who=backend.name, why=WHY)
    return shapes.answer({"id": webhook.name, "status": "actief", "herhaald": not changed})


def shape(webhook: Webhook, state: WebhookState) -> dict[str, Any]:
    """A webhook with how it does; never its secret."""
    return {
        "id": webhook.name,
        "url": webhook.url,
        "gebeurtenissen": sorted(webhook.subscriber.events),
        "applicaties": sorted(webhook.subscriber.applicaties),
        "status": status(state),
        "uitgeschakeldSinds": shapes.moment(state.disabled_at),
        "reden": state.disabled_why,
        "faaltSinds": shapes.moment(state.failing_since),
        "volgendePoging": shapes.moment(state.next_at),
        "laatstGelukt": shapes.moment(state.success_at),
        "laatstMislukt": shapes.moment(state.failure_at),
        "laatsteFout": state.failure_code,
        "toelichting": webhook_texts.text(state.failure_code) if state.failure_code else "",
        "wachtend": state.waiting,
        "verzonden": state.sent,
        "mislukt": state.failed,
        "vervallen": state.dropped,
    }


def status(state: WebhookState) -> str:
    """Return one word: `actief`, `faalt` or `uitgeschakeld`."""
    if state.disabled_at is not None:
        return "uitgeschakeld"
    return "actief" if state.failing_since is None else "faalt"


def outcome(webhook: Webhook, result: WebhookResult) -> dict[str, Any]:
    """What came of a test."""
    code = "" if result.failure is None else result.failure.code
    return {
        "id": webhook.name,
        "gelukt": result.failure is None,
        "tijd": shapes.moment(result.at),
        "code": code,
        "toelichting": webhook_texts.text(code),
    }
