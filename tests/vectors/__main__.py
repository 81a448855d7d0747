"""Write docs/bad-input.md."""

from tests.vectors.page import PATH, page

PATH.write_text(page(), encoding="utf-8")
