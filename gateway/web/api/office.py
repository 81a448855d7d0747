"""What the handlers of the REST API work with."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from aiohttp import web

from gateway.directory import Backend
from gateway.message import Aanlevering
from gateway.pipeline import Receipt, Trial, Weigering
from gateway.pipeline.desk import Deciding
from gateway.pipeline.webhooks import Calling
from gateway.ports import Clock, Holds, Payloads, Postvak, PostvakItem, Reader, Snapshots
from gateway.web.intake import Intake
from gateway.web.turns import Turns


class BackOffice(Protocol):
    """The pipeline, as far as back-ends reach it."""

    async def hand_in(self, octets: bytes, aanlevering: Aanlevering, backend: Backend) -> Receipt:
        """Take a message in; raises Refused or Unavailable."""
        ...

    async def try_out(self, octets: bytes, aanlevering: Aanlevering, backend: Backend) -> Trial:
        """Judge as `hand_in` would, and change nothing; raises Unavailable."""
        ...

    async def collect(
        self,
        backend: Backend,
        applicaties: tuple[str, ...],
        *,
        limit: int,
        lease: timedelta,
        kind: str | None = None,
    ) -> tuple[PostvakItem, ...]:
        """Lease what waits in the postvak, oldest first."""
        ...

    async def reach(self, delivery: str, backend: Backend, *, lease: timedelta) -> PostvakItem:
        """Return what lies in the postvak, as a look would; raises NoRoute."""
        ...

    async def confirm(self, delivery: str, backend: Backend) -> bool:
        """Confirm; False when it was confirmed before."""
        ...

    async def refuse(self, delivery: str, backend: Backend, weigering: Weigering) -> bool:
        """Refuse; False when it was refused before."""
        ...

    @property
    def postvak(self) -> Postvak: ...
    @property
    def reader(self) -> Reader: ...
    @property
    def payloads(self) -> Payloads: ...
    @property
    def snapshots(self) -> Snapshots: ...
    @property
    def calling(self) -> Calling: ...
    @property
    def deciding(self) -> Deciding: ...
    @property
    def holds(self) -> Holds: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiLimits:
    """Bounds and times of the REST API."""

    lease: timedelta = timedelta(minutes=5)
    """How long a message that was shown in the postvak is not shown again."""
    json_bytes: int = 16_384
    """Octets of a JSON body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """One per application."""

    gateway: BackOffice
    clock: Clock
    intake: Intake
    turns: Turns
    limits: ApiLimits
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the server stops: nobody waits any longer."""


OFFICE: web.AppKey[Office] = web.AppKey("office", Office)
BACKEND: web.RequestKey[Backend] = web.RequestKey("backend", Backend)
