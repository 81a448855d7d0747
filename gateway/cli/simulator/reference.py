"""The tables of docs/simulator.md: every key of a script, made from `script.py`."""

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gateway.cli.simulator.documents import BELONGS
from gateway.cli.simulator.script import (
    BackendZending,
    Herkenning,
    PartnerReactie,
    PartnerZending,
    Reactie,
    Systeem,
    Zending,
)

BEGIN, END = "<!-- script: made from the code -->", "<!-- script: end -->"


def reference() -> str:
    """Return what stands between `BEGIN` and `END`."""
    lines = [BEGIN, ""]
    for title, model, leave_out in (
        ("`[[regels]]`: which message", Herkenning, None),
        ("`[standaard]` and `[[regels]]`: what is done", Reactie, None),
        ("The same, for a partner only", PartnerReactie, Reactie),
        ("`[[stuur]]`: messages of its own accord", Zending, None),
        ("`[[stuur]]`, for a partner only", PartnerZending, Zending),
        ("`[[stuur]]`, for a back-end only", BackendZending, Zending),
        ("`[systeem]`, for a back-end only", Systeem, None),
    ):
        lines += [f"### {title}", "", f"{model.__doc__}", "", *_table(model, leave_out), ""]
    lines += ["### What belongs to what", "", "| Message | Its answer |", "|---|---|"]
    lines += [f"| `{message}` | `{answer}` |" for message, answer in BELONGS.items()]
    return "\n".join([*lines, "", END])


def _table(model: type[BaseModel], leave_out: type[BaseModel] | None) -> list[str]:
    known = leave_out.model_fields if leave_out else {}
    rows = {name: info for name, info in model.model_fields.items() if name not in known}
    return [
        "| Key | Default | Meaning |",
        "|---|---|---|",
        *(f"| `{name}` | {_default(info)} | {info.description} |" for name, info in rows.items()),
    ]


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    if info.default is None or info.default_factory is not None or info.default == "":
        return "none"
    return f"`{str(info.default).lower() if isinstance(info.default, bool) else info.default}`"
