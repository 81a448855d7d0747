"""Templates to HTML. Everything is escaped; a value that is not there is an error, not a gap."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from gateway.web.console import words

_FOLDER = Path(__file__).parent / "templates"


class Renderer:
    """The templates, compiled once."""

    def __init__(self) -> None:
        """Read none yet: each is compiled when it is first used."""
        self.environment = Environment(
            loader=FileSystemLoader(_FOLDER),
            autoescape=True,
            undefined=StrictUndefined,
            auto_reload=False,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.globals["words"] = words

    def __call__(self, template: str, values: Mapping[str, Any]) -> str:
        """Return the HTML."""
        return self.environment.get_template(template).render(values)
