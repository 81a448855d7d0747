"""The OpenAPI 3.1 document, made from the operations themselves."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

from aiohttp import web
from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from gateway.config import Settings
from gateway.credentials import Scope
from gateway.web.api import query
from gateway.web.api.models import Probleem
from gateway.web.api.operation import API_VERSION, ID, ROOT, Answer, Body, Operation
from gateway.web.api.query import Query
from gateway.web.errors import title

_REF = "#/components/schemas/{model}"
_TAGS = {
    "aanmelden": "Een toegangstoken krijgen, waar OAuth aan staat.",
    "berichten": "Berichten aanleveren en volgen.",
    "postvak": "Ophalen wat binnenkwam, en bevestigen of weigeren.",
    "toetsing": "Voor het OM: zien wat op een besluit wacht, lezen, besluiten en intrekken.",
    "webhooks": "Zien hoe het gaat met de webhooks van dit systeem, en ze proberen.",
    "beschrijving": "Deze interface zelf.",
}
_ABOUT = """\
Voor back-endsystemen van de partijen. Een systeem ziet alleen berichten van zijn eigen partij.

Elke weigering is `application/problem+json` met een vaste `code`, of herhalen helpt en alles wat
er niet klopt met zijn plaats; nooit met een waarde uit het bericht. Bij 429 en 503 zegt
`Retry-After` hoeveel seconden te wachten.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Whom an integrator asks."""

    name: str
    email: str
    url: str


NOBODY = Contact(
    name="Beheer van deze gateway", email="beheer@example.invalid", url="https://example.invalid"
)
"""Where no contact was set: names that are reserved for being nobody's."""


def contact_of(settings: Settings) -> Contact:
    """Return the contact of the settings."""
    found = settings.contact
    if found is None:
        return NOBODY
    return Contact(name=found.name, email=found.email, url=found.url)


DOCUMENT: web.AppKey[bytes] = web.AppKey("openapi", bytes)


async def show(request: web.Request, _query: Query) -> web.Response:
    """Return the document; any web page may read it."""
    return web.Response(
        body=request.app[DOCUMENT],
        content_type="application/json",
        headers={"Access-Control-Allow-Origin": "*"},
    )


def octets(operations: Iterable[Operation], contact: Contact) -> bytes:
    """Return the document as JSON."""
    return json.dumps(document(tuple(operations), contact), ensure_ascii=False, indent=1).encode()


@cache
def document(operations: tuple[Operation, ...], contact: Contact) -> dict[str, Any]:
    """Return the document."""
    schemas = _Schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, schemas)
    tags = dict.fromkeys(one.tag for one in operations)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Berichtengateway",
            "version": API_VERSION,
            "description": _ABOUT,
            "contact": {"name": contact.name, "email": contact.email, "url": contact.url},
            "license": {"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
        },
        "servers": [{"url": ROOT}],
        "tags": [{"name": tag, "description": _TAGS[tag]} for tag in tags],
        "paths": paths,
        "components": {
            "schemas": schemas.definitions,
            "headers": {name: _header(*facts) for name, facts in _HEADERS.items()},
            "securitySchemes": _SCHEMES,
        },
    }


_SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "Het token van het systeem.",
    },
    "certificaat": {
        "type": "mutualTLS",
        "description": "Het clientcertificaat van het systeem, alleen of naast een token.",
    },
    "oauth": {
        "type": "oauth2",
        "description": "Een toegangstoken, waar OAuth aan staat; de client tekent een JWT.",
        "flows": {
            "clientCredentials": {
                "tokenUrl": f"{ROOT}/token",
                "scopes": {
                    Scope.HAND_IN: "Berichten aanleveren.",
                    Scope.READ: "Berichten volgen.",
                    Scope.POSTVAK_LOOK: "Zien wat binnenkwam.",
                    Scope.DECIDE_LOOK: "Zien en lezen wat op een besluit van het OM wacht.",
                    Scope.DECIDE: "Besluiten voor het OM.",
                    Scope.POSTVAK_CLOSE: "Bevestigen of weigeren wat binnenkwam.",
                    Scope.WEBHOOKS: "Webhooks beheren.",
                },
            }
        },
    },
}
_SHARE = ("RateLimit", "RateLimit-Policy")
_HEADERS = {
    "RateLimit": ("Wat dit systeem nog mag, en over hoeveel seconden weer alles.", "string"),
    "RateLimit-Policy": ("Hoeveel verzoeken een systeem per minuut mag.", "string"),
    "API-Version": ("Versie van deze interface.", "string"),
    "Retry-After": ("Seconden om te wachten.", "string"),
    "WWW-Authenticate": ("Hoe aan te melden.", "string"),
}


