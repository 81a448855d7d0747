"""A back-end system, as small as it can be: REST with a token over TLS."""

import asyncio
import ssl
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp


class DemoFailed(Exception):
    """Something did not go as the demo promises."""


class HttpRefused(DemoFailed):
    """The API answered something else than 200; `code` is that of its problem details."""

    def __init__(self, what: str, status: int, code: str) -> None:
        """Say what was asked for."""
        super().__init__(f"{what}: HTTP {status} {code}".rstrip())
        self.status = status
        self.code = code


@dataclass(slots=True, kw_only=True)
class BackEnd:
    """One back-end system of one party."""

    place: str
    url: str
    token: str
    trust: ssl.SSLContext
    _session: aiohttp.ClientSession | None = field(default=None)

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            base_url=self.url,
            headers={"Authorization": f"Bearer {self.token}"},
            connector=aiohttp.TCPConnector(ssl=self.trust),
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def hand_in(
        self,
        octets: bytes,
        *,
        onderzoek: bool = False,
        wpg_artikel: str | None = None,
        acuut: bool = False,
    ) -> tuple[int, dict[str, Any]]:
        """Hand in; return the HTTP status and the answer (a receipt or a problem)."""
        query = {"acuut": _word(acuut), "onderzoek": _word(onderzoek)}
        if wpg_artikel is not None:
            query["wpgArtikel"] = wpg_artikel
        async with self._open.post(
            "/api/v1/berichten",
            data=octets,
            params=query,
            headers={"Content-Type": "application/xml"},
        ) as answer:
            return answer.status, await answer.json(content_type=None)

    async def message(self, identity: str) -> dict[str, Any]:
        """Return the message with its deliveries and steps."""
        async with self._open.get(f"/api/v1/berichten/{identity}") as answer:
            if answer.status != 200:  # noqa: PLR2004 - HTTP OK
                raise DemoFailed(f"{self.place}: bericht niet gevonden ({answer.status})")
            return dict(await answer.json())

    async def postvak(self, *, wait: int) -> list[dict[str, Any]]:
        """Return what waits, after at most `wait` seconds."""
        async with self._open.get("/api/v1/postvak", params={"wacht": wait}) as answer:
            await _ok(answer, "postvak")
            body = await answer.json()
            return list(body["berichten"])

    async def content(self, delivery: str) -> bytes:
        """Return the octets as the sender signed them."""
        async with self._open.get(f"/api/v1/postvak/{delivery}/inhoud") as answer:
            await _ok(answer, "inhoud")
            return await answer.read()

    async def confirm(self, delivery: str) -> int:
        """Confirm the delivery; the sender gets a Bv01."""
        async with self._open.post(f"/api/v1/postvak/{delivery}/bevestiging") as answer:
            return answer.status

    async def refuse(self, delivery: str, code: str, omschrijving: str) -> int:
        """Refuse the delivery; the sender gets a Fo01."""
        async with self._open.post(
            f"/api/v1/postvak/{delivery}/weigering",
            json={"code": code, "omschrijving": omschrijving},
        ) as answer:
            return answer.status

    async def get(self, path: str) -> dict[str, Any]:
        """Return the JSON that stands there."""
        async with self._open.get(path) as answer:
            await _ok(answer, path)
            return dict(await answer.json())

    async def octets(self, path: str, query: dict[str, str]) -> bytes:
        """Return the octets that stand there."""
        async with self._open.get(path, params=query) as answer:
            await _ok(answer, path)
            return await answer.read()

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send JSON and return that of the answer."""
        async with self._open.post(path, json=body) as answer:
            await _ok(answer, path)
            return dict(await answer.json())

    async def receive(self, referentienummer: str, *, within: float = 60) -> dict[str, Any]:
        """Wait until the message with this referentienummer lies in the postvak."""
        async with asyncio.timeout(within):
            while True:
                for item in await self.postvak(wait=5):
                    if item["referentienummer"] == referentienummer:
                        return item

    @property
    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise DemoFailed("sessie is niet open")
        return self._session


async def _ok(answer: aiohttp.ClientResponse, what: str) -> None:
    if answer.ok:
        return
    problem = answer.content_type == "application/problem+json"
    code = (await answer.json(content_type=None)).get("code", "") if problem else ""
    raise HttpRefused(what, answer.status, code)


def _word(value: bool) -> str:
    return "true" if value else "false"
