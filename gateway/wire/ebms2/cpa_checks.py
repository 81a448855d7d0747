"""What an agreement says that is not as Digikoppeling has it (DK-ebMS2, DK-BP chapter 3)."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType

from gateway.cpa_rules import CpaRule
from gateway.directory import Agreement, Binding, Channel, SyncReply
from gateway.message import OIN_TYPE
from gateway.wire.ebms2.cpa_warnings import NOTHING, Doubts, Values, direction
from gateway.wire.ebms2.duration import iso_duration

LONG = timedelta(days=3653)
"""DK-BP: more than ten years is unusual."""
ACUTE = timedelta(hours=24)
"""The shortest term for an answer between the parties (terms C1 and C2)."""
SIGNALS = "Acknowledgment"
SERVICE_TYPE = "urn:osb:services"

_FILE_NAME = re.compile(r"[\w.\-$]{1,200}")
_PARTY_ID = re.compile(r"([0-9]{8})[0-9]{12}(_(?:O|T|A|OTA))?")
_PREFIXES = frozenset({*(f"0000000{n}" for n in (1, 2, 3, 4, 6, 7, 8, 9)), "00000010", "00000099"})
"""OIN-stelsel, chapter 6."""


def check(agreement: Agreement, doubts: Doubts) -> None:
    """Add what is noticed; nothing that depends on the moment."""
    for rule, values in _whole(agreement):
        doubts.add(rule, values=values)
    _parties(agreement, doubts)
    _ambiguous(agreement, doubts)
    for where, action, channel in channels(agreement):
        _channel(channel, doubts, where, action)
    for binding in agreement.bindings:
        where = direction(binding.sender.id, binding.receiver.id)
        for rule, values in _binding(binding):
            doubts.add(rule, where, binding.action, values=values)


def channels(agreement: Agreement) -> Iterator[tuple[str, str, Channel]]:
    """Yield direction, action and channel of every message and of the signals."""
    for one in agreement.bindings:
        yield direction(one.sender.id, one.receiver.id), one.action, one.channel
    for sender, channel in agreement.signals.items():
        yield direction(sender, agreement.other(sender).id), SIGNALS, channel


# --- the agreement as a whole -----------------------------------------------------------


def _whole(agreement: Agreement) -> Iterator[tuple[CpaRule, Values]]:
    if agreement.status not in {"agreed", "signed"}:
        yield CpaRule.NOT_AGREED, {"status": agreement.status}
    if agreement.end - agreement.start > LONG:
        yield CpaRule.LONG, NOTHING
    if not agreement.bindings:
        yield CpaRule.NOTHING_SENT, NOTHING
    profiles = sorted({binding.channel.profile for binding in agreement.bindings})
    if len(profiles) > 1:
        yield CpaRule.MIXED, {"profiles": ", ".join(profiles)}
    if _FILE_NAME.fullmatch(agreement.cpa_id) is None:
        yield CpaRule.ID, NOTHING


def _parties(agreement: Agreement, doubts: Doubts) -> None:
    suffixes = []
    for party in agreement.parties:
        found = _PARTY_ID.fullmatch(party.id)
        suffixes.append((found and found[2]) or "-")
        if party.type != OIN_TYPE:
            doubts.add(CpaRule.PARTY_TYPE, party.id)
        if found is None:
            doubts.add(CpaRule.PARTY_ID, party.id)
        elif found[1] not in _PREFIXES:
            doubts.add(CpaRule.PREFIX, party.id)
        own = {b.sender_role for b in agreement.bindings if b.sender == party}
        own |= {b.receiver_role for b in agreement.bindings if b.receiver == party}
        if len(own) > 1:
            doubts.add(CpaRule.ROLES, party.id)
    if len(set(suffixes)) > 1:
        doubts.add(CpaRule.ENVIRONMENTS, values={"suffixes": ", ".join(suffixes)})


def _ambiguous(agreement: Agreement, doubts: Doubts) -> None:
    """A service is told apart by its name alone (DK-ebMS2)."""
    seen = Counter(
        (direction(b.sender.id, b.receiver.id), b.service, b.action) for b in agreement.bindings
    )
    for (where, service, action), count in seen.items():
        if count > 1:
            values: Values = {"service": service, "count": count}
            doubts.add(CpaRule.AMBIGUOUS, where, action, values=values)


# --- one direction ----------------------------------------------------------------------


def _binding(binding: Binding) -> Iterator[tuple[CpaRule, Values]]:
    channel = binding.channel
    if re.search(r"\s", binding.service + binding.action):
        yield CpaRule.WHITE_SPACE, NOTHING
    if binding.service_type != SERVICE_TYPE:
        yield CpaRule.SERVICE_TYPE, NOTHING
    if not channel.ack_requested and channel.sync_reply is not SyncReply.NONE:
        yield CpaRule.SYNC_BEST_EFFORT, {"mode": str(channel.sync_reply)}
    for rule, breaks in _OF_MESSAGES.items():
        if breaks(channel):
            yield rule, NOTHING
    yield from _window(channel)


def _window(channel: Channel) -> Iterator[tuple[CpaRule, Values]]:
    needed = (1 + channel.retries) * channel.retry_interval
    if channel.persist_duration < needed:
        kept = iso_duration(channel.persist_duration)
        yield CpaRule.PERSIST, {"kept": kept, "needed": iso_duration(needed)}
    last = channel.retries * channel.retry_interval
    if last > ACUTE:
        yield CpaRule.TOO_LATE, {"retries": channel.retries, "span": iso_duration(last)}


_OF_MESSAGES: Mapping[CpaRule, Callable[[Channel], bool]] = MappingProxyType(
    {
        CpaRule.BEST_EFFORT_ONCE: lambda c: not c.ack_requested and c.duplicate_elimination,
        CpaRule.NOT_ONCE: lambda c: c.ack_requested and not c.duplicate_elimination,
        CpaRule.NO_RETRIES: lambda c: c.ack_requested and not c.retries,
        CpaRule.NO_INTERVAL: lambda c: c.retries > 0 and not c.retry_interval,
        CpaRule.UNSIGNED_ACK: lambda c: (
            c.ack_requested and c.signing is not None and not c.ack_signed
        ),
    }
)


def _channel(channel: Channel, doubts: Doubts, where: str, action: str) -> None:
    """Check what holds for messages and signals alike."""
    for rule, values in _transport(channel):
        doubts.add(rule, where, action, values=values)
    signing, encryption = channel.signing, channel.encryption
    uris = (signing.signature_algorithm, signing.digest_algorithm) if signing else ()
    old = ", ".join(uri for uri in uris if "sha1" in uri)
    if old:
        doubts.add(CpaRule.SHA1, where, action, values={"algorithm": old})
    if encryption and not encryption.algorithm.endswith("-gcm"):
        doubts.add(CpaRule.CIPHER, where, action, values={"algorithm": encryption.algorithm})


def _transport(channel: Channel) -> Iterator[tuple[CpaRule, Values]]:
    if channel.sync_reply in {SyncReply.RESPONSE, SyncReply.BOTH}:
        yield CpaRule.SYNC_ANSWER, {"mode": str(channel.sync_reply)}
    if not channel.endpoint.lower().startswith("https://"):
        yield CpaRule.HTTPS, NOTHING
        return
    if channel.client_certificate is None:
        yield CpaRule.NO_TLS_CERTIFICATE, {"name": "ClientCertificateRef"}
    if channel.server_certificate is None:
        yield CpaRule.NO_TLS_CERTIFICATE, {"name": "ServerCertificateRef"}