def _header(description: str, kind: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": kind}}


class _Schemas:
    """Every model that is named, once."""

    def __init__(self, operations: tuple[Operation, ...]) -> None:
        models = dict.fromkeys(_models(operations))
        found, whole = models_json_schema(list(models), ref_template=_REF)
        self.definitions: dict[str, Any] = whole["$defs"]
        self._refs = found

    def of(self, model: type[BaseModel], mode: JsonSchemaMode = "serialization") -> Any:
        return self._refs[(model, mode)]


def _models(
    operations: tuple[Operation, ...],
) -> Iterable[tuple[type[BaseModel], JsonSchemaMode]]:
    yield Probleem, "serialization"
    for one in operations:
        yield one.refusal, "serialization"
        if one.body is not None and one.body.model is not None:
            yield one.body.model, "validation"
        for answer in one.answers.values():
            for model in (answer.model, answer.other):
                if model is not None:
                    yield model, "serialization"


def _operation(one: Operation, schemas: _Schemas) -> dict[str, Any]:
    answers = {str(status): _answer(answer, schemas) for status, answer in one.answers.items()}
    refusals = {str(status): _refusal(status, one, schemas) for status in one.refusals}
    if one.scope is not None:
        for answer in (*answers.values(), refusals["429"]):
            answer["headers"] |= {name: _named(name) for name in _SHARE}
    found: dict[str, Any] = {
        "operationId": one.id,
        "tags": [one.tag],
        "summary": one.summary,
        "description": one.description,
        "responses": dict(sorted((answers | refusals).items())),
        "security": [] if one.scope is None else _security(one.scope),
    }
    if parameters := list(_parameters(one)):
        found["parameters"] = parameters
    if one.body is not None:
        found["requestBody"] = _body(one.body, schemas)
    return found


def _security(scope: Scope) -> list[dict[str, list[str]]]:
    """Return the ways to sign in; which of them a system has is agreed with the operator."""
    return [{"token": [scope]}, {"certificaat": []}, {"oauth": [scope]}]


def _parameters(one: Operation) -> Iterable[dict[str, Any]]:
    if "{id}" in one.path:
        yield {
            "name": "id",
            "in": "path",
            "required": True,
            "description": "Id zoals deze gateway het gaf.",
            "schema": {"type": "string", "pattern": f"^{ID}$"},
        }
    for name, schema in query.schemas(one.query).items():
        rest = {key: value for key, value in schema.items() if key != "description"}
        yield {
            "name": name,
            "in": "query",
            "required": False,
            "description": schema.get("description", ""),
            "schema": rest,
        }


def _body(body: Body, schemas: _Schemas) -> dict[str, Any]:
    schema = {"type": "string"} if body.model is None else schemas.of(body.model, "validation")
    return {
        "required": True,
        "description": body.description,
        "content": {body.content_type: {"schema": schema}},
    }


def _answer(answer: Answer, schemas: _Schemas) -> dict[str, Any]:
    schema = answer.schema if answer.model is None else schemas.of(answer.model)
    if answer.other is not None:
        schema = {"anyOf": [schema, schemas.of(answer.other)]}
    headers = {"API-Version": _named("API-Version")}
    for name, description in (answer.headers or {}).items():
        headers[name] = _header(description, "string")
    found: dict[str, Any] = {"description": answer.description, "headers": headers}
    if schema is not None:
        found["content"] = {answer.content_type: {"schema": schema}}
    return found


def _refusal(status: int, one: Operation, schemas: _Schemas) -> dict[str, Any]:
    names = ["API-Version"]
    names += ["Retry-After"] if status in {429, 503} else []
    names += ["WWW-Authenticate"] if status == 401 else []  # noqa: PLR2004 - HTTP Unauthorized
    return {
        "description": title(status),
        "headers": {name: _named(name) for name in names},
        "content": {"application/problem+json": {"schema": schemas.of(one.refusal)}},
    }


def _named(header: str) -> dict[str, str]:
    return {"$ref": f"#/components/headers/{header}"}
