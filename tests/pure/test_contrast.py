"""The colours of the stylesheet: text 4.5 to 1, borders and focus 3 to 1, in light and dark."""

import re
from pathlib import Path

import pytest

from gateway.web.console import assets

CSS = (Path(assets.__file__).parent / "static" / "console.css").read_text("utf-8")
_TOKEN = re.compile(r"--([\w-]+):\s*(?:light-dark\((#\w{6}), (#\w{6})\)|(#\w{6}));")
LIGHT = {name: light or both for name, light, _, both in _TOKEN.findall(CSS)}
DARK = {name: dark or both for name, _, dark, both in _TOKEN.findall(CSS)}
STATUSES = ("positive", "warning", "negative", "info", "accent-1", "accent-2", "highlight")
DOCUMENT, SUBTLE = "basis-color-default-bg-document", "basis-color-default-bg-subtle"
C = "basis-color"
TEXT = [
    *[(f"{C}-default-color-document", bg) for bg in (DOCUMENT, SUBTLE)],
    *[(f"{C}-default-color-subtle", bg) for bg in (DOCUMENT, SUBTLE)],
    *[
        (f"{C}-action-1-color-{how}", bg)
        for how in ("default", "hover")
        for bg in (DOCUMENT, SUBTLE)
    ],
    *[("bgw-link-visited-color", bg) for bg in (DOCUMENT, SUBTLE)],
    (f"{C}-action-1-inverse-color-default", f"{C}-action-1-inverse-bg-default"),
    (f"{C}-negative-inverse-color-default", f"{C}-negative-inverse-bg-default"),
    ("bgw-page-header-color", "bgw-page-header-background-color"),
    *[(f"{C}-{s}-color-default", f"{C}-{s}-bg-subtle") for s in STATUSES],
]
LINES = [
    *[(f"{C}-default-border-default", bg) for bg in (DOCUMENT, SUBTLE)],
    *[("basis-focus-outline-color", bg) for bg in (DOCUMENT, SUBTLE)],
    ("bgw-page-header-focus-outline-color", "bgw-page-header-background-color"),
    *[(f"bgw-chart-{n}-color", DOCUMENT) for n in (1, 2, 3)],
    *[(f"{C}-{s}-border-default", DOCUMENT) for s in STATUSES],
]


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


def ratio(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_every_colour_is_a_token():
    rules = CSS.split("/* Page */")[1].split("@media print")[0]

    assert LIGHT != DARK
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b", rules) == ["#ffffff", "#000000"]  # of a QR code


@pytest.mark.parametrize("values", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back"), TEXT)
def test_text_can_be_read(values, front, back):
    assert ratio(values[front], values[back]) >= 4.5


@pytest.mark.parametrize("values", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back"), LINES)
def test_border_and_focus_can_be_seen(values, front, back):
    assert ratio(values[front], values[back]) >= 3.0
