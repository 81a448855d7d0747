"""Errors to HTTP: one table of statuses, and the two ways to tell them.

Partners over ebMS get a SOAP Fault, bland. Back-ends get problem details (RFC 9457) with
the dotted code, Dutch texts and every finding; never a value of the message.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType

from aiohttp import web

from gateway.errors import (
    DuplicateConflict,
    Finding,
    GatewayError,
    Limited,
    Malformed,
    Refused,
    SchemaViolation,
    TooLarge,
    Unavailable,
    Untrusted,
)
from gateway.wire.ebms2 import signals
from gateway.wire.fout import row_for
from gateway.wire.mime import XML

RETRY_AFTER = "30"
"""Seconds, where nothing better is known."""

_BY_CODE = {
    "header.soapaction": 400,
    "oauth.request": 400,
    "oauth.grant": 400,
    "oauth.scope": 400,
    "oauth.way": 400,
    "oauth.used": 503,
    "token.scope": 403,
    "peer.missing": 403,
    "party.suspended": 403,
    "bericht.onvindbaar": 404,
    "oauth.off": 404,
    "postvak.unknown": 404,
    "webhook.onbekend": 404,
    "partner.onbekend": 404,
    "toets.verzoek.onbekend": 404,
    "toets.besluit.onbekend": 404,
    "toets.genomen": 409,
    "toets.gesloten": 409,
    "toets.status": 409,
    "toets.wacht_op_tweede": 409,
    "toets.vier_ogen": 403,
    "request.timeout": 408,
    "payload.destroyed": 410,
    "request.content_type": 415,
    "request.content_encoding": 415,
}
_BY_PREFIX = (("token.", 401), ("request.", 400), ("oauth.", 401), ("toets.officier.", 403))
_OAUTH = {
    "oauth.request": "invalid_request",
    "oauth.grant": "unsupported_grant_type",
    "oauth.scope": "invalid_scope",
    "oauth.way": "unauthorized_client",
}
_NOTHING: Mapping[str, str] = MappingProxyType({})
_NO_CLIENT = "invalid_client"
"""RFC 6749, 5.2: every other refusal of the token endpoint."""
_BY_CLASS: tuple[tuple[type[GatewayError], int], ...] = (
    (TooLarge, 413),
    (Limited, 429),
    (DuplicateConflict, 409),
    (Untrusted, 403),
    (Refused, 422),
    (Unavailable, 503),
)
_TITLES = {
    400: "Onjuist verzoek",
    401: "Niet aangemeld",
    403: "Niet toegestaan",
    404: "Niet gevonden",
    405: "Methode niet toegestaan",
    408: "Verzoek duurde te lang",
    409: "Conflict",
    410: "Niet meer beschikbaar",
    413: "Te groot",
    415: "Mediatype niet ondersteund",
    422: "Bericht geweigerd",
    429: "Te veel verzoeken",
    500: "Interne fout",
    503: "Tijdelijk niet beschikbaar",
}
_XML = {
    "xml.doctype": "Het document heeft een DTD; dat is niet toegestaan.",
    "xml.encoding": "Het document is niet in UTF-8.",
    "xml.malformed": "Het document is geen welgevormde XML.",
    "xml.size": "Het document is te groot.",
    "xml.depth": "Het document heeft te veel niveaus.",
    "xml.nodes": "Het document heeft te veel elementen.",
    "xml.attributes": "Een element heeft te veel attributen.",
}
_OTHER_XML = "Het document is geen XML die hier gelezen kan worden."
_INTERNAL = "Er ging hier iets mis. Het is vastgelegd."
_LATER = "Dit kan nu niet. Probeer het later opnieuw."


def status_of(error: GatewayError) -> int:
    """Return the HTTP status for an error."""
    if error.code in _BY_CODE:
        return _BY_CODE[error.code]
    for prefix, status in _BY_PREFIX:
        if error.code.startswith(prefix):
            return status
    return next((status for kind, status in _BY_CLASS if isinstance(error, kind)), 500)


def fault(error: GatewayError, *, status: int | None = None) -> web.Response:
    """Return a SOAP 1.1 Fault; Retry-After where a retry may help.

    Who has more than its share is told 503: a 4xx ends the retries (DK-ebMS2, HTTP codes).
    """
    if isinstance(error, Limited):
        status = 503
    response = web.Response(
        body=signals.soap_fault(error),
        status=status or status_of(error),
        headers={"Content-Type": XML},
    )
    if error.retry:
        response.headers["Retry-After"] = _seconds(error)
    return response


def problem(error: GatewayError) -> web.Response:
    """Return problem details with `code`, `herhalen`, and the findings of a refusal."""
    status = status_of(error)
    response = problem_response(
        status,
        detail=detail(error),
        code=error.code,
        retry=error.retry,
        findings=_findings(error, status),
        more=_scope(error) | _oauth(error),
    )
    if error.retry:
        response.headers["Retry-After"] = _seconds(error)
    if status == 401 or error.code == "token.scope":  # noqa: PLR2004 - HTTP Unauthorized
        response.headers["WWW-Authenticate"] = _challenge(error)
    return response


def _seconds(error: GatewayError) -> str:
    return str(error.seconds) if isinstance(error, Limited) else RETRY_AFTER


def _challenge(error: GatewayError) -> str:
    """Return WWW-Authenticate (RFC 6750, 3): without `error` when no token was given."""
    challenge = 'Bearer realm="berichtengateway"'
    if error.code == "token.scope":
        return f'{challenge}, error="insufficient_scope", scope="{error.where}"'
    if error.code.startswith("token.") and error.code != "token.missing":
        return f'{challenge}, error="invalid_token", error_description="{error.code}"'
    return challenge


def _scope(error: GatewayError) -> dict[str, str]:
    """Return which scope is missing."""
    told = error.code in {"token.scope", "oauth.scope"} and error.where
    return {"scope": error.where} if told else {}


def _oauth(error: GatewayError) -> dict[str, str]:
    """Return what a client of OAuth reads from a refusal of the token endpoint."""
    if not (error.code.startswith("oauth.") and isinstance(error, Refused)):
        return {}
    return {"error": _OAUTH.get(error.code, _NO_CLIENT), "error_description": error.text}


def problem_response(
    status: int,
    *,
    detail: str,
    code: str,
    retry: bool = False,
    findings: tuple[Finding, ...] = (),
    more: Mapping[str, str] = _NOTHING,
) -> web.Response:
    """Return application/problem+json (RFC 9457), with `more` as further members."""
    body = {
        "status": status,
        "title": title(status),
        "detail": detail,
        "code": code,
        "herhalen": retry,
        "bevindingen": [finding_shape(finding) for finding in findings],
        **more,
    }
    text = json.dumps(body, ensure_ascii=False)
    return web.Response(text=text, status=status, content_type="application/problem+json")


def problem_for(status: int) -> web.Response:
    """Return the problem for what aiohttp itself refuses, and for what is our own failure."""
    own = status >= 500  # noqa: PLR2004 - the HTTP class of our own failures
    return problem_response(
        status,
        detail=_INTERNAL if own else f"{title(status)}.",
        code="request.failed" if own else "request.refused",
    )


def title(status: int) -> str:
    """Return the Dutch name of a status."""
    return _TITLES.get(status, "Fout")


def detail(error: GatewayError) -> str:
    """Return what is wrong in Dutch; of what is ours, only that it is ours."""
    if error.code.startswith("xml."):
        return _XML.get(error.code, _OTHER_XML) + _at(error)
    if isinstance(error, Refused | Limited) or error.code == "payload.destroyed":
        return error.text
    return _LATER if error.retry else _INTERNAL


def _at(error: GatewayError) -> str:
    line, column = error.position if isinstance(error, Malformed) else (0, 0)
    return f" Het lezen stopte op regel {line}, kolom {column}." if line else ""


def findings_of(error: GatewayError) -> tuple[Finding, ...]:
    """Return everything that a refusal tells, one finding where it is about one thing."""
    if isinstance(error, SchemaViolation):
        return error.findings
    row = row_for(error.code)
    remedy = row.remedy if row is not None else ""
    found = Finding(
        code=error.code,
        rule="",
        path=error.where,
        text=detail(error),
        remedy=remedy,
        position=error.position if isinstance(error, Malformed) else (0, 0),
    )
    return (found,)


def _findings(error: GatewayError, status: int) -> tuple[Finding, ...]:
    """Only what is wrong with the request has a place in it."""
    placed = isinstance(error, SchemaViolation) or (isinstance(error, Refused) and error.where)
    refused = status == 422  # noqa: PLR2004 - the status of a refused document
    return findings_of(error) if refused or (placed and status in _PLACED) else ()


_PLACED = frozenset({400, 409, 413})


def finding_shape(finding: Finding) -> dict[str, str | int | None]:
    """Return the JSON of a finding."""
    line, column = finding.position
    return {
        "code": finding.code,
        "regel": finding.rule,
        "pad": finding.path,
        "tekst": finding.text,
        "herstel": finding.remedy,
        "ernst": str(finding.severity),
        "regelnummer": line or None,
        "kolom": column or None,
    }
