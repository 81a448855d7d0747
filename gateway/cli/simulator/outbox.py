"""Sending as ebMS2 wants it: the same octets again until the Acknowledgment is there."""

import asyncio
from dataclasses import dataclass, field

from gateway.cli.simulator.documents import Made, other_content
from gateway.cli.simulator.journal import OUT, Journal
from gateway.cli.simulator.script import Dubbel, Leugen
from gateway.cli.simulator.seals import Seals
from gateway.directory import Agreement, Binding, Channel, Limits
from gateway.errors import GatewayError, NoRoute
from gateway.message import ErrorList, Oin, WireMessage
from gateway.ports import Endpoint, Network
from gateway.wire.ebms2 import header as wire
from gateway.wire.stuf import ANSWERS

_HTTP_FAILED = 300


@dataclass(slots=True, kw_only=True)
class _Sent:
    """A message that waits for its Acknowledgment."""

    name: str
    about: str
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    error: str = ""


@dataclass(slots=True, kw_only=True)
class Outbox:
    """What one party sends to another."""

    seals: Seals
    network: Network
    journal: Journal
    partner: Oin
    _waiting: dict[str, _Sent] = field(default_factory=dict)
    _references: dict[str, str] = field(default_factory=dict)

    async def send(
        self,
        made: Made,
        agreement: Agreement,
        *,
        lie: Leugen = Leugen.GEEN,
        double: Dubbel = Dubbel.GEEN,
    ) -> None:
        """Send until it is acknowledged or given up. Raises NoRoute `route.agreement`."""
        binding = self._binding(made, agreement)
        channel, cpa_id = binding.channel, agreement.cpa_id
        broken = lie is Leugen.HANDTEKENING
        message = self.seals.message(made.octets, binding, cpa_id, broken=broken)
        self._references[made.referentienummer] = made.name
        self._say(made, _told(made, lie))
        await self._deliver(made, message, channel)
        if double is Dubbel.BERICHT:
            self._say(made, "nog eens: zelfde MessageId, zelfde octetten")
            await self._post(_Sent(name=made.name, about=made.referentienummer), message, channel)
        elif double is Dubbel.INHOUD:
            octets = other_content(made.octets)
            other = self.seals.message(octets, binding, cpa_id, broken=False)
            self._say(made, "nog eens: zelfde referentienummer, andere inhoud")
            await self._deliver(made, other, channel)

    async def signal(self, message: WireMessage, channel: Channel) -> None:
        """Send an Acknowledgment, once: when it is lost, the other side sends again."""
        try:
            await self.network.post(self._endpoint(channel), message)
        except GatewayError as error:
            self.journal.say(OUT, "Acknowledgment", f"niet aangekomen: {error.code}")

    def acknowledged(self, message_id: str) -> tuple[str, str]:
        """Settle; return name and referentienummer of what was sent, empty for a stranger."""
        sent = self._waiting.get(message_id)
        if sent is None:
            return "", ""
        sent.settled.set()
        return sent.name, sent.about

    def refused(self, message_id: str, code: str) -> None:
        """Settle by a MessageError that came as a message of its own."""
        sent = self._waiting.get(message_id)
        if sent is not None:
            sent.error = code
            sent.settled.set()

    def sent(self, referentienummer: str) -> str:
        """Return the name of what was sent under it; empty when nothing was."""
        return self._references.get(referentienummer, "")

    def _binding(self, made: Made, agreement: Agreement) -> Binding:
        """Return that of the version; a Bv01 or Fo01 is the same in all of them."""
        found = agreement.find(self.seals.oin, made.name)
        services = self.seals.directory.services
        exact = [b for b in found if services.get(b.service) == made.version]
        for binding in exact or (found if made.name in ANSWERS else ()):
            return binding
        raise NoRoute("route.agreement", "De CPA heeft dit bericht niet in deze richting.")

    async def _deliver(self, made: Made, message: WireMessage, channel: Channel) -> None:
        sent = _Sent(name=made.name, about=made.referentienummer)
        self._waiting[_message_id(message)] = sent
        for _ in range(1 + channel.retries):
            posted = await self._post(sent, message, channel)
            if sent.error:
                self.journal.say(OUT, sent.name, f"GEWEIGERD: {sent.error}", about=sent.about)
                return
            if posted and not channel.ack_requested:
                return
            if await _within(sent.settled, channel.retry_interval.total_seconds()):
                return
            self.journal.say(OUT, sent.name, "onbevestigd; nieuwe poging", about=sent.about)
        self.journal.say(OUT, sent.name, "OPGEGEVEN", about=sent.about)

    async def _post(self, sent: _Sent, message: WireMessage, channel: Channel) -> bool:
        """Post once; a MessageError in the answer settles it."""
        try:
            answer = await self.network.post(self._endpoint(channel), message)
        except GatewayError as error:
            self.journal.say(OUT, sent.name, f"niet aangekomen: {error.code}", about=sent.about)
            return False
        if answer.status >= _HTTP_FAILED:
            self.journal.say(OUT, sent.name, f"HTTP {answer.status}", about=sent.about)
            return False
        if answer.message is not None:
            opened = self.seals.open(answer.message.body, answer.message.content_type)
            if isinstance(opened.content, ErrorList):
                sent.error = told_errors(opened.content)
        return True

    def _endpoint(self, channel: Channel) -> Endpoint:
        return Endpoint(
            url=channel.endpoint, party=self.partner, client_certificate=channel.client_certificate
        )

    def _say(self, made: Made, text: str) -> None:
        self.journal.say(OUT, made.name, text, about=made.referentienummer, on=made.on)


def told_errors(errors: ErrorList) -> str:
    """Return the codes and places of a MessageError."""
    return ", ".join(f"MessageError {one.code} {one.location}".strip() for one in errors.errors)


def _told(made: Made, lie: Leugen) -> str:
    if made.told:
        return f"verzonden zonder de leugen: {made.told}"
    return "verzonden" if lie is Leugen.GEEN else f"verzonden, met opzet fout: {lie.value}"


def _message_id(message: WireMessage) -> str:
    return wire.read(message.body, message.content_type, limits=Limits()).header.message_id


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
