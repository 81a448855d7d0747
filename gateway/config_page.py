"""docs/configuration.md, made from the settings: every one stands in one place only."""

from inspect import getdoc
from typing import get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gateway.config import (
    ActivationsFile,
    CatalogueFile,
    Settings,
)
from gateway.config_gate import ApprovalsFile, ClassificationFile


def describe() -> str:
    """Return docs/configuration.md: every setting with its default and meaning."""
    lines = [
        "# Configuration",
        "",
        "Every setting of `gateway.toml`, and of the files that it names. Paths are relative to",
        "`gateway.toml`. An unknown key stops the start. Private keys are files with mode 0600;",
        "tokens stand here only as SHA-256. `gateway init` writes a first configuration.",
        "",
        "This page is made from the models in the program; a test keeps the two the same.",
        "",
    ]
    _describe(Settings, "", lines)
    for title, model in (
        ("Approvals", ApprovalsFile),
        ("Classification table", ClassificationFile),
        ("Catalogue", CatalogueFile),
        ("Activations of schema packs", ActivationsFile),
    ):
        lines += [f"# {title}", "", f"{getdoc(model)}", ""]
        _describe(model, "", lines)
    return "\n".join(lines).rstrip() + "\n"


def _describe(model: type[BaseModel], prefix: str, lines: list[str]) -> None:
    fields = model.model_fields
    plain = {_name(n, f): f for n, f in fields.items() if _section(f) is None}
    if plain:
        title = f"`{prefix}`" if prefix else "At the top"
        lines += [f"## {title}", "", *_about(model, prefix)]
        lines += ["| Setting | Default | Meaning |", "|---|---|---|"]
        lines += [f"| `{n}` | {_default(f)} | {f.description} |" for n, f in plain.items()]
        lines.append("")
    for name, info in fields.items():
        section = _section(info)
        if section is not None:
            path = f"{prefix.strip('[]')}.{name}".lstrip(".")
            _describe(section, f"[[{path}]]" if _repeats(info) else f"[{path}]", lines)


def _about(model: type[BaseModel], prefix: str) -> list[str]:
    return [f"{getdoc(model)}", ""] if prefix and model.__doc__ else []


def _name(name: str, info: FieldInfo) -> str:
    return info.alias or name


def _section(info: FieldInfo) -> type[BaseModel] | None:
    for candidate in (info.annotation, *get_args(info.annotation)):
        if isinstance(candidate, type) and issubclass(candidate, BaseModel):
            return candidate
    return None


def _repeats(info: FieldInfo) -> bool:
    return get_origin(info.annotation) is tuple


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    if info.default is None or info.default_factory is not None or info.default in ((), ""):
        return "none"
    if isinstance(info.default, bool):
        return f"`{str(info.default).lower()}`"
    return f"`{list(info.default) if isinstance(info.default, tuple) else info.default}`"
