"""What several processes of one knooppunt must survive together."""

import asyncio
import random
import shutil
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.cli.demo.sites import VEILIG_THUIS
from tests.crash.boundaries import Role
from tests.crash.doomed import due
from tests.crash.ledger import failed
from tests.crash.many import (
    AT_ONCE,
    BOTH,
    PATIENCE_SECONDS,
    SPLIT,
    WORKERS,
    Hub,
    Layout,
    Member,
    ended,
    progress,
    town,
    traffic,
    under_way,
    until,
)
from tests.crash.rig import Rig, RigFailed
from tests.crash.rounds import SETTLE_SECONDS, Outcome

LEASE_SECONDS = 2.0
"""`worker.lease_seconds` of the rig."""
SLACK_SECONDS = 5.0
"""Beyond the lease: the next look of a worker, and a machine that does more."""
DELIVERING = ("send start", "send signed", "send post", "send answered")
"""Where a process has claimed something."""
STOPS = (*DELIVERING, "claim: before COMMIT")
"""Where a process is stopped for longer than its lease."""

Notes = list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One round with several processes."""

    name: str
    layout: Layout
    play: Callable[[Hub, random.Random, Notes], Awaitable[int]]
    """Returns the kills; says in the notes what was measured."""
    short: bool = True
    """Whether it is in the short form."""


async def play_many(rig: Rig, case: Case, dice: random.Random) -> Outcome:
    """Play it on new data; in the end all is done by itself and nothing is missing."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    kills, notes = 0, []
    try:
        async with town(rig, case.layout) as hub:
            kills = await case.play(hub, dice, notes)
            rig.ledger.faults.extend(f"{name} ended by itself" for name in hub.fallen())
            findings = await rig.settled(SETTLE_SECONDS, Role.K)
    except (RigFailed, TimeoutError) as error:
        findings = failed(f"{type(error).__name__}: {error}")
    return Outcome(
        name=case.name,
        engine=rig.engine.name,
        role=Role.K,
        nth=len(case.layout),
        kills=kills,
        reached=True,
        findings=findings,
        seconds=loop.time() - began,
        note="; ".join((f"{len(rig.ledger.accepted)} messages", *notes)),
    )


async def kills(hub: Hub, dice: random.Random, notes: Notes) -> int:
    """Each is killed at work; what it had is done by the others while it stays dead.

    Whoever delivers dies in the middle of that: the others wait for its lease.
    """
    rig, loop = hub.rig, asyncio.get_running_loop()
    waits = []
    async with traffic(rig):
        for member in hub.members:
            await progress(rig, dice.randint(3, 8))
            if "worker" in (member.only or ("worker",)):
                rig.nursery.arm(member.victim, dice.choice(DELIVERING), 1)
                await asyncio.wait_for(asyncio.shield(member.victim.ended), PATIENCE_SECONDS)
            else:
                await hub.kill(member)
            died = loop.time()
            await ended(rig, under_way(rig))
            waits.append(loop.time() - died)
            await hub.start(member)
        await progress(rig, 3)
    longest = max(waits)
    notes.append(f"under way at a kill: done after at most {longest:.1f} s")
    if longest > LEASE_SECONDS + SLACK_SECONDS:
        rig.ledger.faults.append(f"what a dead process had took {longest:.1f} s")
    return len(hub.members)


async def rolling(hub: Hub, _dice: random.Random, notes: Notes) -> int:
    """Each is stopped and started in turn, and nobody waits for a lease."""
    rig = hub.rig
    async with traffic(rig):
        for member in hub.members:
            await progress(rig, 4)
            await hub.restart(member)
        await progress(rig, 4)
    _no_lease_ran_out(hub)
    notes.append(f"{len(hub.members)} restarts")
    return 0


async def upgrade(hub: Hub, dice: random.Random, notes: Notes) -> int:
    """The tables become those of a newer program while messages come in; then each restarts."""
    async with traffic(hub.rig):
        await progress(hub.rig, 4)
        await asyncio.to_thread(hub.sql, *NEWER)
        await progress(hub.rig, 4)
    return await rolling(hub, dice, notes)


