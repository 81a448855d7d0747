"""What must fit together in an installation, beyond what each setting says alone."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from gateway.catalogue import Catalogue, Role
from gateway.config import (
    BackendSettings,
    Environment,
    InstallationRole,
    Settings,
    WebhookEvent,
    WebhookSettings,
    WebhooksSettings,
)
from gateway.directory import Party
from gateway.errors import Misconfigured, PolicyViolation
from gateway.message import Oin
from gateway.security.destination import Allowed, read_url


@dataclass(frozen=True, slots=True)
class _Fault:
    where: str
    text: str


def check(settings: Settings, parties: Mapping[Oin, Party], catalogue: Catalogue) -> None:
    """Raise Misconfigured `config.invalid`, at the first thing that does not fit."""
    for fault in _faults(settings, parties, catalogue):
        raise Misconfigured("config.invalid", fault.text, where=fault.where)


def _faults(
    settings: Settings, parties: Mapping[Oin, Party], catalogue: Catalogue
) -> Iterator[_Fault]:
    for oin in _twice(p.oin for p in settings.partijen):
        yield _Fault(f"partijen.{oin}", "Deze partij staat er twee keer.")
    yield from _own(settings, parties)
    for backend in settings.backends:
        yield from _backend(backend, parties)
    if _twice(b.naam for b in settings.backends):
        yield _Fault("backends.naam", "Twee backends hebben dezelfde naam.")
    if _twice(b.token_sha256 for b in settings.backends):
        yield _Fault("backends.token_sha256", "Twee backends hebben hetzelfde token.")
    yield from _webhooks(settings)
    known = {version for _, version in catalogue.kinds}
    for service, version in settings.diensten.items():
        if version not in known:
            yield _Fault(f"diensten.{service}", "De catalogus kent deze versie niet.")


def _own(settings: Settings, parties: Mapping[Oin, Party]) -> Iterator[_Fault]:
    """The role of the party decides how is routed: it must be that of the installation."""
    own = parties.get(Oin(settings.partij))
    if own is None:
        yield _Fault("partij", "De eigen partij staat niet bij de partijen.")
        return
    hub = settings.rol is InstallationRole.KNOOPPUNT
    if hub is not (own.role is Role.KNOOPPUNT):
        yield _Fault("rol", "De rol past niet bij die van de eigen partij.")


def _backend(settings: BackendSettings, parties: Mapping[Oin, Party]) -> Iterator[_Fault]:
    party = parties.get(Oin(settings.partij))
    place = f"backends.{settings.naam}"
    if party is None or not party.local:
        yield _Fault(f"{place}.partij", "Dit is geen partij van deze installatie.")
    elif not set(settings.applicaties) <= set(party.applicaties):
        yield _Fault(f"{place}.applicaties", "De partij heeft niet al deze applicaties.")


def allowed(settings: WebhooksSettings) -> Allowed:
    """Return what webhooks may call; raise Misconfigured `webhook.allowed`."""
    return Allowed.read(settings.toegestaan, unsafe_http_loopback=settings.unsafe_http_loopback)


def _webhooks(settings: Settings) -> Iterator[_Fault]:
    whole = settings.webhooks
    allowed(whole)
    if whole.unsafe_http_loopback and settings.omgeving is not Environment.TEST:
        yield _Fault("webhooks.unsafe_http_loopback", "Dit kan alleen met omgeving = test.")
    if (whole.certificate is None) is not (whole.key is None):
        yield _Fault("webhooks.key", "Geef certificate en key allebei, of geen van beide.")
    if whole.keep_hours < whole.disable_after_hours:
        yield _Fault("webhooks.keep_hours", "Dit is korter dan disable_after_hours.")
    if _twice(w.naam for b in settings.backends for w in b.webhooks):
        yield _Fault("backends.webhooks.naam", "Twee webhooks hebben dezelfde naam.")
    for backend in settings.backends:
        for webhook in backend.webhooks:
            yield from _webhook(backend, webhook, whole)


def _webhook(
    backend: BackendSettings, webhook: WebhookSettings, whole: WebhooksSettings
) -> Iterator[_Fault]:
    place = f"backends.{backend.naam}.webhooks.{webhook.naam}"
    if not set(webhook.applicaties) <= set(backend.applicaties):
        yield _Fault(f"{place}.applicaties", "Het systeem heeft niet al deze applicaties.")
    if WebhookEvent.TEST in webhook.gebeurtenissen:
        yield _Fault(f"{place}.gebeurtenissen", "webhook.proef komt vanzelf, op verzoek.")
    try:
        to = read_url(webhook.url)
    except PolicyViolation as fault:
        yield _Fault(f"{place}.url", fault.text)
        return
    if to.scheme != "https" and not whole.unsafe_http_loopback:
        yield _Fault(f"{place}.url", "Alleen https is mogelijk.")


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
