"""What `gateway doctor` says of how back-end systems sign in."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from gateway.app import load_issuer
from gateway.cli.look import look
from gateway.credentials import Scope
from gateway.directory import Backend, Directory
from gateway.errors import GatewayError, Misconfigured
from gateway.installation import Installation
from gateway.rules.tokens import with_tokens
from gateway.snapshots import genuine_tokens
from gateway.store.tokens import SHORT
from gateway.store.view import View

SOON = timedelta(days=30)

Line = tuple[str, str]
"""Mark and text."""


def sign_in(installation: Installation, directory: Directory, now: datetime) -> Iterator[Line]:
    """Yield what keeps a system out, now or soon, and what lets it in for ever."""
    if installation.settings.listen.api is None:
        return
    if not directory.backends:
        yield "!", "geen systeem onder [[backends]]: niemand kan aanleveren of ophalen"
    backends, ended = _tokens(installation, directory.backends)
    for backend in backends:
        yield from _backend(backend, now)
    yield from _left_behind(directory.backends, ended)
    if any(backend.credentials.wants_certificate for backend in directory.backends):
        yield from _trust(directory)
    try:
        issuer = load_issuer(installation)
    except Misconfigured as error:
        yield "✗", f"[oauth] keys: {error}"
        return
    if issuer is not None:
        yield "✓", f"toegangstokens (OAuth) van {issuer.url}, {len(issuer.keys)} sleutels"


def _tokens(
    installation: Installation, backends: tuple[Backend, ...]
) -> tuple[tuple[Backend, ...], frozenset[str]]:
    """Return the back-ends with the tokens of the console as well, and what was ended there."""
    try:
        kept, ends = look(installation.folder, View.tokens)
    except GatewayError:
        return backends, frozenset()  # said with the database
    ended = frozenset(one.sha256 for one in ends)
    genuine = genuine_tokens(installation, kept) if kept else ()
    return with_tokens(backends, genuine, ended), ended


def _left_behind(backends: tuple[Backend, ...], ended: frozenset[str]) -> Iterator[Line]:
    for backend in backends:
        for token in backend.credentials.tokens:
            if token.sha256 in ended:
                name = f"systeem {backend.name}, token {token.sha256[:SHORT]}"
                yield "!", f"{name}: in de console beëindigd; haal het weg uit gateway.toml"


def _backend(backend: Backend, now: datetime) -> Iterator[Line]:
    credentials = backend.credentials
    name = f"systeem {backend.name}"
    if not credentials.ways:
        yield "!", f"{name}: aanmelding is leeg, het komt niet binnen"
        return
    yield "✓", f"{name} meldt zich aan met {' of '.join(sorted(credentials.ways))}"
    for token in credentials.tokens:
        yield from _token(f"{name}, token {token.sha256[:SHORT]}", token.valid_until, now)
    if not credentials.scopes:
        yield "!", f"{name}: geen enkele scope, het mag niets ({', '.join(Scope)})"


def _token(name: str, until: datetime | None, now: datetime) -> Iterator[Line]:
    if until is None:
        yield "!", f"{name}: geen geldig_tot; maak een nieuw in de console of met `gateway token`"
    elif until <= now:
        yield "!", f"{name}: verlopen op {until:%Y-%m-%d}; beëindig het, of haal het weg"
    elif until - now < SOON:
        yield "!", f"{name}: eindigt op {until:%Y-%m-%d}; zet er een nieuw naast"


def _trust(directory: Directory) -> Iterator[Line]:
    trust = directory.backend_trust
    if not trust.anchors or not trust.crls:
        yield "✗", "clientcertificaten: stamcertificaten of CRL's ontbreken, geen enkel telt"
