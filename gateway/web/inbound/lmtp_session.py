"""One conversation over LMTP (RFC 2033): a mail gets an answer for each of its recipients.

250 is said after the commit. Until then the mail server keeps the mail and gives it again: what
goes wrong here, or stops halfway, is answered 4xx or not at all.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from gateway.directory import OwnMailbox
from gateway.errors import GatewayError
from gateway.ports.incoming import FULL, Arrived
from gateway.web.inbound.lmtp_lines import Lines, Lost

log = structlog.get_logger("gateway.lmtp")

RECIPIENTS = 20
"""Of one mail: there is one mailbox, but it may be named more than once."""
COMMANDS = 1_000
"""Of one connection."""

_PATH = re.compile(r"(?:FROM|TO): ?<([^<>\s]{0,320})>((?: [!-~]+)*)", re.IGNORECASE)
_SIZE = re.compile(r"SIZE=([0-9]{1,20})", re.IGNORECASE)

Take = Callable[[Arrived], Awaitable[None]]
"""Takes in a mail; it is committed when this returns. Raises GatewayError: not now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a mail server may take."""

    idle: timedelta = timedelta(minutes=5)
    """For a command."""
    mail: timedelta = timedelta(minutes=5)
    """For the octets of one mail."""


@dataclass(slots=True, kw_only=True)
class _Envelope:
    """What was said of the mail that comes."""

    sender: str
    box: OwnMailbox
    """As it was when the mail began."""
    recipients: int = 0


@dataclass(slots=True, kw_only=True)
class Conversation:
    """The state of one connection."""

    lines: Lines
    say: Callable[[str], Awaitable[None]]
    take: Take
    mailbox: Callable[[], OwnMailbox | None]
    now: Callable[[], datetime]
    patience: Patience = field(default_factory=Patience)
    busy: bool = False
    """A mail is under way: from DATA to the last answer."""
    _greeted: bool = False
    _envelope: _Envelope | None = None

    async def run(self) -> None:
        """Answer until the other end has enough, is silent, or asks too much."""
        await self.say("220 gateway LMTP")
        try:
            for _ in range(COMMANDS):
                async with asyncio.timeout(self.patience.idle.total_seconds()):
                    line = await self.lines.line()
                if not await self._answer(line):
                    return
            await self.say("421 4.7.0 too many commands")
        except TimeoutError:
            await self.say("421 4.4.2 too slow")
        except (Lost, OSError):
            return

    async def _answer(self, line: str) -> bool:
        """Return False when it was the last command."""
        word, _, rest = line.partition(" ")
        match word.upper():
            case "LHLO":
                await self._hello()
            case "MAIL":
                await self.say(self._mail(rest))
            case "RCPT":
                await self.say(self._recipient(rest))
            case "DATA":
                await self._data(rest)
            case "RSET":
                self._envelope = None
                await self.say("250 2.0.0 reset")
            case "NOOP":
                await self.say("250 2.0.0 nothing done")
            case "QUIT":
                await self.say("221 2.0.0 bye")
                return False
            case _:
                await self.say("500 5.5.1 no such command")
        return True

    async def _hello(self) -> None:
        self._greeted, self._envelope = True, None
        box = self.mailbox()
        for offer in ("gateway", "PIPELINING", "ENHANCEDSTATUSCODES", "8BITMIME"):
            await self.say(f"250-{offer}")
        await self.say(f"250 SIZE {box.maximum}" if box is not None else "250 SIZE")

    def _mail(self, rest: str) -> str:
        found, box = _PATH.fullmatch(rest), self.mailbox()
        if not self._greeted or self._envelope is not None:
            return "503 5.5.1 not now"
        if found is None or not rest.upper().startswith("FROM"):
            return "501 5.5.4 no sender"
        if box is None:
            return "451 4.3.0 no mail is taken in now"
        said = _SIZE.search(found[2])
        if said is not None and int(said[1]) > box.maximum:
            return "552 5.3.4 too large"
        self._envelope = _Envelope(sender=found[1], box=box)
        return "250 2.1.0 go on"

    def _recipient(self, rest: str) -> str:
        found, envelope = _PATH.fullmatch(rest), self._envelope
        if envelope is None:
            return "503 5.5.1 not now"
        if found is None or not rest.upper().startswith("TO"):
            return "501 5.5.4 no recipient"
        if found[1].casefold() != envelope.box.address.casefold():
            return "550 5.1.1 no such mailbox"
        if envelope.recipients >= RECIPIENTS:
            return "452 4.5.3 too many recipients"
        envelope.recipients += 1
        return "250 2.1.5 go on"

    async def _data(self, rest: str) -> None:
        envelope = self._envelope
        if envelope is None or not envelope.recipients or rest:
            await self.say("503 5.5.1 no valid recipients")
            return
        self._envelope = None
        self.busy = True
        await self._one_mail(envelope)
        self.busy = False

    async def _one_mail(self, envelope: _Envelope) -> None:
        await self.say("354 end with a dot")
        async with asyncio.timeout(self.patience.mail.total_seconds()):
            octets = await self.lines.mail(envelope.box.maximum)
        answer = "552 5.3.4 too large"
        if octets is not None:
            answer = await self._taken(
                Arrived(octets=octets, sender=envelope.sender, at=self.now())
            )
        for _ in range(envelope.recipients):
            await self.say(answer)

    async def _taken(self, mail: Arrived) -> str:
        try:
            await self.take(mail)
        except GatewayError as error:
            log.warning("lmtp.not_taken", code=error.code, bytes=len(mail.octets))
            return "452 4.3.1 full" if error.code == FULL else "451 4.3.0 not now"
        except Exception as error:  # noqa: BLE001 - a bug here loses no mail: it comes again
            log.error("lmtp.failed", error=type(error).__name__, bytes=len(mail.octets))
            return "451 4.3.0 not now"
        log.info("lmtp.taken", bytes=len(mail.octets))
        return "250 2.0.0 taken"
