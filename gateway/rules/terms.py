"""Within what time must a message be answered? Values of the Samenwerkingsafspraken.

A term is shown; it stops nothing. It runs at the asker and the answerer, never at the hub,
and starts at the asker's hand-in (domain 9.6).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

ACUUT, NIET_ACUUT = timedelta(hours=24), timedelta(hours=72)
"""For an answer to a request for information (3.6.3)."""
MELDING = timedelta(days=5)
"""For the terugkoppeling on a melding (3.3.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One clock."""

    id: str
    duration: timedelta
    """Calendar days: the agreements never say werkdagen."""
    paragraph: str
    """Of the Samenwerkingsafspraken."""
    answers: frozenset[str]
    """Messages that stop the clock. Whether an answer is the last one is not judged here."""
    assumed: bool = False
    """True when the back-end did not say whether it was acuut: the longer term, with a warning."""

    def deadline(self, start: datetime) -> datetime:
        """Return the last moment for a clock that started at `start`."""
        return start + self.duration


_REQUESTS = frozenset({"vcobDi01", "vciDi01"})
_REPORTS = frozenset({"vtMeldingDi01", "zorgmeldingDi01"})
_INFORMATION = frozenset({"ucobDi01", "uciDi01"})
_FEEDBACK = frozenset({"vtTerugkoppelingDi01", "zorgmeldingTerugkoppelingDi01"})


def antwoordtermijn(
    kind: str, *, acuut: bool | None = None, onderzoek: bool | None = None
) -> Term | None:
    """Return the term for the answer to a message of this kind, None when it has none.

    C1 and C2 (3.6.3): a request for information, 24 hours when acuut, else 72. C3 (3.3.3):
    a report, 5 days; it does not run when a criminal investigation does.
    """
    if kind in _REQUESTS:
        return _information(acuut=acuut)
    if kind in _REPORTS and not onderzoek:
        return Term(id="C3", duration=MELDING, paragraph="3.3.3", answers=_FEEDBACK)
    return None


def _information(*, acuut: bool | None) -> Term:
    return Term(
        id="C1" if acuut else "C2",
        duration=ACUUT if acuut else NIET_ACUUT,
        paragraph="3.6.3",
        answers=_INFORMATION,
        assumed=acuut is None,
    )
