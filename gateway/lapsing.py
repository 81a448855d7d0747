"""When exceptions of partners end, for alarms and figures."""

from collections.abc import Iterator, Mapping
from datetime import datetime

from gateway.config import AlarmSettings
from gateway.directory import AlgorithmException, Directory, Party
from gateway.keys.expiry import stage
from gateway.ports import Alarm
from gateway.store.watch import EXCEPTION_EXPIRING


def _exceptions(directory: Directory) -> Iterator[tuple[Party, AlgorithmException]]:
    for party in directory.parties.values():
        yield from ((party, one) for one in party.exceptions)


def exceptions_expiring(
    directory: Directory, bounds: AlarmSettings, now: datetime
) -> Iterator[Alarm]:
    """Yield an alarm per exception that ends soon or has ended, in the stages of certificates."""
    for party, one in _exceptions(directory):
        begun = stage(one.until - now, bounds.certificate_days)
        if begun is not None:
            subject = f"{party.oin} {one.what}/{begun}"
            yield Alarm(code=EXCEPTION_EXPIRING, subject=subject)


def exception_figures(directory: Directory, now: datetime) -> Mapping[tuple[str, str], float]:
    """Return the seconds that each exception has left, for `Metrics.exceptions`."""
    return {
        (party.oin, str(one.what)): (one.until - now).total_seconds()
        for party, one in _exceptions(directory)
    }
