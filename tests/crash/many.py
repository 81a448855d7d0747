"""A knooppunt as several processes on one PostgreSQL, between two access points of one each."""

import asyncio
import shutil
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import sqlalchemy as sa

from gateway.cli.demo.ports import free_ports
from tests.crash.boundaries import Role
from tests.crash.nursery import Victim
from tests.crash.rig import LOOK_SECONDS, READY_SECONDS, Rig, RigFailed

AT_ONCE = 4
"""Messages under way while there is traffic."""
PATIENCE_SECONDS = 120.0
"""After which traffic that does not go on has stopped."""

Layout = Sequence[tuple[str, ...]]
"""Per process what stands after --only; nothing = it does everything."""
BOTH: Layout = ((), ())
SPLIT: Layout = (("web",), ("web",), ("worker",), ("worker",), ("sealer",))
WORKERS: Layout = (("web", "sealer"), ("worker",), ("worker",))


@dataclass(slots=True, eq=False)
class Member:
    """One process of the knooppunt."""

    name: str
    folder: Path
    only: tuple[str, ...]
    beheer: int
    log: Path
    _victim: Victim | None = field(default=None, repr=False)

    @property
    def victim(self) -> Victim:
        if self._victim is None:
            raise RigFailed(f"{self.name} was never started")
        return self._victim


class Hub:
    """The processes of one knooppunt; use it in `async with`."""

    def __init__(self, rig: Rig, layout: Layout):
        self.rig = rig
        self.folder = rig.sites[Role.K].folder
        self.members: list[Member] = []
        for only in layout:
            self.add(only, self.folder)

    def add(self, only: tuple[str, ...], folder: Path) -> Member:
        """One more, that is not started yet."""
        name = f"{len(self.members) + 1}-{'+'.join(only) or 'all'}"
        log = self.rig.root / f"knooppunt-{name}.log"
        member = Member(name, folder, only, next(free_ports(1)), log)
        self.members.append(member)
        return member

    async def __aenter__(self) -> Self:
        for member in self.members:
            await self.start(member)
        return self

    async def __aexit__(self, *_: object) -> None:
        running = [m.victim for m in self.members if m._victim is not None and m.victim.alive]
        for victim in running:
            self.rig.nursery.signal(victim, signal.SIGCONT)
            self.rig.nursery.signal(victim, signal.SIGTERM)
        await asyncio.wait_for(asyncio.gather(*(v.ended for v in running)), READY_SECONDS)

    async def start(self, member: Member) -> None:
        """Start it and wait until it is ready."""
        member._victim = await self.rig.nursery.start(
            member.folder, log=member.log, only=list(member.only), beheer_port=member.beheer
        )
        await self.becomes(member, ready=True)

    async def becomes(self, member: Member, *, ready: bool) -> None:
        async with asyncio.timeout(READY_SECONDS):
            while await self.rig.is_ready(member.beheer) is not ready:
                if not member.victim.alive:
                    raise RigFailed(f"{member.name} ended; see {member.log}")
                await asyncio.sleep(LOOK_SECONDS)

    async def kill(self, member: Member) -> None:
        self.signal(member, signal.SIGKILL)
        await member.victim.ended

    async def restart(self, member: Member) -> None:
        await self.stop(member)
        await self.start(member)

    async def stop(self, member: Member) -> None:
        """SIGTERM; whoever does not end with 0 has a fault."""
        self.signal(member, signal.SIGTERM)
        async with asyncio.timeout(READY_SECONDS):
            status = await asyncio.shield(member.victim.ended)
        if status != 0:
            self.rig.ledger.faults.append(f"{member.name} ended with {status}")

    def signal(self, member: Member, number: signal.Signals) -> None:
        self.rig.nursery.signal(member.victim, number)

    def fallen(self) -> list[str]:
        """Those that ended by themselves."""
        return [m.name for m in self.members if not m.victim.alive]

    def copy_folder(self) -> Path:
        """A folder of its own for another machine; the data, with the epoch keys, are shared."""
        copy = self.rig.root / "knooppunt-2"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.folder, copy, ignore=shutil.ignore_patterns("data"))
        (copy / "data").symlink_to(self.folder / "data", target_is_directory=True)
        return copy

    def sql(self, *statements: str) -> None:
        """Change the database of the knooppunt."""
        with self.rig.connect(Role.K) as db:
            db.execution_options(isolation_level="AUTOCOMMIT")
            for statement in statements:
                db.exec_driver_sql(statement)

    def ask(self, question: str, role: Role = Role.K) -> list[sa.Row]:
        with self.rig.connect(role) as db:
            return list(db.exec_driver_sql(question))


@asynccontextmanager
async def town(rig: Rig, layout: Layout) -> AsyncIterator[Hub]:
    """New data, and the knooppunt in several processes."""
    await rig.fresh(but=Role.K)
    async with Hub(rig, layout) as hub:
        try:
            yield hub
        finally:
            await rig.stop()


@asynccontextmanager
async def traffic(rig: Rig) -> AsyncIterator[None]:
    """Messages are handed in all the time; afterwards those under way go on."""
    stop = asyncio.Event()

    async def one() -> None:
        while not stop.is_set():
            await rig.sender.hand_in()

    tasks = {asyncio.create_task(one()) for _ in range(AT_ONCE)}
    try:
        yield
    finally:
        stop.set()
        rig.keep(tasks)


def confirmed(rig: Rig) -> int:
    return sum(done.is_set() for done in rig.ledger.done.values())


async def progress(rig: Rig, more: int) -> None:
    """Wait until so many more messages are confirmed at the other end."""
    goal = confirmed(rig) + more
    await until(lambda: confirmed(rig) >= goal, f"{more} more confirmations")


async def ended(rig: Rig, numbers: set[str]) -> None:
    """Wait until each of these is confirmed."""
    await until(lambda: all(rig.ledger.done[n].is_set() for n in numbers), "what was under way")


async def until(true, what: str) -> None:
    """Look until it is true; raise RigFailed when it takes too long."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not true():  # noqa: ASYNC110 - it is another process that changes it
                await asyncio.sleep(LOOK_SECONDS)
    except TimeoutError:
        raise RigFailed(f"waited {PATIENCE_SECONDS:.0f} s for {what}") from None


def under_way(rig: Rig) -> set[str]:
    return {n for n in rig.ledger.handed if not rig.ledger.done[n].is_set()}