NEWER = (
    "ALTER TABLE deliveries ADD COLUMN newer INTEGER DEFAULT 0",
    "ALTER TABLE messages ADD COLUMN newer INTEGER DEFAULT 1 NOT NULL",
    "CREATE TABLE newer (id INTEGER PRIMARY KEY)",
    "CREATE INDEX CONCURRENTLY newer_deliveries ON deliveries (newer)",
    "UPDATE alembic_version SET version_num = '9999'",
    "UPDATE compatibility SET version = 9999",
)


def frozen(boundary: str) -> Callable[[Hub, random.Random, Notes], Awaitable[int]]:
    """A worker stands still at the boundary until its work is done by the other; then it goes on.

    In the end it is the only one, so that it is known to work.
    """

    async def play(hub: Hub, dice: random.Random, notes: Notes) -> int:
        rig, loop = hub.rig, asyncio.get_running_loop()
        member, other = dice.sample([m for m in hub.members if "worker" in m.only], 2)
        async with traffic(rig):
            await progress(rig, dice.randint(2, 5))
            rig.nursery.arm(member.victim, boundary, dice.randint(1, 3), signal.SIGSTOP)
            await until(lambda: member.victim.stopped, f"{member.name} at {boundary}")
            since = loop.time()
            await ended(rig, under_way(rig))
            notes.append(f"its work was done by the other after {loop.time() - since:.1f} s")
            hub.signal(member, signal.SIGCONT)
            await hub.stop(other)
            await progress(rig, 4)
            await hub.start(other)
        return 0

    return play


async def duty(hub: Hub, _dice: random.Random, notes: Notes) -> int:
    """Whoever tidies up is killed, and when the term is over another does it."""
    rig, (first,) = hub.rig, hub.members
    await until(lambda: hub.ask(_HOLDER), "a process with the duty")
    held_by = hub.ask(_HOLDER)
    other = hub.add((), hub.folder)
    await hub.start(other)
    async with traffic(rig):
        await progress(rig, 4)
        await hub.kill(first)
        hub.signal(other, signal.SIGHUP)
        await progress(rig, 4)
        if hub.ask(_HOLDER) != held_by:
            rig.ledger.faults.append("the duty was taken before its term was over")
        hub.sql("UPDATE duties SET until = 0")
        hub.signal(other, signal.SIGHUP)
        await until(lambda: hub.ask(_HOLDER) != held_by, "the duty at the other process")
        await hub.start(first)
        await progress(rig, 4)
    await rig.settled(SETTLE_SECONDS, Role.K)
    left = rig.prepare(Role.K, due)
    hub.signal(other, signal.SIGHUP)
    with rig.connect(Role.K) as db:
        await until(lambda: not left(db), "payloads that are due to be destroyed")
    notes.append("housekeeping went over")
    return 1


_HOLDER = "SELECT holder FROM duties WHERE name = 'housekeeping'"


async def suspended(hub: Hub, dice: random.Random, notes: Notes) -> int:
    """One process reads that the receiver is suspended; the other hears it and holds back too."""
    rig = hub.rig
    one, other = dice.sample(hub.members, 2)
    async with traffic(rig):
        await progress(rig, 4)
        await _reload(hub, one, lambda text: text.replace(_VT, f"{_VT}opgeschort = true\n"))
        await until(lambda: _all_held_back(hub), "a standing queue")
        came = hub.ask(_CAME, Role.V)
        rig.keep({asyncio.create_task(rig.sender.hand_in()) for _ in range(MORE)})
        await until(lambda: _all_held_back(hub, AT_ONCE + MORE), "more in the queue")
        if hub.ask(_CAME, Role.V) != came:
            rig.ledger.faults.append("something was sent to a suspended partner")
        await _reload(hub, other, lambda text: text.replace("opgeschort = true\n", ""))
        await progress(rig, 8)
    notes.append("told by NOTIFY, twice")
    return 0


