"""What somebody filled in, and what is wrong with it: said above the form and at the field."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from aiohttp import web

from gateway.web.console.language import N_
from gateway.wire.tijd import read_tijdstip

CSRF = "_blijk"
"""Field that proves that the form was ours."""


@dataclass(slots=True)
class Form:
    """The fields of a form, each a text, with what was found wrong."""

    fields: Mapping[str, str]
    many: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """All values of each name, where there are more."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """What each chosen file holds; its name is that of somebody else's disk, and not kept."""
    errors: dict[str, str] = field(default_factory=dict)
    """Name of a field → what to do, in Dutch."""

    def text(self, name: str) -> str:
        """Return a field without spaces around it; empty when it is not there."""
        return self.fields.get(name, "").strip()

    def raw(self, name: str) -> str:
        """Return a field as it came: a password may begin with a space."""
        return self.fields.get(name, "")

    def chosen(self, name: str) -> Sequence[str]:
        """Return every value of a name."""
        return self.many.get(name, ())

    def ticked(self, name: str) -> bool:
        """Tell whether a box was ticked."""
        return self.fields.get(name) == "ja"

    def wrong(self, name: str, text: str) -> None:
        """Say what is wrong with a field; the first thing counts."""
        self.errors.setdefault(name, text)

    def line(self, name: str, *, least: int = 1, most: int, missing: str) -> str:
        """Return one line of text; `missing` is said when there is none."""
        found = self.text(name)
        if len(found) < least:
            self.wrong(name, missing)
        elif len(found) > most or not found.isprintable():
            self.wrong(name, _LONG)
        return found

    def words(self, name: str, *, most: int, missing: str = "") -> str:
        """Return text of several lines; `missing` empty = it may be left out."""
        found = self.text(name).replace("\r\n", "\n")
        if not found and missing:
            self.wrong(name, missing)
        elif len(found) > most or not all(c.isprintable() or c == "\n" for c in found):
            self.wrong(name, _LONG)
        return found

    def day(self, name: str) -> datetime | None:
        """Return the beginning of a Dutch day; None when it is left out, or can not be read."""
        text = self.text(name)
        if not text:
            return None
        try:
            day = datetime.strptime(text, "%Y-%m-%d")  # noqa: DTZ007 - a Dutch day
        except ValueError:
            self.wrong(name, _DAY)
            return None
        return read_tijdstip(f"{day:%Y%m%d}")

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Go through what is wrong, in the order in which it was found."""
        return iter(self.errors.items())

    @property
    def faulty(self) -> bool:
        return bool(self.errors)


_DAY = N_("Schrijf de datum als jjjj-mm-dd, bijvoorbeeld 2026-11-23.")
_LONG = N_("Deze tekst is te lang, of bevat tekens die hier niet kunnen staan.")


async def read_form(request: web.Request) -> tuple[Form, str]:
    """Read a form of the size that the request allows; return it, and the proof that it was ours.

    Raises what aiohttp raises for a body that is too large or broken.
    """
    posted = await request.post()
    fields: dict[str, str] = {}
    many: dict[str, list[str]] = {}
    files: dict[str, bytes] = {}
    for name, value in posted.items():
        if isinstance(value, str):
            fields.setdefault(name, value)
            many.setdefault(name, []).append(value)
        elif isinstance(value, web.FileField):
            with value.file as file:
                files.setdefault(name, file.read())
    proof = fields.pop(CSRF, "")
    return Form(fields=fields, many=many, files=files), proof
