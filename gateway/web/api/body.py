"""Bodies of requests: the media type, and JSON into its model."""

from typing import TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from gateway.errors import Finding, Malformed, SchemaViolation
from gateway.web.api.office import OFFICE

_UTF8 = frozenset({"utf-8", "us-ascii"})


class JsonBody(BaseModel):
    """JSON that a client sends: strict, nothing unknown in it. Each field has a description."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", strict=True, frozen=True)


B = TypeVar("B", bound=JsonBody)


def must_be(request: web.Request, content_type: str) -> None:
    """Raise Malformed `request.content_type` unless it is this, in UTF-8."""
    charset = (request.charset or "utf-8").lower()
    if request.content_type != content_type or charset not in _UTF8:
        raise Malformed("request.content_type", f"Stuur {content_type} in UTF-8.")


async def read_json(request: web.Request, model: type[B], *, code: str) -> B:
    """Read a body of at most `ApiLimits.json_bytes` octets.

    Raises SchemaViolation `code` with every field that is wrong, Malformed
    `request.content_type`, and what `Intake.body` raises (TooLarge `size.request`).
    """
    must_be(request, "application/json")
    office = request.app[OFFICE]
    async with office.intake.body(
        request, most=office.limits.json_bytes, code="size.request"
    ) as octets:
        return parse_json(octets, model, code=code)


def parse_json(octets: bytes, model: type[B], *, code: str) -> B:
    """Return the model; raise SchemaViolation `code` with every field that is wrong."""
    try:
        return model.model_validate_json(octets)
    except ValidationError as error:
        places = [problem["loc"] for problem in error.errors(include_input=False)]
        found = tuple(dict.fromkeys(_finding(place, model, code) for place in places))
        raise SchemaViolation(found, code=code) from None


def _finding(place: tuple[int | str, ...], model: type[JsonBody], code: str) -> Finding:
    """Name the field when it is one of ours; other names are the client's own text."""
    ours = {info.alias or name for name, info in model.model_fields.items()}
    field = str(place[0]) if place and place[0] in ours else ""
    return Finding(
        code=code,
        rule="json",
        path=f"/{field}",
        text="Dit veld ontbreekt, heeft niet de juiste vorm of hoort hier niet."
        if place
        else "Geen JSON.",
        remedy=_remedy(model),
    )


def _remedy(model: type[JsonBody]) -> str:
    fields = (
        f"{info.alias or name} ({info.description})" for name, info in model.model_fields.items()
    )
    return f"Stuur een JSON-object met {', '.join(fields)}."
