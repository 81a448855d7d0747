"""The two back-end systems: one hands in until it is accepted, one confirms what it is shown."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from typing import TypeVar

import aiohttp

from gateway.cli.demo.documents import document
from gateway.cli.demo.sites import Site
from tests.crash.ledger import KIND, Ledger

T = TypeVar("T")

AGAIN = (aiohttp.ClientError, OSError, TimeoutError)
PAUSE = 0.05
"""Seconds between two tries of a back-end at a gateway that does not answer."""
LARGE_PART = 0.3
LARGE = 300_000
"""Octets at the end of some documents, so that they are written ahead of their commit."""
BUSY = frozenset({429, 502, 503, 504})


class _System:
    """A session with the own access point, that survives its death."""

    def __init__(self, site: Site, trust, ledger: Ledger):
        self.site = site
        self._trust = trust
        self.ledger = ledger

    async def __aenter__(self):
        self._session = aiohttp.ClientSession(
            base_url=f"https://localhost:{self.site.ports[1]}",
            headers={"Authorization": f"Bearer {self.site.token}"},
            connector=aiohttp.TCPConnector(ssl=self._trust),
            timeout=aiohttp.ClientTimeout(total=15),
        )
        return self

    async def __aexit__(self, *_):
        await self._session.close()

    async def _until(self, ask: Callable[[], Awaitable[T | None]]) -> T:
        """Ask again until there is an answer."""
        while True:
            with suppress(*AGAIN):
                answer = await ask()
                if answer is not None:
                    return answer
            await asyncio.sleep(PAUSE)

    def _unless_busy(self, answer: aiohttp.ClientResponse, what: str) -> bool:
        """Tell whether it answered; what is no answer to try again is a fault."""
        if answer.status in BUSY:
            return False
        if answer.status >= 300:
            self.ledger.faults.append(f"{what}: HTTP {answer.status}")
        return True


class Sender(_System):
    """Hands in with the same number and content until it hears 202, or 200 for a repetition."""

    def __init__(self, site, trust, ledger, *, receiver, dice: random.Random):
        super().__init__(site, trust, ledger)
        self._receiver = receiver
        self._dice = dice

    async def hand_in(self) -> None:
        """Return when the other end has confirmed it."""
        number = f"{self._dice.getrandbits(96):024x}"
        octets = document(
            KIND,
            zender=self.site.address,
            ontvanger=self._receiver,
            referentienummer=number,
            zaak=f"PL0000-{number[:10]}",
            at=datetime.now(UTC),
        )
        if self._dice.random() < LARGE_PART:
            octets += b"\n" * LARGE
        self.ledger.handed[number] = sha256(octets).hexdigest()

        async def ask() -> str | None:
            async with self._session.post(
                "/api/v1/berichten",
                data=octets,
                params={"onderzoek": "false", "wpgArtikel": "8"},
                headers={"Content-Type": "application/xml"},
            ) as answer:
                body = await answer.json(content_type=None)
                if not self._unless_busy(answer, f"hand-in of {number}"):
                    return None
                return str(body.get("id", body))

        self.ledger.accepted[number] = await self._until(ask)
        await self.ledger.done[number].wait()


class Receiver(_System):
    """Takes from the postvak, reads, confirms each delivery until it hears that it is."""

    async def run(self) -> None:
        while True:
            for item in await self._until(self._look):
                await self._take(item)

    async def _look(self) -> list[dict] | None:
        async with self._session.get("/api/v1/postvak", params={"wacht": 10}) as answer:
            body = await answer.json(content_type=None)
            return body["berichten"] if self._unless_busy(answer, "postvak") else None

    async def _take(self, item: dict) -> None:
        number, delivery = item["referentienummer"], item["id"]
        self.ledger.shown[number].add(delivery)
        content = await self._until(lambda: self._content(delivery))
        if sha256(content).hexdigest() != self.ledger.handed.get(number):
            self.ledger.faults.append(f"other content than was handed in: {number}")
        fresh = await self._until(lambda: self._confirm(delivery))
        self.ledger.confirmed[number] += fresh
        self.ledger.done[number].set()

    async def _content(self, delivery: str) -> bytes | None:
        async with self._session.get(f"/api/v1/postvak/{delivery}/inhoud") as answer:
            octets = await answer.read()
            return octets if self._unless_busy(answer, f"content of {delivery}") else None

    async def _confirm(self, delivery: str) -> bool | None:
        async with self._session.post(f"/api/v1/postvak/{delivery}/bevestiging") as answer:
            body = await answer.json(content_type=None)
            if not self._unless_busy(answer, f"confirmation of {delivery}"):
                return None
            return not body.get("herhaald", True)
