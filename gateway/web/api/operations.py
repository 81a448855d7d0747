"""All operations of the REST API."""

from http import HTTPMethod

from gateway.web.api import berichten, berichtsoorten, openapi, postvak, toetsen, token, webhooks
from gateway.web.api.operation import Answer, Operation

OPERATIONS: tuple[Operation, ...] = (
    *berichten.OPERATIONS,
    *berichtsoorten.OPERATIONS,
    *postvak.OPERATIONS,
    *toetsen.OPERATIONS,
    *token.OPERATIONS,
    *webhooks.OPERATIONS,
    Operation(
        id="geefOpenapi",
        method=HTTPMethod.GET,
        path="/openapi.json",
        handler=openapi.show,
        tag="beschrijving",
        summary="Deze beschrijving",
        description="OpenAPI 3.1, gemaakt uit de code die antwoordt. Zonder aanmelden te lezen.",
        scope=None,
        answers={200: Answer(description="De beschrijving.", schema={"type": "object"})},
    ),
)
