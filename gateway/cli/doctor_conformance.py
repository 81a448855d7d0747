"""`gateway doctor --conformance`: the requirements of the profiles, met how and tested where."""

import json
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from gateway.conformance import REQUIREMENTS


def show(console: Console, *, as_json: bool) -> None:
    """Print the table; a test is a file and a function below tests/."""
    if as_json:
        print(json.dumps([asdict(row) for row in REQUIREMENTS], indent=2, ensure_ascii=False))
        return
    table = Table(title="Digikoppeling ebMS2 en beveiligingsvoorschriften", title_justify="left")
    for column in ("nr", "onderwerp", "stand", "hoe", "getest in tests/"):
        table.add_column(column, overflow="fold")
    for row in REQUIREMENTS:
        table.add_row(row.id, row.topic, row.standing, row.how, "\n".join(row.tests))
    console.print(table)
