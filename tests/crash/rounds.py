"""One round: messages under way, one kill, one restart, and then nothing may be missing."""

import asyncio
import signal
from contextlib import suppress
from dataclasses import dataclass

from gateway.cli.demo.postgres import Postgres
from tests.crash.boundaries import Before, Boundary, Role
from tests.crash.doomed import PREPARE, Left, nothing
from tests.crash.ledger import Findings, failed
from tests.crash.rig import Rig, RigFailed

AT_ONCE = 3
"""Messages under way while a victim lives."""
MOST = 60
"""Messages of one round before it is given up."""
REACH_SECONDS = 60.0
TRIES, REPEAT_SECONDS = 4, 12.0
"""To have something sent again, and how long that may take."""
SETTLE_SECONDS = 120.0
SETTLE_SERVER_SECONDS = 240.0
"""After a failure of our own a delivery waits for a minute."""
POSTED = "send answered"
CLAIMED = "send start"
"""Where something is claimed for sure: a worker also claims when there turns out to be nothing."""
SERVER = "database server stopped (immediate) and started, under load"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a round."""

    name: str
    engine: str
    role: str
    nth: int
    kills: int
    reached: bool
    findings: Findings
    seconds: float
    note: str = ""
    """What else was measured."""

    @property
    def good(self) -> bool:
        return self.reached and not self.findings.all()


async def play(rig: Rig, boundary: Boundary, role: Role, nth: int) -> Outcome:
    """Kill the role's process at the boundary and let the town recover."""
    try:
        return await _play(rig, boundary, role, nth)
    except (RigFailed, TimeoutError) as error:
        return Outcome(
            name=boundary.name,
            engine=rig.engine.name,
            role=role,
            nth=nth,
            kills=0,
            reached=False,
            findings=failed(f"{type(error).__name__}: {error}"),
            seconds=0.0,
        )


async def _play(rig: Rig, boundary: Boundary, role: Role, nth: int) -> Outcome:
    loop = asyncio.get_running_loop()
    began = loop.time()
    kills, reached, left = await _PLAYS[boundary.before](rig, boundary, role, nth)
    await rig.revive({role} | _ALSO_KILLED.get(boundary.before, set()))
    if boundary.before is Before.EMPTY:
        await _feed(rig, lambda count: count < AT_ONCE)
    findings = await rig.settled(SETTLE_SECONDS, role, left)
    return Outcome(
        name=boundary.name,
        engine=rig.engine.name,
        role=role,
        nth=nth,
        kills=kills + reached,
        reached=reached,
        findings=findings,
        seconds=loop.time() - began,
    )


