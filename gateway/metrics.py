"""Counters and gauges for `/metrics`, in a registry of their own.

Labels are codes, kinds and states, of certificates also what is public of an organisation; never
ids of messages or values. A label that would take more than
`MOST_LABELS` values becomes `overig`, so that no peer can fill the memory with names.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

MOST_LABELS = 200
OTHER = "overig"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)


@dataclass(slots=True)
class _Few:
    """The values that a label has had, bounded."""

    seen: set[str] = field(default_factory=set)

    def __call__(self, value: str) -> str:
        if value not in self.seen:
            if len(self.seen) >= MOST_LABELS:
                return OTHER
            self.seen.add(value)
        return value


class Metrics:
    """All figures of one process."""

    def __init__(self) -> None:
        """Start at zero."""
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._few = {name: _Few() for name in ("kind", "code", "outcome")}
        self._messages = Counter(
            "gateway_messages",
            "Messages taken in, by kind and outcome",
            ("soort", "uitkomst"),
            registry=registry,
        )
        self._refusals = Counter(
            "gateway_refusals", "Refusals, by dotted code", ("code",), registry=registry
        )
        self._attempts = Histogram(
            "gateway_attempt_seconds",
            "Attempts to deliver, by kind and outcome",
            ("soort", "uitkomst"),
            buckets=SECONDS,
            registry=registry,
        )
        self._answers = Histogram(
            "gateway_http_seconds",
            "HTTP requests answered, by listener and status",
            ("listener", "status"),
            buckets=SECONDS,
            registry=registry,
        )
        self._calls = Counter(
            "gateway_webhook_calls",
            "Calls to webhooks, by outcome: sent, failed; and events dropped",
            ("uitkomst",),
            registry=registry,
        )
        self._deliveries = Gauge(
            "gateway_deliveries",
            "Deliveries in the store, by state",
            ("status",),
            registry=registry,
        )
        self._queue = Gauge(
            "gateway_queue", "Other counts of the store", ("wat",), registry=registry
        )
        self._alarms = Gauge("gateway_alarms", "Open alarms, by code", ("code",), registry=registry)
        self._store = Gauge(
            "gateway_store_up", "1 when the store could be read for this page", registry=registry
        )
        self._down = Gauge(
            "gateway_store_down_seconds",
            "Seconds since nothing could be committed; 0 when it can",
            registry=registry,
        )
        self._expiry = Gauge(
            "gateway_certificate_expiry_seconds",
            "Seconds until a certificate in use ends; negative when it did",
            ("gebruik", "oin", "sha256"),
            registry=registry,
        )
        self._lists = Gauge(
            "gateway_crl_next_update_seconds",
            "Seconds until the next revocation list of an issuer is due; negative = stale",
            ("uitgever",),
            registry=registry,
        )
        self._exceptions = Gauge(
            "gateway_exception_expiry_seconds",
            "Seconds until an exception of a partner ends; negative when it did",
            ("oin", "wat"),
            registry=registry,
        )
        self._uses = Counter(
            "gateway_exception_uses",
            "Messages that were let by, or sent, by an exception of a partner",
            ("oin", "wat"),
            registry=registry,
        )
        self._gate = Gauge(
            "gateway_gate_open", "0 when the gate of the OM holds everything", registry=registry
        )
        self._due = Gauge(
            "gateway_retention_due",
            "Deliveries whose payload housekeeping has to look at, by how late it is",
            ("wat",),
            registry=registry,
        )
        self._keys = Gauge(
            "gateway_epoch_key_days", "Age of the oldest epoch key in days", registry=registry
        )

    def received(self, kind: str, outcome: str) -> None:
        """Count a message that came in or was handed in."""
        self._messages.labels(self._few["kind"](kind), self._few["outcome"](outcome)).inc()

    def refused(self, code: str) -> None:
        """Count a refusal by its dotted code."""
        self._refusals.labels(self._few["code"](code)).inc()

    def attempted(self, kind: str, outcome: str, seconds: float) -> None:
        """Count an attempt to deliver, with how long it took."""
        labels = self._few["kind"](kind), self._few["outcome"](outcome)
        self._attempts.labels(*labels).observe(seconds)

    def called(self, outcome: str, n: int = 1) -> None:
        """Count calls to webhooks, or events that became too old for one."""
        self._calls.labels(outcome).inc(n)

    def answered(self, listener: str, status: int, seconds: float) -> None:
        """Count an HTTP answer."""
        self._answers.labels(listener, str(status)).observe(seconds)

    def certificates(self, left: Mapping[tuple[str, str, str], float]) -> None:
        """Replace the seconds until the end, by use, OIN and beginning of the SHA-256.

        Beyond `MOST_LABELS` those that end last are left out.
        """
        self._expiry.clear()
        for labels, seconds in sorted(left.items(), key=lambda item: item[1])[:MOST_LABELS]:
            self._expiry.labels(*labels).set(seconds)

    def revocation_lists(self, left: Mapping[str, float]) -> None:
        """Replace the seconds until the next list is due, by the name of the issuer."""
        self._lists.clear()
        for issuer, seconds in sorted(left.items(), key=lambda item: item[1])[:MOST_LABELS]:
            self._lists.labels(issuer).set(seconds)

    def exceptions(self, left: Mapping[tuple[str, str], float]) -> None:
        """Replace the seconds until the end of what partners may still use, by OIN and what."""
        self._exceptions.clear()
        for labels, seconds in sorted(left.items(), key=lambda item: item[1])[:MOST_LABELS]:
            self._exceptions.labels(*labels).set(seconds)

    def excepted(self, oin: str, what: str) -> None:
        """Count a message in or out that only an exception of that party allowed."""
        self._uses.labels(oin, what).inc()

    def gate(self, is_open: bool) -> None:  # noqa: FBT001 - it is the figure
        """Show whether the gate of the OM lets anything by; where none stands it is open."""
        self._gate.set(1 if is_open else 0)

    def retention(self, *, due: int, overdue: int, oldest_key_days: float) -> None:
        """Replace what housekeeping left undone; `overdue` is more than an hour late."""
        self._due.labels("due").set(due)
        self._due.labels("overdue").set(overdue)
        self._keys.set(oldest_key_days)

    def store_down(self, seconds: Callable[[], float]) -> None:
        """Ask `seconds` at each page how long nothing could be committed."""
        self._down.set_function(seconds)

    def figures(self, figures: Mapping[str, int] | None) -> None:
        """Replace the counts of the store; None when it could not be read."""
        self._store.set(0 if figures is None else 1)
        self._deliveries.clear()
        self._queue.clear()
        self._alarms.clear()
        gauges = {"delivery": self._deliveries, "alarm": self._alarms}
        for name, value in (figures or {}).items():
            head, _, rest = name.partition(".")
            gauge = gauges.get(head)
            if gauge is None:
                self._queue.labels(name).set(value)
            else:
                gauge.labels(rest).set(value)

    def exposition(self) -> tuple[bytes, str]:
        """Return the Prometheus text and its Content-Type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST
