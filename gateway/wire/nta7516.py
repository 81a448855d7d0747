"""The record by which a domain says that it takes secure e-mail as NTA 7516 has it.

A TXT record on the domain itself: `v=NTA7516-1;startdate=2026-01;enddate=2027-12;provider=naam;
ntamx=10 mail.example.nl`. It holds from the first day of its first month to the last day of its
last, by UTC. Without `ntamx` the domain's own MX counts.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from gateway.errors import TransportUnproved

VERSION = "NTA7516-1"
LONGEST = 1_024
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_HOST = re.compile(r"([0-9]{1,5}) +([0-9A-Za-z.-]+?)\.?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Nta7516:
    """What the record says."""

    text: str
    first: tuple[int, int]
    """Year and month."""
    last: tuple[int, int]
    hosts: tuple[tuple[int, str], ...]
    """Preference and name of its mail servers; empty = those of the MX."""


def nta7516(texts: Iterable[str], on: date) -> Nta7516:
    """Return the record that holds on that day, from all TXT records of the domain.

    Raises TransportUnproved `nta7516.none`, `nta7516.malformed` (also for two of them) or
    `nta7516.period`.
    """
    found = [text for text in texts if _version(text) == VERSION.lower()]
    if not found:
        raise TransportUnproved("nta7516.none", "the domain has no NTA 7516 record")
    if len(found) > 1:
        raise TransportUnproved("nta7516.malformed", "the domain has two NTA 7516 records")
    record = _read(found[0])
    if not record.first <= (on.year, on.month) <= record.last:
        raise TransportUnproved(
            "nta7516.period", f"holds from {_shown(record.first)} to {_shown(record.last)}"
        )
    return record


def _version(text: str) -> str:
    key, _, value = text.partition(";")[0].partition("=")
    return value.strip().lower() if key.strip().lower() == "v" else ""


def _read(text: str) -> Nta7516:
    fields = list(_fields(text)) if len(text) <= LONGEST and text.isprintable() else []
    months = {key: _month(value) for key, value in fields if key in ("startdate", "enddate")}
    if len(months) != 2 or len([k for k, _ in fields if k in months]) != 2:  # noqa: PLR2004
        raise _malformed()
    return Nta7516(
        text=text,
        first=months["startdate"],
        last=months["enddate"],
        hosts=tuple(_host(value) for key, value in fields if key == "ntamx"),
    )


def _fields(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split(";"):
        key, equals, value = part.partition("=")
        if equals:
            yield key.strip().lower(), value.strip()


def _month(text: str) -> tuple[int, int]:
    found = _MONTH.fullmatch(text)
    if found is None:
        raise _malformed()
    return int(found[1]), int(found[2])


def _host(text: str) -> tuple[int, str]:
    found = _HOST.fullmatch(text)
    if found is None:
        raise _malformed()
    return int(found[1]), found[2].lower()


def _shown(month: tuple[int, int]) -> str:
    return f"{month[0]}-{month[1]:02}"


def _malformed() -> TransportUnproved:
    return TransportUnproved("nta7516.malformed", "the NTA 7516 record is not readable")
