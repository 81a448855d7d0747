"""The post between the parties of the demo: it takes letters, keeps them, and hands them over."""

import asyncio
import smtplib
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from email import message_from_bytes
from email.policy import default
from typing import Self

from gateway.cli.demo.mail import DOMAINS, Mail
from gateway.cli.demo.mail_server import MailServer
from gateway.cli.demo.names import Names

AGAIN_SECONDS = 0.2
"""Between two tries to hand a letter over; other mail servers take minutes."""
LMTP_SECONDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A letter as a mail server sees it."""

    place: str
    """Of whom it is for."""
    sender: str
    recipient: str
    octets: bytes

    @property
    def outside(self) -> str:
        """Return what anybody on the way can read of it."""
        letter = message_from_bytes(self.octets, policy=default)
        return f"{letter['Subject']} · {letter.get_content_type()} · {len(self.octets)} octetten"


class PostOffice:
    """Name server and mail server of everybody, and what hands over by LMTP behind them."""

    def __init__(self, mail: Mail, *, copies: Callable[[], int] = lambda: 1) -> None:
        """Take the way of the letters; `copies`: how often the next one is handed over."""
        self._mail = mail
        self._copies = copies
        self._stack = AsyncExitStack()
        self._under_way: set[asyncio.Task[None]] = set()
        self.taken: asyncio.Queue[Taken] = asyncio.Queue()
        """Every letter, when it was taken over from its sender."""

    async def __aenter__(self) -> Self:
        mail = self._mail
        names = Names(port=mail.dns_port, records=mail.records)
        server = MailServer(port=mail.smtp_port, tls=mail.tls, take=self._take)
        await self._stack.enter_async_context(names)
        await self._stack.enter_async_context(server)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()
        await self.forget()

    async def forget(self) -> None:
        """Throw away what is under way."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _take(self, sender: str, recipient: str, octets: bytes) -> None:
        domain = recipient.partition("@")[2]
        (place,) = (place for place, own in DOMAINS.items() if own == domain)
        letter = Taken(place=place, sender=sender, recipient=recipient, octets=octets)
        self.taken.put_nowait(letter)
        for _ in range(self._copies()):
            task = asyncio.create_task(self._deliver(letter))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _deliver(self, letter: Taken) -> None:
        port = self._mail.lmtp_ports[letter.place]
        while True:
            with suppress(OSError, smtplib.SMTPException):
                await asyncio.to_thread(_hand_over, port, letter)
                return
            await asyncio.sleep(AGAIN_SECONDS)


def _hand_over(port: int, letter: Taken) -> None:
    with smtplib.LMTP("127.0.0.1", port, timeout=LMTP_SECONDS) as line:
        line.sendmail(letter.sender, [letter.recipient], letter.octets)
