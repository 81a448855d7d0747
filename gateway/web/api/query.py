"""Query parameters, read strictly: a typo never means "default".

The model of an operation's parameters says what may be given; the texts of a refusal and the
OpenAPI document are made from it.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar

from aiohttp import web
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from pydantic.alias_generators import to_camel

from gateway.errors import Finding, SchemaViolation

CODE = "request.query"
_WORDS = {"true": True, "false": False}
_LONGEST_NUMBER = 9


class Query(BaseModel):
    """Parameters of one operation; by itself: none. Names are lowerCamelCase for clients."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True)


def _word(text: object) -> object:
    if not isinstance(text, str) or text not in _WORDS:
        raise ValueError
    return _WORDS[text]


def _whole(text: object) -> object:
    if not isinstance(text, str) or not (text.isascii() and text.isdigit()):
        raise ValueError
    if len(text) > _LONGEST_NUMBER:
        raise ValueError
    return int(text)


_RFC3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
    r"([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


def _moment(text: object) -> object:
    """Only what RFC 3339 calls a date-time: pydantic would also take a number."""
    # A plus sign that was not escaped is a space in a query.
    spelled = text.replace(" ", "+") if isinstance(text, str) else ""
    if not _RFC3339.fullmatch(spelled):
        raise ValueError
    return datetime.fromisoformat(spelled.upper())


Word = Annotated[bool, BeforeValidator(_word)]
"""`true` or `false`."""
Whole = Annotated[int, BeforeValidator(_whole)]
"""A whole number; give its bounds with Field."""
Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]
"""A moment with its zone."""
Text = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern="^[^\\x00-\\x1f\\x7f\\ufffd]+$")
]
"""Readable text: no control character, and no octets that are not UTF-8 (U+FFFD)."""


def page(*, default: int, most: int) -> Any:
    """Return the field for the length of a page."""
    return Field(default, ge=1, le=most, description="Hoeveel er hoogstens worden gegeven.")


Q = TypeVar("Q", bound=Query)


def read(request: web.Request, model: type[Q]) -> Q:
    """Return the parameters; raise SchemaViolation `request.query` with everything wrong."""
    known = schemas(model)
    given = request.query
    wrong = [
        _finding(
            name if name in known else "",
            "Deze parameter staat er meer dan eens." if name in known else _UNKNOWN,
            f"Deze bestaan: {', '.join(known)}." if known else "Hier bestaan geen parameters.",
        )
        for name in dict.fromkeys(given)
        if name not in known or len(given.getall(name)) > 1
    ]
    try:
        found = model.model_validate({name: given[name] for name in given if name in known})
    except ValidationError as error:
        places = dict.fromkeys(str(fault["loc"][0]) for fault in error.errors(include_input=False))
        wrong += [_finding(name, "Deze waarde kan niet.", expected(known[name])) for name in places]
        raise SchemaViolation(tuple(wrong), code=CODE) from None
    if wrong:
        raise SchemaViolation(tuple(wrong), code=CODE)
    return found


# An unknown name is the client's own text: it is not repeated.
_UNKNOWN = "Er is een parameter die hier niet bestaat."


def _finding(name: str, text: str, remedy: str) -> Finding:
    return Finding(code=CODE, rule="query", path=f"?{name}", text=text, remedy=remedy)


def schemas(model: type[Query]) -> dict[str, dict[str, Any]]:
    """Return name → JSON schema of each parameter, with its description and default in it."""
    whole = model.model_json_schema(by_alias=True)
    definitions = whole.get("$defs", {})
    found = whole.get("properties", {})
    return {name: _plain(schema, definitions) for name, schema in found.items()}


def _plain(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out null, which a query can not say, and put definitions where they are named."""
    rest = {k: v for k, v in schema.items() if k not in {"anyOf", "$ref", "title"}}
    if rest.get("default", ...) is None:
        del rest["default"]
    options = [one for one in schema.get("anyOf", ()) if one.get("type") != "null"]
    if "$ref" in schema:
        options = [definitions[schema["$ref"].rsplit("/", 1)[-1]]]
    for option in options:
        rest = _plain(option, definitions) | rest
    return rest


def expected(schema: Mapping[str, Any]) -> str:
    """Say in Dutch what the schema of a parameter takes."""
    if "enum" in schema:
        return f"Geef een van: {', '.join(schema['enum'])}."
    if schema.get("format") == "date-time":
        return "Geef een moment met zone volgens RFC 3339: 2026-11-26T08:30:00Z."
    match schema["type"]:
        case "boolean":
            return "Geef true of false."
        case "integer":
            return f"Geef een geheel getal van {schema['minimum']} tot en met {schema['maximum']}."
    return f"Geef 1 tot {schema['maxLength']} leesbare tekens."
