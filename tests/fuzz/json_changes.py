"""Changes to JSON: other values, other names, other kinds."""

import json
from typing import Any

from tests.fuzz.changes import CANARY, TEXTS, octets_changed
from tests.fuzz.choices import Choices

_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 1 << 70, 1e308, float("nan"), float("inf"), "", CANARY),
    *([], {}, [[]], [1, "a"], {"a": {}}, "none", "HS256", "ES256", "RS256", "PS256", "A" * 300),
    *("https://x/", "https://[::1", "é", "\ud800", ["console"], 1 << 34, 1_000_000_000_000_000),
)


_KEYS = (
    "crit",
    "b64",
    "kid",
    "typ",
    "alg",
    "jwk",
    "aud",
    "azp",
    "nbf",
    "at_hash",
    "cnf",
    "amr",
    "é",
)


def value_changed(value: Any, choices: Choices) -> Any:
    """Return JSON with one thing in it changed."""
    if isinstance(value, dict) and value and choices.number(4):
        key = choices.one(sorted(value))
        changed = value | {key: value_changed(value[key], choices)}
        if choices.number(6) == 1:
            del changed[key]
        return changed
    if isinstance(value, list) and value and choices.flag():
        at = choices.number(len(value))
        return [*value[:at], value_changed(value[at], choices), *value[at + 1 :]]
    return _OTHERS[choices.number(len(_OTHERS))](value, choices)


def _more(value: Any, choices: Choices) -> Any:
    if isinstance(value, dict):
        return value | {choices.one(_KEYS): choices.one(_VALUES)}
    return value + 1 if isinstance(value, int) else f"{value}{choices.one(TEXTS)}"


_OTHERS = (
    lambda _value, choices: choices.one(_VALUES),
    lambda value, _choices: [value],
    _more,
)


def json_changed(octets: bytes, choices: Choices) -> bytes:
    try:
        value = json.loads(octets)
    except (ValueError, RecursionError):
        return octets_changed(octets, choices)
    return json.dumps(value_changed(value, choices)).encode(errors="surrogatepass")
