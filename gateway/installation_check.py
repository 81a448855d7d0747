"""What must fit together in an installation, beyond what each setting says alone."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from gateway.catalogue import Catalogue, Role
from gateway.config import BackendSettings, CertificateSettings, InstallationRole, Settings
from gateway.credentials import Factor
from gateway.directory import Party
from gateway.errors import Misconfigured
from gateway.installation_mail import mail_faults
from gateway.installation_webhooks import webhook_faults
from gateway.message import Oin


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
    yield from _memory(settings)
    for backend in settings.backends:
        yield from _backend(backend, parties)
    if _twice(b.naam for b in settings.backends):
        yield _Fault("backends.naam", "Twee backends hebben dezelfde naam.")
    yield from _credentials(settings)
    yield from _officers(settings)
    yield from (_Fault(*fault) for fault in webhook_faults(settings))
    yield from (_Fault(*fault) for fault in mail_faults(settings, catalogue))
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


def _memory(settings: Settings) -> Iterator[_Fault]:
    """What has no room for one message of the largest size never takes one in."""
    for name in ("memory_bytes", "partner_memory_bytes"):
        if getattr(settings.limits, name) < settings.limits.wire_bytes:
            yield _Fault(f"limits.{name}", "Dit is minder dan wire_bytes.")


def _backend(settings: BackendSettings, parties: Mapping[Oin, Party]) -> Iterator[_Fault]:
    party = parties.get(Oin(settings.partij))
    place = f"backends.{settings.naam}"
    if party is None or not party.local:
        yield _Fault(f"{place}.partij", "Dit is geen partij van deze installatie.")
    elif not set(settings.applicaties) <= set(party.applicaties):
        yield _Fault(f"{place}.applicaties", "De partij heeft niet al deze applicaties.")


def _credentials(settings: Settings) -> Iterator[_Fault]:
    """What two systems share is of neither; a way to sign in needs something to do it with."""
    backends = settings.backends
    if _twice(t.sha256 for b in backends for t in b.tokens):
        yield _Fault("backends.tokens.sha256", "Een token staat er twee keer.")
    if _twice(c.sha256 for b in backends for c in b.certificaten if c.sha256):
        yield _Fault("backends.certificaten.sha256", "Een certificaat staat er twee keer.")
    if _twice(f"{c.serienummer}/{c.cn}" for b in backends for c in b.certificaten if c.cn):
        yield _Fault("backends.certificaten.cn", "Een certificaat staat er twee keer.")
    for backend in backends:
        place = f"backends.{backend.naam}"
        for certificate in backend.certificaten:
            if not _is_one_way(certificate):
                yield _Fault(
                    f"{place}.certificaten", "Geef sha256, of serienummer en cn, niet allebei."
                )
        yield from _ways(backend, place, oauth=bool(settings.oauth.keys))
    if settings.oauth.keys and settings.oauth.issuer is None:
        yield _Fault("oauth.issuer", "Met [oauth] keys is ook issuer nodig.")


def _officers(settings: Settings) -> Iterator[_Fault]:
    for id_ in _twice(o.id for o in settings.officieren):
        yield _Fault(f"officieren.{id_}", "Deze officier staat er twee keer.")
    for officer in settings.officieren:
        if officer.tot is not None and officer.tot < officer.van:
            yield _Fault(f"officieren.{officer.id}.tot", "Het mandaat eindigt voor het begint.")


def _ways(backend: BackendSettings, place: str, *, oauth: bool) -> Iterator[_Fault]:
    has = {
        Factor.BEARER: bool(backend.tokens),
        Factor.CERTIFICATE: bool(backend.certificaten),
        Factor.JWT: bool(backend.sleutels) and oauth,
    }
    for way in backend.aanmelding:
        for factor in sorted(way.factors):
            if not has[factor]:
                yield _Fault(f"{place}.aanmelding", _NEEDS[factor])


def _is_one_way(certificate: CertificateSettings) -> bool:
    by_subject = certificate.serienummer is not None and certificate.cn is not None
    neither = certificate.serienummer is None and certificate.cn is None
    return neither if certificate.sha256 is not None else by_subject


_NEEDS = {
    Factor.BEARER: "Voor aanmelding met token is [[backends.tokens]] nodig.",
    Factor.CERTIFICATE: "Voor aanmelding met certificaat is [[backends.certificaten]] nodig.",
    Factor.JWT: "Voor aanmelding met jwt zijn [[backends.sleutels]] en [oauth] keys nodig.",
}


def _twice(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]
