"""What a partner may still use that Digikoppeling forbids, as gateway.toml has it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from gateway.config import PartySettings, Settings
from gateway.config_algorithms import LONGEST
from gateway.directory import AlgorithmException
from gateway.errors import Misconfigured
from gateway.wire.tijd import civil, read_tijdstip

Fault = tuple[str, str]


def exceptions_of(settings: PartySettings) -> tuple[AlgorithmException, ...]:
    """Return them, each to the end of its last day by the Dutch calendar."""
    return tuple(
        AlgorithmException(
            what=one.wat,
            reason=one.reden,
            until=read_tijdstip(f"{one.tot + timedelta(days=1):%Y%m%d}").astimezone(UTC),
        )
        for one in settings.uitzonderingen
    )


def check_exceptions(settings: Settings, at: datetime) -> None:
    """Raise Misconfigured `config.invalid` for one that may not be; what ended stops nothing."""
    for where, text in _faults(settings, at):
        raise Misconfigured("config.invalid", text, where=where)


def _faults(settings: Settings, at: datetime) -> Iterator[Fault]:
    last = civil(at).date() + LONGEST
    for party in settings.partijen:
        place = f"partijen.{party.oin}.uitzonderingen"
        given = party.uitzonderingen
        if given and party.oin == settings.partij:
            yield place, "Een uitzondering is voor een partner, niet voor de eigen partij."
        if len({one.wat for one in given}) < len(given):
            yield place, "Deze uitzondering staat er twee keer."
        for one in given:
            if one.tot > last:
                yield f"{place}.{one.wat}.tot", "Een uitzondering duurt hooguit 13 maanden."