async def restart_server(rig: Rig, server: Postgres, after: int) -> Outcome:
    """Stop PostgreSQL as in a crash after so many messages, start it, and go on."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await _feed(rig, lambda count: count < after)
    await asyncio.to_thread(server.stop, mode="immediate")
    going_on = asyncio.create_task(_feed(rig, lambda count: count < AT_ONCE))
    await asyncio.to_thread(server.start)
    await going_on
    await rig.revive(set())
    findings = await rig.settled(SETTLE_SERVER_SECONDS)
    return Outcome(
        name=SERVER,
        engine=rig.engine.name,
        role="server",
        nth=after,
        kills=1,
        reached=True,
        findings=findings,
        seconds=loop.time() - began,
    )


# --- ways to come to a boundary -------------------------------------------------------

_Played = tuple[int, bool, Left]
"""Kills on the way, whether the boundary was reached, what the restart has to make good."""


async def _in_traffic(rig: Rig, boundary: Boundary, role: Role, nth: int) -> _Played:
    return 0, await _kill_in_traffic(rig, role, (boundary.name, nth)), nothing


async def _without_data(rig: Rig, boundary: Boundary, role: Role, _nth: int) -> _Played:
    await rig.fresh()
    return 0, await _kill_in_traffic(rig, role, (boundary.name, 1)), nothing


async def _first_start(rig: Rig, boundary: Boundary, role: Role, _nth: int) -> _Played:
    await rig.fresh(but=role)
    await rig.launch(role, die=(boundary.name, 1))
    return 0, await _dies(rig, role), nothing


async def _repeated(rig: Rig, boundary: Boundary, role: Role, nth: int) -> _Played:
    victim, kills = rig.running[role], 0
    for _ in range(TRIES):
        kills += await _kill_in_traffic(rig, Role.P, (POSTED, nth))
        rig.nursery.arm(victim, boundary.name, 1)
        await rig.start(Role.P)
        with suppress(TimeoutError):
            async with asyncio.timeout(REPEAT_SECONDS):
                await asyncio.shield(victim.ended)
        if not victim.alive:
            break  # else the acknowledgement was there before anything was sent again
    return kills, await _dies(rig, role), nothing


async def _by_mail(rig: Rig, boundary: Boundary, role: Role, nth: int) -> _Played:
    """Without the knooppunt, which is back when the victim is dead."""
    await rig.kill(Role.K)
    rig.operator.switches = True
    try:
        reached = await _kill_in_traffic(rig, role, (boundary.name, nth))
    finally:
        rig.operator.switches = False
    return 1, reached, nothing


async def _starting(rig: Rig, boundary: Boundary, role: Role, nth: int) -> _Played:
    if boundary.before is Before.DUE:
        await _feed(rig, lambda count: count < AT_ONCE)
        await rig.settled(SETTLE_SECONDS)
    kills = await _kill_in_traffic(rig, role, (CLAIMED, nth))
    prepare = PREPARE.get(boundary.before)
    left = await asyncio.to_thread(rig.prepare, role, prepare) if prepare else nothing
    await asyncio.to_thread(rig.take_over, role)
    await rig.launch(role, die=(boundary.name, 1))
    reached = await _dies(rig, role)
    await asyncio.to_thread(rig.take_over, role)
    return kills, reached, left


_PLAYS = {
    Before.TRAFFIC: _in_traffic,
    Before.FRESH: _without_data,
    Before.EMPTY: _first_start,
    Before.REPEATED: _repeated,
    Before.MAIL: _by_mail,
    Before.START: _starting,
    Before.ORPHANS: _starting,
    Before.DUE: _starting,
    Before.OLD_KEY: _starting,
}


_ALSO_KILLED = {Before.REPEATED: {Role.P}, Before.MAIL: {Role.K}}


async def _kill_in_traffic(rig: Rig, role: Role, die: tuple[str, int]) -> bool:
    """Hand in until the victim is dead; the hand-ins that are under way go on after it."""
    victim = rig.running[role]
    rig.nursery.arm(victim, *die)
    with suppress(TimeoutError):
        async with asyncio.timeout(REACH_SECONDS):
            await _feed(rig, lambda count: victim.alive and count < MOST, victim.ended)
    return await _dies(rig, role)


async def _feed(rig: Rig, more, ended: asyncio.Future[int] | None = None) -> None:
    """Keep a few messages under way while there should be more."""
    under_way: set[asyncio.Future] = set()
    count = 0
    try:
        while more(count):
            while len(under_way) < AT_ONCE and more(count):
                under_way.add(asyncio.create_task(rig.sender.hand_in()))
                count += 1
            watched = {*under_way, *({ended} if ended else ())}
            done, _ = await asyncio.wait(watched, return_when=asyncio.FIRST_COMPLETED)
            under_way -= done
    finally:
        rig.keep(under_way)


async def _dies(rig: Rig, role: Role) -> bool:
    """Tell whether the boundary was reached; one that was not leaves a process without hook."""
    victim = rig.running[role]
    try:
        async with asyncio.timeout(REACH_SECONDS):
            return await asyncio.shield(victim.ended) == -signal.SIGKILL
    except TimeoutError:
        await rig.kill(role)
        return False
