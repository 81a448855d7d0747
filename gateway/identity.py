"""The OpenID provider of an installation, from its settings: checked before anybody comes."""

from collections.abc import Iterator
from datetime import timedelta

from gateway.config import OidcSettings
from gateway.credentials import UserRole
from gateway.errors import Misconfigured
from gateway.installation import Installation
from gateway.keys.client_key import read_client_key, read_client_secret
from gateway.outbound.oidc import ClientKeyPair, ClientSecret, ProviderClient
from gateway.outbound.tls import outward_context
from gateway.pipeline.accounts.elsewhere import Admission
from gateway.pipeline.accounts.mapping import RoleMapping
from gateway.ports import Clock
from gateway.security.oidc import Client, is_address

RETURN = "/aanmelden/terug"
"""Where a browser comes back to: the redirect URI that the provider must know, to the letter."""


def provider_of(
    installation: Installation, oidc: OidcSettings, clock: Clock
) -> tuple[ProviderClient, Admission]:
    """Return it, and whom of it we let in; raises Misconfigured `console.oidc`, `keys.*`."""
    wrong = next(faults(installation, oidc), None)
    if wrong is not None:
        raise Misconfigured("console.oidc", wrong, where="[console.oidc]")
    redirect = f"{installation.settings.console.url}{RETURN}"
    ca = None if oidc.ca is None else installation.path(oidc.ca)
    provider = ProviderClient(
        issuer=oidc.issuer,
        redirect=redirect,
        client=_client(installation, oidc),
        tls=outward_context(None, ca=ca),
        clock=clock,
    )
    return provider, admission(oidc, redirect)


def admission(oidc: OidcSettings, redirect: str) -> Admission:
    """Return whom we let in as what."""
    return Admission(
        client=Client(
            issuer=oidc.issuer,
            id=oidc.client_id,
            redirect=redirect,
            scopes=oidc.scopes,
            acr=oidc.acr,
            amr=frozenset(oidc.amr),
            max_age=timedelta(minutes=oidc.max_age_minutes),
        ),
        mapping=RoleMapping(
            claim=oidc.claim,
            roles=oidc.rollen,
            officer_claim=oidc.officier_claim,
            officers=oidc.officieren,
        ),
        login_claim=oidc.login_claim or "",
        create=oidc.aanmaken,
    )


def _client(installation: Installation, oidc: OidcSettings) -> ClientKeyPair | ClientSecret:
    if oidc.client_key_file is not None:
        key = read_client_key(installation.path(oidc.client_key_file))
        return ClientKeyPair(oidc.client_id, key)
    if oidc.client_secret_file is not None:
        secret = read_client_secret(installation.path(oidc.client_secret_file))
        return ClientSecret(oidc.client_id, secret)
    raise AssertionError


def faults(installation: Installation, oidc: OidcSettings) -> Iterator[str]:
    """Yield what does not go together: each of it lets nobody in, or too many."""
    if (oidc.client_key_file is None) == (oidc.client_secret_file is None):
        yield "Geef client_key_file of client_secret_file, een van beide."
    if not is_address(oidc.issuer) or "?" in oidc.issuer:
        yield "issuer is geen https-adres."
    if "openid" not in oidc.scopes:
        yield "openid ontbreekt in scopes."
    if not (oidc.acr or oidc.amr):
        yield "Geef acr of amr: zonder bewijst niets een tweede factor."
    if oidc.aanmaken and oidc.login_claim is None:
        yield "aanmaken vraagt om login_claim."
    known = {one.id for one in installation.settings.officieren}
    for id_ in sorted(set(oidc.officieren.values()) - known):
        yield f"officieren noemt {id_}, die niet in [[officieren]] staat."


def gaps(oidc: OidcSettings) -> Iterator[str]:
    """Yield what may be meant, and keeps people out."""
    if not oidc.rollen:
        yield "rollen is leeg: niemand komt binnen."
    if UserRole.OFFICIER in oidc.rollen.values() and not oidc.officieren:
        yield "officieren is leeg: geen officier komt binnen."
    if not oidc.lokaal and UserRole.BEHEERDER not in oidc.rollen.values():
        yield "Geen waarde geeft de rol beheerder, en lokaal is uit."
