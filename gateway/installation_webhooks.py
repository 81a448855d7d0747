"""Webhooks as gateway.toml has them: what must fit together, and the secrets in their files."""

from collections.abc import Callable, Iterator
from pathlib import Path

from gateway.config import (
    BackendSettings,
    Environment,
    Settings,
    WebhookEvent,
    WebhookSettings,
    WebhooksSettings,
)
from gateway.directory import Subscriber, Webhook
from gateway.errors import PolicyViolation
from gateway.message import Oin
from gateway.private_file import check_private
from gateway.security.destination import Allowed, read_url
from gateway.security.webhook import read_secret

Fault = tuple[str, str]
"""Place in the settings, and what is wrong there."""


def allowed(settings: WebhooksSettings) -> Allowed:
    """Return what webhooks may call; raise Misconfigured `webhook.allowed`."""
    return Allowed.read(settings.toegestaan, unsafe_http_loopback=settings.unsafe_http_loopback)


def subscribers(settings: Settings) -> tuple[Subscriber, ...]:
    """Return whom the store writes events down for."""
    return tuple(_subscriber(b, w) for b in settings.backends for w in b.webhooks)


def webhooks(
    settings: Settings, path: Callable[[Path], Path], read: Callable[[Path], bytes]
) -> Iterator[Webhook]:
    """Yield all webhooks; `path` says where a file is, `read` gives its octets.

    Raises Misconfigured `webhook.secret`, `keys.permissions`.
    """
    for backend in settings.backends:
        for webhook in backend.webhooks:
            files = [path(file) for file in webhook.secret_files]
            yield Webhook(
                subscriber=_subscriber(backend, webhook),
                url=webhook.url,
                secrets=tuple(_secret(file, read(file)) for file in files),
            )


def _subscriber(backend: BackendSettings, webhook: WebhookSettings) -> Subscriber:
    return Subscriber(
        name=webhook.naam,
        backend=backend.naam,
        party=Oin(backend.partij),
        applicaties=frozenset(webhook.applicaties),
        events=frozenset(webhook.gebeurtenissen),
    )


def _secret(path: Path, octets: bytes) -> bytes:
    check_private(path)
    return read_secret(octets.decode("ascii", "replace"), where=str(path))


# --- what must fit --------------------------------------------------------------------


def webhook_faults(settings: Settings) -> Iterator[Fault]:
    """Yield what does not fit; raise Misconfigured `webhook.allowed`."""
    whole = settings.webhooks
    allowed(whole)
    if whole.unsafe_http_loopback and settings.omgeving is not Environment.TEST:
        yield "webhooks.unsafe_http_loopback", "Dit kan alleen met omgeving = test."
    if (whole.certificate is None) is not (whole.key is None):
        yield "webhooks.key", "Geef certificate en key allebei, of geen van beide."
    if whole.keep_hours < whole.disable_after_hours:
        yield "webhooks.keep_hours", "Dit is korter dan disable_after_hours."
    names = [w.naam for b in settings.backends for w in b.webhooks]
    if len(set(names)) < len(names):
        yield "backends.webhooks.naam", "Twee webhooks hebben dezelfde naam."
    for backend in settings.backends:
        for webhook in backend.webhooks:
            yield from _faults(backend, webhook, whole)


def _faults(
    backend: BackendSettings, webhook: WebhookSettings, whole: WebhooksSettings
) -> Iterator[Fault]:
    place = f"backends.{backend.naam}.webhooks.{webhook.naam}"
    if not set(webhook.applicaties) <= set(backend.applicaties):
        yield f"{place}.applicaties", "Het systeem heeft niet al deze applicaties."
    if WebhookEvent.TEST in webhook.gebeurtenissen:
        yield f"{place}.gebeurtenissen", "webhook.proef komt vanzelf, op verzoek."
    try:
        to = read_url(webhook.url)
    except PolicyViolation as fault:
        yield f"{place}.url", fault.text
        return
    if to.scheme != "https" and not whole.unsafe_http_loopback:
        yield f"{place}.url", "Alleen https is mogelijk."
