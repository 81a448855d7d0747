"""Three installations as real processes on loopback, and a back-end system at both ends."""

import asyncio
import random
import shutil
import signal
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from ssl import create_default_context
from typing import Self

import aiohttp
import sqlalchemy as sa

from gateway.cli.demo.mail import add_mail
from gateway.cli.demo.post_office import PostOffice
from gateway.cli.demo.sites import Site, make_sites
from tests.crash.back_ends import Receiver, Sender
from tests.crash.boundaries import Role
from tests.crash.doomed import Left, Prepare, nothing, take_over
from tests.crash.engines import Engine
from tests.crash.ledger import Findings, Ledger, compare, unsettled
from tests.crash.mail_operator import Operator
from tests.crash.nursery import Nursery, Victim

READY_SECONDS = 60.0
LOOK_SECONDS = 0.05
"""Between two looks at what a process says of itself, or at what is still to be done."""
TWICE_PART = 0.2
"""Of the letters a mail server hands over twice: it did not hear the reply, or thinks so."""
SETTINGS = {
    "worker": "longest_wait_seconds = 1.0\ntrouble_wait_seconds = 0.2\npostvak_lease_seconds = 2\n"
    "lease_seconds = 2",
    "retention": "relayed_hours = 0\nreceived_hours = 0\nanswered_hours = 0\nbackup_hours = 0",
}
"""Quick, and so that payloads are due as soon as their message is confirmed."""


class RigFailed(Exception):
    """The rig could not do what the round asks."""


