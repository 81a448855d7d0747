"""Placeholder until merged."""

from dataclasses import dataclass
from enum import StrEnum


class Uitkomst(StrEnum):
    VRIJGEVEN = "vrijgeven"
    ONDER_VOORWAARDEN = "vrijgevenOnderVoorwaarden"
    NIET = "nietVrijgeven"
    TERUG = "terugNaarAfzender"


@dataclass(frozen=True, slots=True, kw_only=True)
class Voorwaarde:
    code: str
    tekst: str
    aanvaarding: bool
