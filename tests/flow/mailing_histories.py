"""Random lives of messages that may go by e-mail: over ebMS, real SMTP, or not at all.

A town with a police that writes to Veilig Thuis over a hub, a mail server and a name server that
go wrong in every way, and an operator who does whatever an operator may.
"""

import random
from collections import Counter
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from datetime import timedelta

from gateway.app import SystemClock, SystemDice
from gateway.cli.demo.documents import Address, document
from gateway.config_mail import EmailSettings
from gateway.directory import StandingSpoed
from gateway.errors import GatewayError, PolicyViolation, Unavailable
from gateway.lifecycle import State
from gateway.outbound.mail import MailClient
from gateway.ports import DeliveryChannel, Direction
from gateway.ports.incoming import Arrived
from tests.flow import letters
from tests.flow import town as towns
from tests.flow.letters import POLITIE_MAIL
from tests.flow.mailbox import open_mailbox
from tests.flow.test_gate import FREE, fill
from tests.flow.town import APPLICATIE, HUB, NOW, POLITIE, VT
from tests.outbound.mail_certificates import server
from tests.outbound.mail_server import CLOSE, mail_servers
from tests.outbound.names import resolving

DOMAIN = "vt.example"
MX = f"mx1.{DOMAIN}"
STEPS = 30
MESSAGES = 10
"""Of one town: they share what goes wrong."""
HELD_PART = 0.2
STOP_PART = 0.2
REPLIES = ("250 2.0.0 taken",) * 3 + ("451 4.3.0 later", "550 5.7.1 no", CLOSE)
SPOED = StandingSpoed(
    id="S-1",
    messages=frozenset({"vtMeldingDi01"}),
    ground="acute onveiligheid van een kind",
    given_by="teamleider",
    valid_from=NOW,
    valid_until=NOW + timedelta(days=365),
)
TOLD = frozenset({"delivery.dead", "delivery.unknown", "delivery.unconfirmed", "mail.unproved"})


class Wrong(AssertionError):
    """Something that must never be."""


