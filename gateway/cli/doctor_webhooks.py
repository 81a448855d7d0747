"""What `gateway doctor` says of webhooks: the settings, and which are switched off."""

from collections.abc import Iterator, Mapping

from gateway.app import SystemClock
from gateway.cli.look import look
from gateway.directory import Directory
from gateway.errors import GatewayError
from gateway.installation import Installation
from gateway.installation_webhooks import allowed
from gateway.outbound.webhook import WebhookClient
from gateway.ports import WebhookState
from gateway.security.destination import read_url
from gateway.store.view import View
from gateway.web.api import webhook_texts

Line = tuple[str, str]
"""Mark and text."""


def webhooks(installation: Installation, directory: Directory) -> Iterator[Line]:
    """Yield what is wrong with them, or how many there are; nothing where there are none."""
    if directory.calling.unsafe_http_loopback:
        yield "!", "webhooks.unsafe_http_loopback staat aan: http naar deze machine mag"
    if not directory.webhooks:
        return
    yield from _never(directory)
    yield from _tls(installation, directory)
    states = _states(installation, directory)
    for name, state in states.items():
        if state.disabled_at is not None:
            why = webhook_texts.text(state.disabled_why)
            yield "!", f"webhook {name} is uitgeschakeld: {why} Daarna: gateway webhooks enable"
        elif state.failing_since is not None:
            why = webhook_texts.text(state.failure_code)
            yield "!", f"webhook {name} faalt sinds {state.failing_since:%Y-%m-%d %H:%M}: {why}"
    waiting = sum(state.waiting for state in states.values())
    yield "✓", f"webhooks: {len(directory.webhooks)}, wachtende gebeurtenissen: {waiting}"


def _never(directory: Directory) -> Iterator[Line]:
    """Yield what is called at no address, whatever its name points to."""
    to_call = allowed(directory.calling)
    for webhook in directory.webhooks:
        if code := to_call.never(read_url(webhook.url)):
            name = webhook.subscriber.name
            yield "✗", f"webhook {name} wordt nooit aangeroepen: {webhook_texts.text(code)}"


def _tls(installation: Installation, directory: Directory) -> Iterator[Line]:
    client = WebhookClient(
        current=lambda: directory,
        clock=SystemClock(),
        path=installation.path,
    )
    try:
        client.renew()
    except GatewayError as error:
        yield "✗", f"webhooks: {error}"


def _states(installation: Installation, directory: Directory) -> Mapping[str, WebhookState]:
    """No database yet, or none that answers: that is told elsewhere."""
    to = [webhook.subscriber for webhook in directory.webhooks]

    async def work(view: View) -> Mapping[str, WebhookState]:
        return await view.webhooks(to)

    try:
        return look(installation.folder, work)
    except GatewayError:
        return {}
