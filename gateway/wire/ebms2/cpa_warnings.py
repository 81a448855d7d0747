"""What is legal in a CPA but unwise, told in Dutch. Never stops anything by itself."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta

from cryptography import x509
from lxml import etree

from gateway.directory import Agreement, Binding, Channel, SyncReply
from gateway.message import PartyRef
from gateway.wire.ebms2.cpa_tree import malformed, maybe_attribute, need
from gateway.wire.ebms2.duration import iso_duration

LONG = timedelta(days=3653)
"""DK-BP: more than ten years is unusual."""

_CHARACTERISTICS = ("ackRequested", "ackSignatureRequested", "duplicateElimination")


class Doubts:
    """Collects warnings while a CPA is read; each text once."""

    def __init__(self) -> None:
        self._texts: dict[str, None] = {}

    def add(self, text: str) -> None:
        self._texts[text] = None

    def always(self, asked: etree._Element, name: str) -> bool:
        """Tell whether a MessagingCharacteristic is `always`; `perMessage` counts as never.

        Raises Malformed `cpa.value` for an unknown value.
        """
        match maybe_attribute(asked, name) or "perMessage":
            case "always":
                return True
            case "never":
                return False
            case "perMessage":
                self.add(f"{name} is per bericht vrijgelaten; hier wordt het niet gebruikt.")
                return False
            case _:
                raise malformed("value", "De waarde is niet bekend.", asked, f"@{name}")

    def differing(self, sender: etree._Element, receiver: etree._Element, action: str) -> None:
        """Compare the characteristics of both channels: those of the sender count."""
        one, two = (need(c, "MessagingCharacteristics") for c in (sender, receiver))
        for name in (*_CHARACTERISTICS, "syncReplyMode"):
            if maybe_attribute(one, name) != maybe_attribute(two, name):
                self.add(
                    f"{action}: {name} verschilt tussen de partijen; die van de afzender telt."
                )

    def one_sided(self, sender: PartyRef, action: str) -> None:
        self.add(
            f"{action}: {sender.id} mag dit versturen maar de andere partij ontvangt het niet; "
            "de actie telt niet mee."
        )

    def set_up_in_vain(self, action: str, what: str) -> None:
        self.add(f"{action}: {what} is ingericht maar niet gevraagd; het gebeurt niet.")

    def unsigned_acknowledgments(self, sender: PartyRef) -> None:
        self.add(
            f"Van {sender.id} wordt een ondertekende ontvangstbevestiging gevraagd, maar de CPA "
            "noemt er geen certificaat voor."
        )

    def about(self, agreement: Agreement, *, at: datetime | None) -> tuple[str, ...]:
        """Return all warnings, those about the agreement as a whole included."""
        for text in _all(agreement, at):
            self.add(text)
        return tuple(self._texts)


def _all(agreement: Agreement, at: datetime | None) -> Iterator[str]:
    yield from _period(agreement, at)
    yield from _ambiguous(agreement)
    for binding in agreement.bindings:
        yield from _channel(binding.channel, binding.action)
        yield from _window(binding)
    for channel in agreement.signals.values():
        yield from _channel(channel, "Signalen")
    yield from _certificates(agreement)


def _period(agreement: Agreement, at: datetime | None) -> Iterator[str]:
    if agreement.status not in {"agreed", "signed"}:
        yield f"De CPA heeft status {agreement.status} en geldt dus niet."
    if agreement.end - agreement.start > LONG:
        yield "De CPA geldt langer dan tien jaar."
    if at is not None and at >= agreement.end:
        yield f"De CPA is verlopen op {agreement.end:%d-%m-%Y}."


def _ambiguous(agreement: Agreement) -> Iterator[str]:
    """A service is told apart by its name alone, a party has one role (DK-ebMS2)."""
    seen = Counter((b.sender.id, b.service, b.action) for b in agreement.bindings)
    for (_, service, action), count in seen.items():
        if count > 1:
            yield f"{action}: de dienst {service} heeft deze actie {count} keer; de eerste telt."
    for party in agreement.parties:
        own = {b.sender_role for b in agreement.bindings if b.sender == party}
        own |= {b.receiver_role for b in agreement.bindings if b.receiver == party}
        if len(own) > 1:
            yield f"{party.id} heeft meer dan een rol in deze CPA."


def _channel(channel: Channel, what: str) -> Iterator[str]:
    if not channel.endpoint.lower().startswith("https://"):
        yield f"{what}: het adres is niet https."
    if channel.sync_reply in {SyncReply.RESPONSE, SyncReply.BOTH}:
        yield f"{what}: syncReplyMode {channel.sync_reply} past niet bij Digikoppeling."
    signing, encryption = channel.signing, channel.encryption
    if signing and any(
        "sha1" in uri for uri in (signing.signature_algorithm, signing.digest_algorithm)
    ):
        yield f"{what}: ondertekenen met SHA-1 wordt geweigerd (DK-SEC SIGN002)."
    if encryption and not encryption.algorithm.endswith("-gcm"):
        yield f"{what}: versleutelen zonder GCM (CBC, 3DES) wordt geweigerd (DK-SEC ENC002)."


def _window(binding: Binding) -> Iterator[str]:
    channel = binding.channel
    needed = (1 + channel.retries) * channel.retry_interval
    if channel.persist_duration < needed:
        yield (
            f"{binding.action}: PersistDuration {iso_duration(channel.persist_duration)} is korter "
            f"dan (1 + Retries) x RetryInterval = {iso_duration(needed)}."
        )
    if channel.ack_requested and not channel.retries:
        yield f"{binding.action}: betrouwbaar, maar zonder nieuwe pogingen (Retries)."
    if channel.ack_requested and channel.signing and not channel.ack_signed:
        yield f"{binding.action}: ondertekend, maar de ontvangstbevestiging niet."
    if channel.ack_requested and not channel.duplicate_elimination:
        yield f"{binding.action}: betrouwbaar, maar dubbele berichten worden niet herkend."


def _certificates(agreement: Agreement) -> Iterator[str]:
    """DK-BP: a CPA does not outlive its certificates."""
    for der in dict.fromkeys(_ders(agreement)):
        found = x509.load_der_x509_certificate(der)
        if found.not_valid_after_utc < agreement.end:
            yield (
                "De CPA geldt langer dan een certificaat erin, dat eindigt op "
                f"{found.not_valid_after_utc:%d-%m-%Y}."
            )


def _ders(agreement: Agreement) -> Iterator[bytes]:
    channels = [b.channel for b in agreement.bindings] + list(agreement.signals.values())
    for channel in channels:
        for der in (
            channel.signing and channel.signing.certificate,
            channel.encryption and channel.encryption.certificate,
            channel.client_certificate,
            channel.server_certificate,
        ):
            if der:
                yield der
