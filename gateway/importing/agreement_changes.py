"""An agreement beside the one of the same parties: what may go which way, and on which terms."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from gateway.directory import MSH_SERVICE, Agreement, Channel
from gateway.importing.comparing import Fact
from gateway.importing.texts import TEXTS
from gateway.keys.expiry import SHORT, common_name
from gateway.saying import Value
from gateway.security.certificates import load, thumbprint
from gateway.wire.ebms2.cpa_checks import SIGNALS

_Row = tuple[str, Value]
_Key = tuple[str, str, str]
"""Sender, service, action."""


class Kind(StrEnum):
    """What becomes of an action."""

    ADDED = "erbij"
    REMOVED = "eruit"
    CHANGED = "anders"
    SAME = "gelijk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Actions of one direction for which the same becomes otherwise."""

    kind: Kind
    sender: str
    """OIN."""
    service: str
    actions: tuple[str, ...]
    facts: tuple[Fact, ...]
    """Terms; of a change those that differ alone."""


def heads(new: Agreement, old: Agreement | None) -> tuple[Fact, ...]:
    """Return what both are as a whole."""
    was = dict(_head(old)) if old is not None else {}
    return tuple(
        Fact(name=TEXTS[key], was=was.get(key, "-"), becomes=value) for key, value in _head(new)
    )


def _head(agreement: Agreement) -> Iterator[_Row]:
    yield "cpa_id", agreement.cpa_id
    yield "status", agreement.status
    yield "from", agreement.start
    yield "until", agreement.end


def changes(new: Agreement, old: Agreement | None) -> tuple[Change, ...]:
    """Return every action of both and the signals, those that change alike taken together."""
    fresh, before = _by_key(new), {} if old is None else _by_key(old)
    found: dict[tuple[Kind, str, str, tuple[Fact, ...]], list[str]] = {}
    for key in dict.fromkeys((*fresh, *before)):
        sender, service, action = key
        kind, facts = _change(fresh.get(key), before.get(key))
        if service == MSH_SERVICE and kind is not Kind.CHANGED:
            continue  # signals are always there: told only when they become otherwise
        found.setdefault((kind, sender, service, facts), []).append(action)
    order = list(Kind)
    return tuple(
        Change(
            kind=kind, sender=sender, service=service, actions=tuple(sorted(actions)), facts=facts
        )
        for (kind, sender, service, facts), actions in sorted(
            found.items(), key=lambda item: (order.index(item[0][0]), item[0][1], item[0][2])
        )
    )


def _by_key(agreement: Agreement) -> Mapping[_Key, Channel]:
    """Of an action that is there twice the first counts, as in `Agreement.binding`."""
    found: dict[_Key, Channel] = {}
    for one in agreement.bindings:
        found.setdefault((one.sender.id, one.service, one.action), one.channel)
    for sender, channel in agreement.signals.items():
        found[sender, MSH_SERVICE, SIGNALS] = channel
    return found


def _change(new: Channel | None, old: Channel | None) -> tuple[Kind, tuple[Fact, ...]]:
    was = dict(_terms(old)) if old is not None else {}
    becomes = dict(_terms(new)) if new is not None else {}
    facts = tuple(
        Fact(name=TEXTS[key], was=was.get(key, "-"), becomes=becomes.get(key, "-"))
        for key in (becomes or was)
    )
    if new is None:
        return Kind.REMOVED, ()
    if old is None:
        return Kind.ADDED, facts
    differing = tuple(fact for fact in facts if fact.changed)
    return (Kind.CHANGED if differing else Kind.SAME), differing


def _terms(channel: Channel) -> Iterator[_Row]:
    yield "endpoint", channel.endpoint
    yield "profile", channel.profile
    yield "retries", channel.retries
    yield "interval", _minutes(channel.retry_interval)
    yield "persist", _minutes(channel.persist_duration)
    yield "duplicates", _yes(channel.duplicate_elimination)
    yield "ack_signed", _yes(channel.ack_signed)
    yield "sync", str(channel.sync_reply)
    signing, encryption = channel.signing, channel.encryption
    yield "signed", _algorithm(signing.signature_algorithm) if signing else "-"
    yield "sign_cert", _certificate(signing.certificate if signing else None)
    yield "encrypted", _algorithm(encryption.algorithm) if encryption else "-"
    yield "encrypt_cert", _certificate(encryption.certificate if encryption else None)
    yield "client_cert", _certificate(channel.client_certificate)
    yield "server_cert", _certificate(channel.server_certificate)


def _minutes(length: timedelta) -> str:
    return f"{length.total_seconds() / 60:g} min"


def _yes(value: bool) -> str:  # noqa: FBT001 - it is what is said
    return TEXTS["yes"] if value else TEXTS["no"]


def _algorithm(uri: str) -> str:
    return uri.rpartition("#")[2]


def _certificate(der: bytes | None) -> str:
    """Return name, end and the beginning of the thumbprint."""
    if der is None:
        return "-"
    certificate = load(der)
    end = certificate.not_valid_after_utc
    return f"{common_name(certificate.subject)}, {end:%Y-%m-%d} ({thumbprint(der)[:SHORT]})"
