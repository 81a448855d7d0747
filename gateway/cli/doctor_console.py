"""What `gateway doctor` says of the console: its key, and whether anybody can do their work."""

import asyncio
from collections.abc import Iterable, Iterator

from gateway.app import SystemClock
from gateway.cli.doctor_findings import Area, Finding
from gateway.cli.look import look
from gateway.config import OidcSettings
from gateway.credentials import UserRole
from gateway.errors import GatewayError, PeerUnreachable
from gateway.identity import gaps, provider_of
from gateway.installation import Installation
from gateway.keys.console_key import load_console_key
from gateway.outbound.oidc import ProviderClient
from gateway.store.people import Person
from gateway.store.view import View

_CONSOLE = Area("Console")
MOST = 10_000
CLOSING = 0.25
"""Seconds in which a TLS connection is closed; the loop ends after it."""


def console(installation: Installation) -> Iterator[Finding]:
    """Yield what keeps people out, or officers from deciding; nothing where there is no console."""
    settings = installation.settings
    if settings.listen.console is None:
        return
    if settings.console.url is None:
        yield _CONSOLE.bad(
            "console.url",
            "[console] url ontbreekt",
            "Zonder adres start het proces niet: formulieren en passkeys horen bij één adres.",
            'Zet url = "https://…" onder [console].',
        )
    if settings.console.oidc is not None:
        yield from _oidc(installation, settings.console.oidc)
    try:
        people = _people(installation)
    except GatewayError:
        return  # said with the database
    yield from _key(installation, people)
    yield from _beheerder(people)
    if settings.console.oidc is not None:
        yield from _links(settings.console.oidc, people)
    if settings.officieren:
        yield from _officers({one.id for one in settings.officieren}, people)


def provider(installation: Installation) -> Iterator[Finding]:
    """Yield whether the OpenID provider is there, and is the one of the settings."""
    oidc = installation.settings.console.oidc
    if installation.settings.listen.console is None or oidc is None:
        return

    async def ask(there: ProviderClient) -> int:
        try:
            return len(await there.keys(""))
        finally:
            await asyncio.sleep(CLOSING)

    try:
        there, _ = provider_of(installation, oidc, SystemClock())
        keys = asyncio.run(ask(there))
    except GatewayError as error:
        if isinstance(error, PeerUnreachable):
            yield _CONSOLE.error(error, "Vergelijk issuer en ca met de inlogvoorziening")
        return  # what else is wrong was said without asking it
    if keys:
        yield _CONSOLE.good(f"de inlogvoorziening {oidc.issuer} antwoordt, met {keys} sleutels")
    else:
        yield _CONSOLE.bad(
            "console.oidc_keys",
            "de inlogvoorziening publiceert geen sleutel die hier telt",
            "Zonder sleutel is geen bewijs te controleren: niemand komt binnen.",
            "Laat haar met RS256, PS256 of ES256 ondertekenen, RSA vanaf 2048 bits of P-256.",
        )


def _oidc(installation: Installation, oidc: OidcSettings) -> Iterator[Finding]:
    try:
        provider_of(installation, oidc, SystemClock())
    except GatewayError as error:
        yield _CONSOLE.error(error, "Herstel [console.oidc]; docs/console.md")
        return
    there = tuple(gaps(oidc))
    for text in there:
        yield _CONSOLE.warn(
            "console.oidc_gap",
            text,
            "Wie geen rol krijgt, komt niet binnen met de inlogvoorziening.",
            "Vul [console.oidc] aan; docs/console.md",
        )
    if not there:
        yield _CONSOLE.good(f"inlogvoorziening: {len(oidc.rollen)} waarden geven een rol")


def _links(oidc: OidcSettings, people: tuple[Person, ...]) -> Iterator[Finding]:
    """Who is linked to another issuer comes in nowhere."""
    lost = sum(1 for one in people if one.subject and one.issuer != oidc.issuer)
    if lost:
        yield _CONSOLE.warn(
            "console.oidc_issuer",
            f"{lost} accounts horen bij een andere inlogvoorziening dan die van [console.oidc]",
            "Deze gebruikers komen niet binnen.",
            "Koppel hen opnieuw: gateway users link, of de pagina van de gebruiker.",
        )


def _people(installation: Installation) -> tuple[Person, ...]:
    async def work(view: View) -> tuple[Person, ...]:
        return await view.people(limit=MOST)

    return tuple(one for one in look(installation.folder, work) if one.closed_at is None)


def _key(installation: Installation, people: tuple[Person, ...]) -> Iterator[Finding]:
    path = installation.path(installation.settings.console.key)
    if not people and not path.exists():
        return  # made with the first account
    try:
        load_console_key(path, make=False)
    except GatewayError as error:
        yield _CONSOLE.error(
            error, "Zet het bestand terug uit de back-up, mode 0600, van de gebruiker van de dienst"
        )
    else:
        yield _CONSOLE.good("sleutel van de console is leesbaar voor de dienst alleen")


def _beheerder(people: tuple[Person, ...]) -> Iterator[Finding]:
    active = [one for one in people if one.active]
    keepers = [one for one in active if UserRole.BEHEERDER in one.roles]
    if not keepers:
        yield _CONSOLE.warn(
            "console.no_beheerder",
            "geen beheerder kan zich aanmelden",
            "Niemand helpt een gebruiker die zijn tweede factor kwijt is.",
            "gateway users add LOGIN --naam NAAM --rol beheerder",
        )
    elif len(keepers) == 1:
        yield _CONSOLE.warn(
            "console.one_beheerder",
            "één beheerder kan zich aanmelden",
            "Niemand herstelt zijn account in de console, en niemand wijzigt zijn rollen.",
            "Voeg een tweede beheerder toe.",
        )
    else:
        yield _CONSOLE.good(f"{len(active)} gebruikers, van wie {len(keepers)} beheerders")


def _officers(known: Iterable[str], people: tuple[Person, ...]) -> Iterator[Finding]:
    there = {one.officer for one in people if one.officer}
    for id_ in sorted(set(known) - there):
        yield _CONSOLE.warn(
            "console.officer_without_account",
            f"officier {id_} heeft geen account",
            "Deze officier kan niet besluiten in de console.",
            f"gateway users add LOGIN --naam NAAM --rol officier --officier {id_}",
        )
    for id_ in sorted(there - set(known)):
        yield _CONSOLE.warn(
            "console.officer_unknown",
            f"een account hoort bij officier {id_}, die niet in [[officieren]] staat",
            "Deze gebruiker kan niet besluiten.",
            "Zet de officier in gateway.toml, of sluit het account met gateway users close.",
        )
