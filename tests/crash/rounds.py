"""One round: messages under way, one kill, one restart, and then nothing may be missing."""

import asyncio
import signal
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

import sqlalchemy as sa

from gateway.store.tables import payload_chunks, payloads
from tests.crash.boundaries import Before, Boundary, Role
from tests.crash.ledger import OLD, Findings
from tests.crash.rig import Rig

AT_ONCE = 3
"""Hand-ins under way while a victim lives."""
MOST = 60
"""Messages of one round before it is given up."""
REACH_SECONDS = 20.0
SETTLE_SECONDS = 45.0
ORPHANS = 3
POSTED = "send answered"
CLAIMED = "claim: after COMMIT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of a round."""

    boundary: Boundary
    engine: str
    role: Role
    nth: int
    kills: int
    reached: bool
    findings: Findings
    seconds: float


async def play(rig: Rig, boundary: Boundary, role: Role, nth: int) -> Outcome:
    """Kill the role's process at the boundary and let the town recover."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    kills = 0
    match boundary.before:
        case Before.TRAFFIC:
            reached = await under_traffic(rig, role, (boundary.name, nth))
        case Before.FRESH:
            await rig.fresh()
            reached = await under_traffic(rig, role, (boundary.name, 1))
        case Before.REPEATED:
            kills += await under_traffic(rig, Role.P, (POSTED, nth))
            rig.nursery.arm(rig.running[role], boundary.name, 1)
            await rig.start(Role.P)
            reached = await _dies(rig, role)
        case Before.START | Before.ORPHANS:
            kills += await under_traffic(rig, role, (CLAIMED, nth))
            if boundary.before is Before.ORPHANS:
                await asyncio.to_thread(rig.change, role, _plant_orphans)
            await rig.launch(role, die=(boundary.name, 1))
            reached = await _dies(rig, role)
    for each in Role:
        if not rig.running[each].alive:
            await rig.start(each)
    findings = await rig.settled(SETTLE_SECONDS)
    return Outcome(
        boundary=boundary,
        engine=rig.engine.name,
        role=role,
        nth=nth,
        kills=kills + reached,
        reached=reached,
        findings=findings,
        seconds=loop.time() - began,
    )


async def under_traffic(rig: Rig, role: Role, die: tuple[str, int]) -> bool:
    """Hand in until the victim is dead; the hand-ins that are under way go on after it."""
    victim = rig.running[role]
    rig.nursery.arm(victim, *die)
    count = 0
    under_way: set[asyncio.Task[None]] = set()
    with suppress(TimeoutError):
        async with asyncio.timeout(REACH_SECONDS):
            while victim.alive and count < MOST:
                while len(under_way) < AT_ONCE:
                    under_way.add(asyncio.create_task(rig.sender.hand_in()))
                    count += 1
                _, under_way = await asyncio.wait(
                    {*under_way, victim.ended}, return_when=asyncio.FIRST_COMPLETED
                )
                under_way.discard(victim.ended)
    rig.keep(under_way)
    return await _dies(rig, role)


async def _dies(rig: Rig, role: Role) -> bool:
    """Tell whether the boundary was reached; one that was not leaves a process without hook."""
    victim = rig.running[role]
    try:
        async with asyncio.timeout(REACH_SECONDS):
            return await asyncio.shield(victim.ended) == -signal.SIGKILL
    except TimeoutError:
        await rig.kill(role)
        return False


def _plant_orphans(db: sa.Connection) -> None:
    """Payloads as an admission leaves them that never came: written ahead, and old."""
    for _ in range(ORPHANS):
        id_ = str(uuid4())
        row = {
            "id": id_,
            "at": OLD - timedelta(days=1),
            "size": 1,
            "sha256": "0" * 64,
            "referenced": False,
            "epoch_key": "none",
            "wrapped": b"",
            "destroyed_at": None,
        }
        db.execute(sa.insert(payloads).values(row))
        db.execute(sa.insert(payload_chunks).values(payload_id=id_, n=0, octets=b"x"))