@dataclass(slots=True)
class History:
    """The lives of the messages of one town."""

    town: object
    server: object
    names: object
    dice: random.Random
    seen: Counter = field(default_factory=Counter)
    numbers: dict[str, bool] = field(default_factory=dict)
    """referentienummer → whether only the OM may let it go."""
    ids: dict[str, str] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)
    """Messages of which the operator said that they need not be sent any more."""
    post: list[bytes] = field(default_factory=list)
    """What the mail server of Veilig Thuis has for its gateway."""
    read: int = 0
    """Letters of the server that are in `post` already, or were lost."""
    proved: bool = True
    said: int = 0
    """Letters that the server had before this step."""

    async def play(self) -> None:
        """Let things happen, then let everybody who is left do his work; raises Wrong."""
        happen = (
            (self._hand_in, 3),
            (self._hub, 1),
            (self._server, 2),
            (self._proof, 1),
            (self._time, 3),
            (self._switch, 6),
            (self._decide, 2),
            (self._mailman, 3),
            (self._standing, 1),
            (self._work, 4),
        )
        steps, weights = zip(*happen, strict=True)
        await self._hub()
        for _ in range(MESSAGES):
            await self._hand_in()
        for step in self.dice.choices(steps, weights, k=STEPS):
            await step()
            if self.dice.random() < 0.5:
                await self.town.settle()
            self._letters_only_over_what_was_proved()
        await self._end()
        await self._check()

    # --- what happens -----------------------------------------------------------------

    async def _hand_in(self) -> None:
        if len(self.numbers) >= MESSAGES:
            return
        number = f"ref-{len(self.numbers)}"
        held = self.dice.random() < HELD_PART
        octets = document(
            "vtMeldingDi01",
            zender=Address(oin=POLITIE, applicatie=APPLICATIE[POLITIE]),
            ontvanger=Address(oin=VT, applicatie=APPLICATIE[VT]),
            referentienummer=number,
            zaak="PL0000-2026000001",
            at=NOW,
        )
        police = self.town[POLITIE]
        words = {"aanhouding": "ja, ter plaatse"} if held else {}
        receipt = await police.gateway.hand_in(fill(octets, **words), FREE, police.backend)
        self.numbers[number], self.ids[number] = held, receipt.id

    async def _hub(self) -> None:
        self.town[HUB].up = self.dice.random() < 0.15

    async def _server(self) -> None:
        self.server.replies["letter"] = self.dice.choice(REPLIES)

    async def _proof(self) -> None:
        self.proved = self.dice.random() < 0.6
        good = str(server(MX).tlsa(3))
        self.names.records[f"_{self.names.port}._tcp.{MX}", "TLSA"] = [
            good if self.proved else "3 1 1 " + "00" * 32
        ]

    async def _time(self) -> None:
        self.town.clock.forward(minutes=self.dice.choice((1, 5, 20, 90, 400)))

    async def _switch(self) -> None:
        with suppress(PolicyViolation):
            await self.town[POLITIE].gateway.switch_to_mail(
                self._any(), who="o.operator", why="het kind is nu in gevaar"
            )
            self.seen["switched"] += 1

    async def _decide(self) -> None:
        decisions = self.town[POLITIE].store.decisions
        with suppress(GatewayError):
            await decisions.resume(self._any(), who="o.operator", why="nagevraagd")
            self.seen["resumed"] += 1
        if self.dice.random() < STOP_PART:
            message = self._any()
            with suppress(GatewayError):
                await decisions.stop(message, who="o.operator", why="nagevraagd")
                self.stopped.add(message)

    async def _standing(self) -> None:
        await letters.set_up(self.town, spoed=(SPOED,) if self.dice.random() < 0.3 else ())

    async def _mailman(self) -> None:
        """Hand over some of the post, in any order, now and then twice."""
        self._collect(lose=0.25)
        self.dice.shuffle(self.post)
        for _ in range(self.dice.randint(0, len(self.post))):
            octets = self.post.pop()
            for _ in range(1 + (self.dice.random() < 0.2)):
                await self._letter(octets)

    async def _letter(self, octets: bytes) -> None:
        vt = self.town[VT]
        try:
            await vt.gateway.take_mail(
                Arrived(octets=octets, sender=POLITIE_MAIL, at=self.town.clock.now())
            )
        except Unavailable:
            self.post.append(octets)

    async def _work(self) -> None:
        await self.town.settle()
        await self.town.keep_house()

    def _any(self) -> str:
        return self.dice.choice(list(self.ids.values()))

    def _collect(self, lose: float) -> None:
        for octets in self.server.letters[self.read :]:
            if self.dice.random() < lose:
                self.seen["lost in the post"] += 1
            else:
                self.post.append(octets)
        self.read = len(self.server.letters)

    # --- what must hold ---------------------------------------------------------------

    def _letters_only_over_what_was_proved(self) -> None:
        said = len(self.server.letters)
        if said > self.said and not self.proved:
            raise Wrong("a letter was said over a transport that was not proved")
        self.said = said

    async def _end(self) -> None:
        """All is well again, and days go by; nobody decides anything more."""
        self.town[HUB].up, self.proved = True, True
        self.server.replies.pop("letter", None)
        good = str(server(MX).tlsa(3))
        self.names.records[f"_{self.names.port}._tcp.{MX}", "TLSA"] = [good]
        for _ in range(8):
            await self._work()
            self._collect(lose=0.0)
            while self.post:
                await self._letter(self.post.pop())
            self.town.clock.forward(hours=9)
        await self._work()

    async def _check(self) -> None:
        taken = await self._taken_in()
        police = self.town[POLITIE].store.reader
        alarms = {a.message: a.code for a in await police.alarms(limit=200) if a.code in TOLD}
        for number, held in self.numbers.items():
            times = taken[number]
            found = await police.message(self.ids[number])
            states = {d.state for d in found.deliveries}
            if held:
                if times or not states <= {State.HELD, State.DEAD}:
                    raise Wrong(f"{number} is held by the OM: {states}, taken in {times} times")
                self.seen["held"] += 1
            elif times == 1:
                self.seen["taken in"] += 1
                by_mail = any(d.channel is DeliveryChannel.MAIL for d in found.deliveries)
                self.seen["by mail"] += by_mail
            elif times == 0 and self.ids[number] in alarms:
                self.seen["told a person"] += 1
            elif times == 0 and self.ids[number] in self.stopped:
                self.seen["stopped by a person"] += 1
            else:
                raise Wrong(f"{number}: taken in {times} times, {states}, no alarm")

    async def _taken_in(self) -> Counter[str]:
        """How often the back-end of Veilig Thuis is to see each number."""
        reader = self.town[VT].store.reader
        counted: Counter[str] = Counter()
        for known in await reader.messages(party=None, before=None, limit=200):
            if known.direction is not Direction.INBOUND or known.kind != "vtMeldingDi01":
                continue
            found = await reader.message(known.id)
            shown = [d for d in found.deliveries if d.channel is DeliveryChannel.POSTVAK]
            counted[known.referentienummer] += len(shown)
        return counted


async def play(folder, seed: int, seen: Counter) -> None:
    """Play one town; raises Wrong with its seed."""
    held = server(MX)
    async with AsyncExitStack() as stack:
        servers, port = await stack.enter_async_context(mail_servers(folder, held))
        names, dns_port = await stack.enter_async_context(resolving())
        names.port = port
        names.partner(DOMAIN, mx1=("127.0.0.11", str(held.tlsa(3))))
        settings = EmailSettings(
            domein="politie.example",
            afzender=POLITIE_MAIL,
            ehlo="uit.politie.example",
            resolver_port=dns_port,
            port=port,
        )
        post = MailClient(settings, clock=SystemClock(), dice=SystemDice())
        town = await towns.build(folder, post=post, seed=seed)
        stack.push_async_callback(town.close)
        await letters.set_up(town)
        await open_mailbox(town)
        history = History(town, servers[0], names, random.Random(seed))
        try:
            await history.play()
        except Wrong as wrong:
            print(history.seen)
            raise Wrong(f"seed {seed}: {wrong}") from wrong
        seen.update(history.seen)
