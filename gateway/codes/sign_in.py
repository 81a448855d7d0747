"""Codes of signing in to the REST interface, and of the limits of one back-end."""

from gateway.codes.code import Code, Told, family
from gateway.errors import (
    CertificateRejected,
    Limited,
    Malformed,
    Misconfigured,
    NoRoute,
    PolicyViolation,
    Unavailable,
    Untrusted,
)

_BACK_END = (Told.API,)
_JWT = "Make the JWT as docs/sign-in.md says."
_CLOCK = "Make a new JWT for every request, and set the clock right."
_WAYS = "docs/sign-in.md tells the ways; `aanmelding` of the back-end says which are open to it."

SIGN_IN: tuple[Code, ...] = (
    *family(
        Untrusted,
        _BACK_END,
        {
            "token.missing": (
                "No token was given, or more than one header.",
                "Send one header Authorization: Bearer.",
            ),
            "token.party": (
                "The party of this back-end has no back-ends here.",
                "Ask the operator to look at `[[backends]]`.",
            ),
            "token.unknown": ("The token is not known here.", "Ask the operator for a new one."),
            "token.expired": ("The token is no longer valid.", "Use the next one."),
            "token.binding": (
                "The token is bound to another client certificate.",
                "Use it with the certificate that it was got with.",
            ),
            "certificate.missing": (
                "This back-end must show its client certificate as well.",
                "Connect with the certificate that the operator knows.",
            ),
            "signin.mismatch": ("Certificate and token are of two back-ends.", "Use one's own."),
            "signin.way": ("This back-end may not sign in in this way.", _WAYS),
            "oauth.audience": ("`aud` of the JWT is not this API alone.", _JWT),
            "oauth.client": ("The client, its key or its signature is not known.", _JWT),
            "oauth.expired": ("The JWT is no longer valid.", _CLOCK),
            "oauth.issuer": ("`iss` and `sub` of the JWT are not the client_id.", _JWT),
            "oauth.jti": ("`jti` of the JWT is missing or too long.", _JWT),
            "oauth.life": (
                "The JWT is valid for more than 300 seconds, or says not how long.",
                _JWT,
            ),
            "oauth.not_yet_valid": ("The JWT is not valid yet.", _CLOCK),
            "oauth.replay": ("The JWT was used before.", _CLOCK),
            "oauth.way": ("This back-end may not sign in with OAuth.", _WAYS),
        },
    ),
    *family(
        CertificateRejected,
        _BACK_END,
        {
            "certificate.unknown": (
                "The client certificate is of no back-end here.",
                "Ask the operator to add it to `[[backends]]`.",
            ),
            "oauth.certificate": (
                "The client certificate of the token request is not good.",
                "Renew it, or ask the operator to add it.",
            ),
        },
    ),
    *family(
        PolicyViolation,
        _BACK_END,
        {
            "token.scope": (
                "What was shown lacks the scope for this.",
                "Ask the operator for the scope.",
            ),
            "oauth.grant": ("The grant_type is not client_credentials.", _JWT),
            "oauth.scope": ("This back-end does not have all scopes that were asked.", "Ask less."),
        },
    ),
    *family(
        Malformed,
        _BACK_END,
        {"oauth.request": ("The token request is not as RFC 6749 and RFC 7523 say.", _JWT)},
    ),
    *family(
        NoRoute,
        _BACK_END,
        {"oauth.off": ("OAuth is off here.", "Use a token or certificate: docs/sign-in.md.")},
    ),
    *family(
        Misconfigured,
        (Told.START,),
        {
            "oauth.key": (
                "A key of [oauth] or of a back-end is not usable.",
                "EC on P-256, or for a back-end RSA of at least 2048 bits; PEM or JWKS.",
            ),
        },
    ),
    *family(
        Unavailable,
        _BACK_END,
        {
            "oauth.used": (
                "It can not be remembered that a JWT was used.",
                "Try again. Operator: look at `[oauth] used` and its disk.",
            ),
        },
    ),
    *family(
        Limited,
        (*_BACK_END, Told.EBMS),
        {
            "limit.concurrent": (
                "This back-end or partner has too many requests open at once.",
                "Wait for answers; then the seconds of Retry-After.",
            ),
            "limit.memory": (
                "This back-end or partner sends, or reads, too much at once.",
                "Try again after the seconds of Retry-After.",
            ),
        },
    ),
    *family(
        Limited,
        _BACK_END,
        {
            "limit.rate": (
                "This back-end makes too many requests per minute.",
                "Try again after the seconds of Retry-After.",
            ),
            "limit.signin": (
                "Too many attempts to sign in failed from this address.",
                "Mend what signs in; try again after the seconds of Retry-After.",
            ),
        },
    ),
)
