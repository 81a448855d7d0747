"""The OM gate in the demo: one melding is released, one refused, one changed after it was asked."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from gateway.cli.demo.rest import BackEnd
from gateway.cli.demo.show import Show
from gateway.store.engine import open_engine

OFFICER = "voorbeeld"
TOLD = "Het belang van opsporing en vervolging verzet zich tegen verstrekking."
WITHIN = 60
"""Seconds that each step may take."""
_CHANGE = "UPDATE deliveries SET payload_sha256 = '{0}' WHERE message = '{1}'"

Found = Callable[[dict[str, Any]], bool]


class Decisions:
    """The OM's own system, over REST."""

    def __init__(self, show: Show, om: BackEnd) -> None:
        """Take who speaks for the officer."""
        self._show = show
        self._om = om

    async def request_on(self, reference: str) -> dict[str, Any]:
        """Wait until the question about this melding is here; return it."""
        async with asyncio.timeout(WITHIN):
            while True:
                asked = await self._om.get("/api/v1/toetsverzoeken")
                for one in asked["verzoeken"]:
                    if one["referentienummer"] == reference:
                        self._show.good(f"het OM ziet verzoek {one['id'][:8]} met de reden erbij")
                        return dict(one)
                await asyncio.sleep(0.2)

    async def read(self, request: dict[str, Any]) -> bytes:
        """Read what is held, with a purpose that is written down."""
        return await self._om.octets(
            f"/api/v1/toetsverzoeken/{request['id']}/inhoud",
            {"officier": OFFICER, "doel": "toets op opsporingsbelang"},
        )

    async def decide(self, request: dict[str, Any], uitkomst: str, told: str = "") -> str:
        """Decide; return the id of the decision."""
        body = {
            "officier": OFFICER,
            "uitkomst": uitkomst,
            "grond": "Aanwijzing Wpg en de rol van de officier van justitie, 15.1",
            "teMelden": told,
        }
        path = f"/api/v1/toetsverzoeken/{request['id']}/besluiten"
        verdict = await self._om.post(path, body)
        self._show.good(f"{OFFICER} besluit: {uitkomst}")
        return str(verdict["id"])

    async def status_of(self, request: dict[str, Any], wanted: str) -> None:
        """Wait until the decision stands so."""
        async with asyncio.timeout(WITHIN):
            while True:
                case = await self._om.get(f"/api/v1/toetsverzoeken/{request['id']}")
                if any(one["status"] == wanted for one in case["besluiten"]):
                    return
                await asyncio.sleep(0.2)


async def until(back_end: BackEnd, identity: str, found: Found) -> dict[str, Any]:
    """Wait until a message stands as it should; raises TimeoutError."""
    async with asyncio.timeout(WITHIN):
        while True:
            message = await back_end.message(identity)
            if found(message):
                return message
            await asyncio.sleep(0.2)


def change_row(database: str | Path, message: str) -> None:
    """Do to the police's database what the gateway never does: name other octets."""
    statement = _CHANGE.format("0" * 64, message)
    with closing(open_engine(database).writer()) as connection:
        connection.execute(sa.text(statement))
