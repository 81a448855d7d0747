"""The OpenAPI document: it says what the API does, because both are made from one record."""

import json
import re

import pytest

from gateway.config import Settings
from gateway.errors import StoreUnavailable
from gateway.web.api.openapi import NOBODY, Contact, contact_of, document, octets
from gateway.web.api.operation import API_VERSION, ROOT
from gateway.web.api.operations import OPERATIONS
from tests.web.api_client import api

DOCUMENT = document(OPERATIONS, NOBODY)
OAUTH = ("Tokenverzoek", "Toegangstoken", "OauthProbleem")
"""Their names are those of RFC 6749."""


def described():
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield method.upper(), path, operation


async def test_anybody_may_read_it_from_any_page():
    async with api(token=None) as served, served.get(f"{ROOT}/openapi.json") as response:
        assert response.status == 200
        assert response.content_type == "application/json"
        assert response.headers["Access-Control-Allow-Origin"] == "*"
        assert await response.json() == json.loads(octets(OPERATIONS, NOBODY))


async def test_every_route_is_described_and_nothing_else():
    async with api() as served:
        routes = {
            (route.method, re.sub(r"{id:[^}]*}+", "{id}", route.resource.canonical))
            for route in served.app.router.routes()
        }
    assert {(method, ROOT + path) for method, path, _ in described()} == routes


def test_every_operation_says_what_may_go_wrong_and_with_which_version():
    for method, _, operation in described():
        answers = operation["responses"]
        assert {"400", "500", "503"} <= set(answers)
        assert any(status.startswith("2") for status in answers)
        for answer in answers.values():
            assert "API-Version" in answer["headers"]
        if operation["security"]:
            assert {"401", "403", "429"} <= set(answers)
            assert {"RateLimit", "RateLimit-Policy"} <= set(answers["429"]["headers"])
        assert ("requestBody" in operation) <= (method == "POST")


def test_every_name_is_lower_camel_case():
    def names():
        for name, schema in DOCUMENT["components"]["schemas"].items():
            if name not in OAUTH:
                yield from schema.get("properties", {})
        for _, _, operation in described():
            yield operation["operationId"]
            yield from (parameter["name"] for parameter in operation.get("parameters", ()))

    found = list(names())
    assert len(found) > 50
    assert [name for name in found if not re.fullmatch("[a-z][a-zA-Z0-9]*", name)] == []


def test_every_reference_leads_somewhere():
    references = re.findall(r'"#/([^"]+)"', json.dumps(DOCUMENT))
    assert references
    for reference in references:
        found = DOCUMENT
        for step in reference.split("/"):
            found = found[step]
        assert found


@pytest.mark.parametrize(
    ("path", "status"), [("/berichten", 200), ("/berichten?x=1", 400), ("/nergens", 404)]
)
async def test_every_answer_tells_the_version(path, status):
    async with api() as served, served.get(ROOT + path) as response:
        assert response.status == status
        assert response.headers["API-Version"] == API_VERSION


async def test_a_failure_of_our_own_tells_the_version_too():
    async with api(error=StoreUnavailable("store.busy", "x")) as served, served.hand_in() as answer:
        assert answer.status == 503
        assert answer.headers["API-Version"] == API_VERSION


async def test_a_stranger_gets_nothing_but_the_description():
    async with api(token=None) as served:
        for method, path, operation in described():
            url = ROOT + path.replace("{id}", "m-1")
            async with served.session.request(method, url) as response:
                known = 404 if path == "/token" else 200  # OAuth is off here
                assert response.status == (401 if operation["security"] else known)


def test_the_contact_is_that_of_the_settings():
    settings = {
        "naam": "politie",
        "rol": "aansluitpunt",
        "partij": "0" * 20,
        "listen": {
            "ebms": {"port": 0, "certificate": "c", "key": "k"},
            "beheer": {"port": 0},
        },
        "partijen": [],
    }
    contact = {"name": "Beheer", "email": "b@politie.example", "url": "https://politie.example"}

    nobody = contact_of(Settings.model_validate(settings))
    somebody = contact_of(Settings.model_validate({**settings, "contact": contact}))

    assert nobody == NOBODY
    assert somebody == Contact(**contact)
    assert document(OPERATIONS, somebody)["info"]["contact"] == contact
