"""What is written down about input that nobody proved to be theirs.

Anyone with a certificate can send rubbish. The first refusal of a kind is an audit row
at once; the rest of the same minute becomes one row with a count, so that rubbish can not
fill the audit log. The number of kinds that are kept apart is bounded as well.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from gateway.errors import GatewayError
from gateway.ports import AuditEvent

WINDOW = timedelta(minutes=1)
KINDS = 256


@dataclass(slots=True)
class _Seen:
    since: datetime
    more: int = 0


@dataclass(slots=True)
class Unproven:
    """Aggregates refusals per (source, code)."""

    _seen: "OrderedDict[tuple[str, str], _Seen]" = field(default_factory=OrderedDict)

    def refuse(
        self, source: str, error: GatewayError, at: datetime, *, party: str = ""
    ) -> tuple[AuditEvent, ...]:
        """Return the rows to write now: of windows that closed, and of a new kind."""
        rows = self.flush(at)
        key = (source, error.code)
        if key in self._seen:
            self._seen[key].more += 1
            return rows
        if len(self._seen) >= KINDS:
            key = ("overige", error.code)
            source = "overige"
            if key in self._seen or len(self._seen) >= 2 * KINDS:
                self._seen.setdefault(key, _Seen(at)).more += 1
                return rows
        self._seen[key] = _Seen(at)
        first = AuditEvent(
            event="input.refused",
            at=at,
            code=error.code,
            party=party,
            data={"source": source, "where": error.where, "count": 1},
        )
        return (*rows, first)

    def flush(self, at: datetime, *, everything: bool = False) -> tuple[AuditEvent, ...]:
        """Close the windows that are over (or all, when stopping) and return their rows."""
        closed = [
            key for key, seen in self._seen.items() if everything or at - seen.since >= WINDOW
        ]
        rows = []
        for source, code in closed:
            seen = self._seen.pop((source, code))
            if seen.more:
                data: dict[str, str | int | bool | None] = {
                    "source": source,
                    "count": seen.more,
                    "since": seen.since.isoformat(),
                }
                rows.append(AuditEvent(event="input.refused", at=at, code=code, data=data))
        return tuple(rows)
