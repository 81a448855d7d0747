"""TOML files and the models that they are read into. Unknown keys are faults."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.errors import Misconfigured

Sha256Text = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Model = TypeVar("Model", bound=BaseModel)


def read_toml(path: Path, model: type[Model]) -> Model:
    """Read a TOML file into its model.

    Raises Misconfigured `config.missing`, `config.syntax` or `config.invalid`.
    """
    try:
        octets = path.read_bytes()
    except OSError as exc:
        raise Misconfigured(
            "config.missing", "Het bestand is niet te lezen.", where=str(path)
        ) from exc
    return parse_toml(octets, model, where=str(path))


def parse_toml(octets: bytes, model: type[Model], *, where: str) -> Model:
    """Read TOML into its model; `where` names the file.

    Raises Misconfigured `config.syntax`, or `config.invalid` with the key path of every
    fault. Values are not repeated: one of them may be a secret in the wrong place.
    """
    try:
        raw = tomllib.loads(octets.decode())
    except UnicodeDecodeError as exc:
        raise Misconfigured("config.syntax", "Het bestand is geen UTF-8.", where=where) from exc
    except tomllib.TOMLDecodeError as exc:
        raise Misconfigured(
            "config.syntax", f"Het bestand is geen TOML: {_place(exc)}.", where=where
        ) from None  # the cause may print a value
    try:
        return model.model_validate(raw)
    except ValidationError as exc:
        faults = "; ".join(
            f"{'.'.join(str(step) for step in fault['loc'])}: {_plain(fault['type'])}"
            for fault in exc.errors(include_input=False, include_url=False, include_context=False)
        )
        raise Misconfigured("config.invalid", faults, where=where) from None


def _place(exc: tomllib.TOMLDecodeError) -> str:
    """Return line and column, which the message of the parser ends with."""
    found = re.search(r"at line ([0-9]+), column ([0-9]+)", str(exc))
    return f"regel {found[1]}, kolom {found[2]}" if found else "aan het einde"


_FAULTS = {
    "extra_forbidden": "onbekende instelling",
    "missing": "ontbreekt",
    "string_pattern_mismatch": "heeft niet de juiste vorm",
    "string_too_short": "is leeg",
    "too_short": "is leeg",
    "enum": "is geen bekende keuze",
    "greater_than": "is te klein",
    "greater_than_equal": "is te klein",
    "less_than": "is te groot",
    "less_than_equal": "is te groot",
    "timezone_aware": "heeft geen tijdzone",
}


def _plain(kind: str) -> str:
    return _FAULTS.get(kind, "is niet van de juiste soort")