_VT = f'oin = "{VEILIG_THUIS.oin}"\n'
_CAME = "SELECT count(*) FROM messages WHERE direction = 'inbound'"
_HELD_BACK = (
    "SELECT m.referentienummer FROM deliveries d JOIN messages m ON m.id = d.message "
    "WHERE d.kind = 'bericht' AND d.state = 'ready' AND d.channel = 'ebms2' "
    f"AND d.recipient = '{VEILIG_THUIS.oin}'"
)
MORE = 4
"""Messages that are handed in while everything stands."""


def _all_held_back(hub: Hub, count: int = AT_ONCE) -> bool:
    """Tell whether all that is under way waits at the knooppunt."""
    waits = {row.referentienummer for row in hub.ask(_HELD_BACK)}
    numbers = under_way(hub.rig)
    return len(numbers) == count and numbers <= waits


async def _reload(hub: Hub, member: Member, change: Callable[[str], str]) -> None:
    """Change gateway.toml, tell one process, and wait until all work by it."""
    file = hub.folder / "gateway.toml"
    before = file.read_text(encoding="utf-8")
    after = change(before)
    if after == before:
        raise RigFailed("gateway.toml has nothing to change")
    epoch = hub.ask(_EPOCH)
    file.write_text(after, encoding="utf-8")
    hub.signal(member, signal.SIGHUP)
    await until(lambda: hub.ask(_EPOCH) != epoch, "another epoch")
    for each in hub.members:
        await hub.becomes(each, ready=True)


_EPOCH = "SELECT epoch FROM security"


async def differing(hub: Hub, _dice: random.Random, notes: Notes) -> int:
    """A process on another machine has other files: it says so, and stands aside until it has."""
    rig, (first,) = hub.rig, hub.members
    elsewhere = hub.copy_folder()
    other = hub.add(("worker",), elsewhere)
    await hub.start(other)
    async with traffic(rig):
        await progress(rig, 4)
        file = hub.folder / "gateway.toml"
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace('naam = "Halt"', 'naam = "Bureau Halt"'), encoding="utf-8")
        hub.signal(first, signal.SIGHUP)
        await hub.becomes(other, ready=False)
        await until(lambda: "directory.differs" in other.log.read_text(), "directory.differs")
        await progress(rig, 8)
        if await rig.is_ready(other.beheer) or not await rig.is_ready(first.beheer):
            rig.ledger.faults.append("the process with the old files should be the one not ready")
        shutil.copy(file, elsewhere / "gateway.toml")
        hub.signal(other, signal.SIGHUP)
        await hub.becomes(other, ready=True)
        await progress(rig, 4)
    notes.append("stood aside until its files were the same")
    return 0


def _no_lease_ran_out(hub: Hub) -> None:
    lost = hub.ask("SELECT delivery FROM audit WHERE code = 'worker.lost'")
    if lost:
        hub.rig.ledger.faults.append(f"{len(lost)} attempts waited for a lease")


CASES = (
    Case(name="many: kill -9, both do everything", layout=BOTH, play=kills),
    Case(name="many: kill -9, a role each", layout=SPLIT, play=kills, short=False),
    Case(name="many: rolling restart", layout=SPLIT, play=rolling, short=False),
    Case(name="many: rolling upgrade", layout=BOTH, play=upgrade),
    Case(name="many: housekeeping goes over after kill -9", layout=((),), play=duty, short=False),
    Case(name="many: a partner is suspended for all", layout=BOTH, play=suspended, short=False),
    Case(name="many: a process with other files", layout=((),), play=differing, short=False),
    *(
        Case(
            name=f"many: stopped and continued, {boundary}",
            layout=WORKERS,
            play=frozen(boundary),
            short=boundary == "send post",
        )
        for boundary in STOPS
    ),
)
