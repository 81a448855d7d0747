"""Every text that the console says to people, found in its templates and its code."""

import ast
from collections.abc import Iterator
from pathlib import Path

from jinja2 import Environment

CONSOLE = Path(__file__).parents[1] / "gateway" / "web" / "console"
_SAY = frozenset({"say", "N_", "_"})


def texts() -> dict[str, str]:
    """Return each Dutch text with the place of its first use."""
    found: dict[str, str] = {}
    for path in sorted((CONSOLE / "templates").rglob("*.html")):
        for text in _of_template(path):
            found.setdefault(text, path.name)
    for path in sorted(CONSOLE.rglob("*.py")):
        for text in _of_code(path):
            found.setdefault(text, path.name)
    return found


def _of_template(path: Path) -> Iterator[str]:
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    for _line, _function, message in environment.extract_translations(
        path.read_text("utf-8"), gettext_functions=tuple(_SAY)
    ):
        first = message[0] if isinstance(message, tuple) else message
        if first:
            yield first


def _of_code(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not (isinstance(node, ast.Call) and node.args):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else None
        name = node.func.id if isinstance(node.func, ast.Name) else name
        first = node.args[0]
        if name in _SAY and isinstance(first, ast.Constant) and isinstance(first.value, str):
            yield first.value
