"""What `gateway cpa lint` does: tell what is found in a CPA, and whether it may be activated."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from gateway.cpa_rules import Remark
from gateway.directory import Party
from gateway.message import Oin
from gateway.security.cpa_lint import Linted, lint


def check(
    file: Path,
    *,
    at: datetime,
    parties: Mapping[Oin, Party],
    as_json: bool,
    console: Console,
) -> bool:
    """Print what is found; return whether it may be activated."""
    found = lint(file.read_bytes(), at=at, parties=parties)
    if as_json:
        print(json.dumps(shape(found), indent=2, ensure_ascii=False))
    else:
        for remark in found.remarks:
            console.print(_line(remark), soft_wrap=True)
        said = "Mag in gebruik." if found.may_be_activated else "Mag niet in gebruik."
        console.print(said)
    return found.may_be_activated


def _line(remark: Remark) -> str:
    rule = remark.rule
    return f"{rule.id} {rule.weight}: {remark} Doe: {remark.remedy} [{rule.clause}]"


def shape(found: Linted) -> dict[str, Any]:
    """Return it as JSON has it."""
    return {
        "cpa_id": found.agreement.cpa_id if found.agreement is not None else None,
        "activeerbaar": found.may_be_activated,
        "bevindingen": [
            {
                "regel": remark.rule.id,
                "ernst": remark.rule.weight,
                "waar": remark.where,
                "tekst": str(remark.line),
                "doe": str(remark.remedy),
                "bron": remark.rule.clause,
            }
            for remark in found.remarks
        ],
    }
