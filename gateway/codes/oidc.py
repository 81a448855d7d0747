"""Codes of signing in at an OpenID provider."""

from gateway.codes.code import Code, Told, family
from gateway.errors import PeerUnreachable, PolicyViolation, Untrusted

_PEOPLE = (Told.CONSOLE,)
_OUR_SIDE = (Told.CONSOLE, Told.OPERATOR)
_ONCE_MORE = "Sign in again, from the button."
_PROVIDER = "Ask the administrator of the provider; the audit log has the code and the moment."

OIDC: tuple[Code, ...] = (
    *family(
        Untrusted,
        _PEOPLE,
        {
            "oidc.state": (
                "The answer belongs to no sign-in that was begun in this browser, or not any more.",
                _ONCE_MORE,
            ),
            "oidc.refused": ("The provider signed nobody in.", _ONCE_MORE),
            "oidc.code": ("The code was used before, or is too old.", _ONCE_MORE),
            "oidc.issuer": (
                "The answer is of another issuer than the one that was asked.",
                _PROVIDER,
            ),
            "oidc.token": ("There is no ID token, or it can not be read.", _PROVIDER),
            "oidc.algorithm": (
                "The ID token is not signed with RS256, PS256 or ES256.",
                "Set the signature of the client at the provider to one of these.",
            ),
            "oidc.key": (
                "The provider publishes no key that the ID token can be of.",
                "Try again in half a minute; otherwise look at its JWK set.",
            ),
            "oidc.signature": ("The signature of the ID token is wrong.", _PROVIDER),
            "oidc.audience": (
                "The ID token is for another client, or for more than one.",
                _PROVIDER,
            ),
            "oidc.expired": ("The ID token is over.", "Compare the clocks of both sides."),
            "oidc.time": (
                "The ID token is not of now, or says no moment.",
                "Compare the clocks of both sides.",
            ),
            "oidc.nonce": ("The ID token is of another sign-in.", _ONCE_MORE),
            "oidc.at_hash": ("The ID token does not belong to the access token.", _PROVIDER),
            "oidc.subject": ("The ID token names nobody.", _PROVIDER),
            "oidc.auth_time": (
                "The provider did not ask again who it is, or does not say when it did.",
                "Let the provider honour max_age and prompt=login and give auth_time.",
            ),
            "oidc.factor": (
                "The ID token does not prove a second factor, as `acr` or `amr` of the settings.",
                "Let the provider ask one, and say so; compare acr and amr in [console.oidc].",
            ),
            "oidc.person": (
                "Somebody else signed in than whose session it is.",
                "Sign in as yourself, or sign out first.",
            ),
            "oidc.rights": (
                "The provider gives other roles than before; sessions have ended.",
                "Sign in again.",
            ),
        },
    ),
    *family(
        PolicyViolation,
        _PEOPLE,
        {
            "oidc.account": (
                "The person has no account here, or a closed one.",
                "Let a beheerder link an account: the page of the user, or gateway users link.",
            ),
            "oidc.role": (
                "No value of the claim stands in [console.oidc] rollen.",
                "Give the person a group or role at the provider that the settings name.",
            ),
            "oidc.roles": (
                "The claim gives officier or compliance with another role.",
                "Take one of them away at the provider.",
            ),
            "oidc.officer": (
                "The claim of the officer names none of [console.oidc] officieren, or two.",
                "Name the officer in the settings.",
            ),
        },
    ),
    *family(
        PeerUnreachable,
        _OUR_SIDE,
        {
            "oidc.unreachable": ("There is no connection to the provider.", "Look at the network."),
            "oidc.timeout": ("The provider does not answer in time.", "Look at the provider."),
            "oidc.certificate": (
                "The certificate of the provider is not trusted.",
                "Name its CA in [console.oidc] ca.",
            ),
            "oidc.tls": ("There is no TLS with the provider.", "It needs TLS 1.2 or newer."),
            "oidc.lost": ("The answer of the provider can not be used.", "Look at the provider."),
            "oidc.metadata": (
                "Discovery document or JWK set are wrong, too large or of another issuer.",
                "Compare issuer in [console.oidc] with what the provider says of itself.",
            ),
            "oidc.client": (
                "The provider does not know this client, its key or its secret.",
                "Compare client_id and key with those at the provider.",
            ),
        },
    ),
)