@dataclass(slots=True)
class Rig:
    """One town on one engine. Data are made new by `fresh`; keys and agreements stay."""

    engine: Engine
    root: Path
    nursery: Nursery
    dice: random.Random
    sites: dict[Role, Site]
    running: dict[Role, Victim]
    ledger: Ledger
    sender: Sender
    receiver: Receiver
    post: PostOffice
    _session: aiohttp.ClientSession
    operator: Operator | None = None
    _working: asyncio.Task | None = None
    _collecting: asyncio.Task | None = None
    _handing_in: set[asyncio.Task[None]] = field(default_factory=set)
    _generation: int = 0

    @classmethod
    async def make(
        cls,
        engine: Engine,
        root: Path,
        nursery: Nursery,
        dice: random.Random,
        stack: AsyncExitStack,
    ) -> Self:
        made = await asyncio.to_thread(make_sites, root, retry_interval=timedelta(seconds=1))
        mail = await asyncio.to_thread(add_mail, root, made)
        sites = {role: made.by_place[role] for role in Role}
        trust = create_default_context(cafile=made.anchors)
        ledger = Ledger()
        vt = sites[Role.V].address
        rig = cls(
            engine=engine,
            root=root,
            nursery=nursery,
            dice=dice,
            sites=sites,
            running={},
            ledger=ledger,
            sender=await stack.enter_async_context(
                Sender(sites[Role.P], trust, ledger, receiver=vt, dice=dice)
            ),
            receiver=await stack.enter_async_context(Receiver(sites[Role.V], trust, ledger)),
            post=await stack.enter_async_context(
                PostOffice(mail, copies=lambda: 1 + (dice.random() < TWICE_PART))
            ),
            _session=await stack.enter_async_context(aiohttp.ClientSession()),
        )
        stack.push_async_callback(rig.stop)
        for role, site in sites.items():
            text = site.config.read_text(encoding="utf-8")
            for section, lines in SETTINGS.items():
                text = text.replace(f"[{section}]\n", f"[{section}]\n{lines}\n")
            (root / f"{role}.toml").write_text(text, encoding="utf-8")
        return rig

    async def fresh(self, *, but: Role | None = None) -> None:
        """Stop, throw the data away, start all but one."""
        await self.stop()
        await self.post.forget()
        old = [self._database(role) for role in Role] if self._generation else []
        self._generation += 1
        self.ledger = self.sender.ledger = self.receiver.ledger = Ledger()
        for role, site in self.sites.items():
            shutil.rmtree(site.folder / "data", ignore_errors=True)
            (site.folder / "data").mkdir(mode=0o700)
            await asyncio.to_thread(self.engine.make, self._database(role))
            template = (self.root / f"{role}.toml").read_text(encoding="utf-8")
            own = template.replace(
                "[database]\n", f"[database]\n{self.engine.settings(self._database(role))}\n"
            )
            site.config.write_text(own, encoding="utf-8")
        await asyncio.gather(*(self.start(role) for role in Role if role is not but))
        for database in old:
            await asyncio.to_thread(self.engine.drop, database)
        self._collecting = asyncio.create_task(self.receiver.run())
        self.operator = Operator(
            lambda: self.connect(Role.P), self.sites[Role.P].config, shared=self.engine.shared
        )
        self._working = asyncio.create_task(self.operator.run())

    async def stop(self) -> None:
        """Stop the back-ends, and each process by SIGTERM."""
        people = {task for task in (self._collecting, self._working) if task}
        tasks = self._handing_in | people
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._handing_in, self._collecting, self._working = set(), None, None
        victims = [v for v in self.running.values() if v.alive]
        for victim in victims:
            self.nursery.signal(victim, signal.SIGTERM)
        codes = await asyncio.wait_for(asyncio.gather(*(v.ended for v in victims)), READY_SECONDS)
        if any(codes):
            raise RigFailed(f"a graceful stop ended with {codes}")

    # --- processes --------------------------------------------------------------------

    async def start(self, role: Role) -> None:
        """Start without a hook that is armed, and wait until it says that it is ready."""
        await self.launch(role)
        victim = self.running[role]
        async with asyncio.timeout(READY_SECONDS):
            while not await self.is_ready(self.sites[role].ports[2]):
                if not victim.alive:
                    raise RigFailed(f"{role} did not start; see {self.log(role)}")
                await asyncio.sleep(LOOK_SECONDS)

    async def launch(self, role: Role, die: tuple[str, int] | None = None) -> Victim:
        victim = await self.nursery.start(self.sites[role].folder, log=self.log(role), die=die)
        self.running[role] = victim
        return victim

    async def kill(self, role: Role) -> None:
        """From outside, wherever it is."""
        self.nursery.signal(self.running[role], signal.SIGKILL)
        await self.running[role].ended

    async def revive(self, killed: set[Role]) -> None:
        """Start what was killed; whoever ended without that has a fault."""
        for role in Role:
            if self.running[role].alive:
                continue
            if role not in killed:
                self.ledger.faults.append(f"{role} ended with {self.running[role].ended.result()}")
            await self.start(role)

    async def is_ready(self, beheer_port: int) -> bool:
        url = f"http://127.0.0.1:{beheer_port}/health/ready"
        try:
            async with self._session.get(url) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, OSError):
            return False

    def log(self, role: Role) -> Path:
        return self.root / f"{role}.log"

    # --- what is stored ---------------------------------------------------------------

    def connect(self, role: Role) -> sa.Connection:
        return self.engine.connect(self.sites[role].folder, self._database(role))

    def prepare(self, role: Role, work: Prepare) -> Left:
        """Change what a dead installation has; return what its restart has to make good."""
        folder = self.sites[role].folder
        return self.engine.change(folder, self._database(role), lambda db: work(db, folder))

    def take_over(self, role: Role) -> None:
        self.engine.change(self.sites[role].folder, self._database(role), take_over)

    def _look(self, role: Role, left: Left) -> list[str]:
        with self.connect(role) as db:
            return [f"{role}: {what}" for what in left(db)]

    def _database(self, role: Role) -> str:
        return f"{self.root.name}-{role}-{self._generation}"

    async def settled(self, seconds: float, role: Role = Role.P, left: Left = nothing) -> Findings:
        """Wait until the work is done by itself; then, or when it takes too long, compare.

        `left` is what the role has to make good besides.
        """

        def to_do() -> str:
            return unsettled(self.ledger, self.connect) or ", ".join(self._look(role, left))

        try:
            async with asyncio.timeout(seconds):
                while doing := await asyncio.to_thread(to_do):
                    self.raise_faults()
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            self.ledger.faults.append(f"not done after {seconds:.0f} s: {doing}")
        kept = await asyncio.to_thread(self._look, role, left)
        return await asyncio.to_thread(compare, self.ledger, self.connect, kept)

    def keep(self, handing_in: set[asyncio.Task[None]]) -> None:
        """Hand-ins that go on by themselves; the ledger says when they are done."""
        self._handing_in = {t for t in (*self._handing_in, *handing_in) if not _done(t)}

    def raise_faults(self) -> None:
        self.keep(set())
        for task in (self._collecting, self._working):
            if task is not None:
                _done(task)


def _done(task: asyncio.Task[None]) -> bool:
    """Raise what went wrong in it."""
    if task.done():
        task.result()
    return task.done()
