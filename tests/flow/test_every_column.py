"""Whoever may write in the database changes any column of any row: nothing criminal leaves."""

import os
import random
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from gateway.config import GateMode
from gateway.directory import Backend
from gateway.message import Oin
from gateway.ports import DeliveryKind, RequestsWanted
from gateway.rules.approval import Ground
from gateway.rules.officers import Wish
from gateway.store import tables
from gateway.wire.toets import Uitkomst, Voorwaarde
from tests.flow import town as towns
from tests.flow.test_gate import hand_in, melding
from tests.flow.test_toets import with_gate, without_rules
from tests.flow.town import APPLICATIE, HUB, OM, POLITIE, VT, PeerUnreachable

MARKER = "ja, ter plaatse"
"""Stands in the melding that is held. Nothing is encrypted here, so that it is seen on the wire."""
PROFILE = "osb-rm-s"
EDITED = ("messages", "deliveries", "holds", "rulings")
KEPT = ("messages", "deliveries", "holds", "rulings", "lanes", "passes", "revocations")
GROUNDS = (*Ground, "", "iets")
PAIRS = 400
ALL = bool(os.environ.get("ALL_HISTORIES"))
"""`make histories` tries every value in every column; otherwise each column has one."""


@dataclass(frozen=True)
class Edit:
    """A value for a column, in the rows of one message."""

    table: str
    column: str
    value: object
    of_octets: bool = False
    """The column says which stored octets it is about, and names some."""

    def apply(self, file, message):
        where = {
            "messages": "id = :m",
            "deliveries": "message = :m",
            "holds": "message = :m",
            "rulings": "hold IN (SELECT id FROM holds WHERE message = :m)",
        }[self.table]
        file.execute(
            f"UPDATE OR IGNORE {self.table} SET {self.column} = :v WHERE {where}",
            {"v": self.value, "m": message},
        )


class Database:
    """The file of one installation, edited behind its back, and put back as it was."""

    def __init__(self, path: Path):
        self._path = path
        with self.open() as file:
            self._rows = {t: file.execute(f"SELECT * FROM {t}").fetchall() for t in KEPT}

    def open(self):
        return closing(sqlite3.connect(self._path, isolation_level=None))

    def restore(self):
        with self.open() as file:
            file.execute("BEGIN IMMEDIATE")
            for table, rows in self._rows.items():
                file.execute(f"DELETE FROM {table}")
                if rows:
                    marks = ", ".join("?" * len(rows[0]))
                    file.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
            file.execute("COMMIT")

    def edits(self) -> Iterator[Edit]:
        """Every column, with every value that stands in it, and some that do not."""
        with self.open() as file:
            payloads = [row[0] for row in file.execute("SELECT id FROM payloads")]
            for table in EDITED:
                for column in tables.metadata.tables[table].columns:
                    if column.name == "seq":
                        continue
                    found = file.execute(f"SELECT DISTINCT {column.name} FROM {table}")
                    values = [row[0] for row in found]
                    for value in (*values, None, "", 0, 1):
                        yield Edit(table, column.name, value)
                    if any(key.column.table is tables.payloads for key in column.foreign_keys):
                        yield from (Edit(table, column.name, p, of_octets=True) for p in payloads)


@dataclass(frozen=True)
class Target:
    """A message whose rows are edited, and the decision on it that does not count."""

    message: str
    ruling: str = ""


@dataclass
class Scene:
    """An installation with a gate, and how what leaves it is seen."""

    town: towns.Town
    at: Oin
    database: Database
    targets: tuple[Target, ...]
    approvals: tuple[str, ...]
    """What a row can name: nothing, a standing approval, each decision that is on file."""
    look: Callable[["Scene", Target], Awaitable[list[str]]]

    def begin(self, dice: random.Random, target: Target) -> tuple[Edit, ...]:
        """What every attempt begins with: the rows say that it may go."""
        ground, approval = dice.choice(GROUNDS), dice.choice(self.approvals)
        if target.ruling and dice.random() < 0.5:
            ground, approval = str(Ground.INDIVIDUAL), target.ruling
        post = self.look is sent
        facts = {
            "state": "ready" if post else dice.choice(("ready", "sent")),
            "next_at": 0,
            "ground": ground,
            "approval_id": approval,
            "kind": dice.choice([*DeliveryKind]) if post else DeliveryKind.MESSAGE,
        }
        revived = {"ended_at": None, "ended_why": ""}
        return (
            *(Edit("deliveries", name, to) for name, to in facts.items()),
            *(Edit("rulings", name, to) for name, to in revived.items()),
        )

    async def after(self, edits: Iterable[Edit], target: Target) -> list[str]:
        """Make the edits in the rows of a message, see what leaves, and put all back."""
        try:
            with self.database.open() as file:
                for edit in edits:
                    edit.apply(file, target.message)
            return await self.look(self, target)
        finally:
            self.database.restore()


async def sent(scene: Scene, _target: Target) -> list[str]:
    """What goes over the wire when the worker works."""
    seen: list[str] = []

    async def listen(me, endpoint, message):
        if me == scene.at:
            seen.append(message.body.decode("utf-8", "replace"))
            raise PeerUnreachable("peer.unreachable", "down")

    scene.town.breaks.append(listen)
    try:
        with suppress(Exception):  # a row that can not be read stops; it does not leave
            await scene.town[scene.at].worker.step()
    finally:
        scene.town.breaks.remove(listen)
    return seen


LEASE = timedelta(minutes=5)
CARE = Backend(name="systeem-vt", party=VT, applicaties=(APPLICATIE[VT],))


async def shown(scene: Scene, target: Target) -> list[str]:
    """What the receiver reads who has its postvak here: what it finds, and what it asks for."""
    here, found = scene.town[scene.at], []
    with suppress(Exception):
        found += await here.gateway.collect(CARE, CARE.applicaties, limit=50, lease=LEASE)
    with suppress(Exception):
        (delivery,) = (await here.store.reader.message(target.message)).deliveries
        found.append(await here.gateway.reach(delivery.id, CARE, lease=LEASE))
    octets = [await here.store.payloads.get(one.payload_id) for one in found if one.payload_id]
    return [one.decode() for one in octets]


RELEASE = Wish(outcome=Uitkomst.VRIJGEVEN, ground="Aanwijzing 15.5.1; geen belang.")
FIRST = replace(
    RELEASE,
    outcome=Uitkomst.ONDER_VOORWAARDEN,
    conditions=(Voorwaarde(code="V1", tekst="Alleen voor triage.", aanvaarding=True),),
)
"""Nothing leaves before the receiver has accepted it, and nobody does here."""


async def decided(town, desk, number, wish) -> str:
    """Let an officer decide on the message with this number; return the id of the decision."""
    await town.keep_house()
    found = await town[desk].gateway.deciding.requests(RequestsWanted())
    (request,) = [one for one in found if one.referentienummer == f"ref-{number}"]
    verdict = await town[desk].gateway.deciding.decide(request.id, officer="bos", wish=wish)
    await town.settle()
    return verdict.id


async def handed_in(town, number, **filled) -> None:
    octets = melding(**filled).replace(b"ref-1", f"ref-{number}".encode())
    await hand_in(town, octets.replace(b"2026000001", f"202600000{number}".encode()))
    await town.settle()


def _down(oin):
    async def breaks(me, endpoint, message):
        if me == oin:
            raise PeerUnreachable("peer.unreachable", "down")

    return breaks


FORGED = "nagemaakt"


def forge(database: Path, ruling: str, message: str) -> None:
    """Write a decision on a message that is held: all of another one, but what it is about."""
    about = {"id": f"'{FORGED}'", "hold": "h.id", "delivery": "h.delivery"}
    about["payload_sha256"] = "h.payload_sha256"
    columns = ", ".join(about.get(c.name, f"r.{c.name}") for c in tables.rulings.columns)
    with closing(sqlite3.connect(database)) as file, file:
        copied = f"INSERT INTO rulings SELECT {columns} FROM rulings r, holds h "
        where = "WHERE r.id = ? AND h.message = ?"
        assert file.execute(copied + where, (ruling, message)).rowcount == 1


@pytest.fixture(params=["police", "knooppunt", "postvak"])
async def scene(request, tmp_path):
    """An ordinary melding, one that is held, and three that were decided on.

    Of those one was withdrawn, one waits for its receiver, and one is free: its decision is copied
    to the one that is held.
    """
    town = await towns.build(tmp_path, parties=(POLITIE, HUB, VT, OM), profile=PROFILE)
    at, desk = (HUB, HUB) if request.param == "knooppunt" else (POLITIE, OM)
    if at == HUB:
        await with_gate(town, GateMode.HERE)
        await without_rules(town)
    if request.param == "postvak":
        police = town[POLITIE]
        parties = dict(police.snapshots.current().parties)
        parties[VT] = replace(parties[VT], local=True)
        await police.change(backends=(police.backend, CARE), parties=parties)
    criminal = {"aanhouding": MARKER}
    for number, filled in enumerate(({}, criminal, criminal, criminal, {"aanhouding": "elders"})):
        await handed_in(town, number, **filled)
    down = _down(at)
    town.breaks.append(down)
    withdrawn = await decided(town, desk, 2, RELEASE)
    await town[desk].gateway.deciding.withdraw(withdrawn, officer="bos", why="nieuw feit")
    town.breaks.remove(down)
    town.clock.forward(minutes=2)
    await town.settle()
    waits, free = await decided(town, desk, 3, FIRST), await decided(town, desk, 4, RELEASE)
    ids = [(await town[at].message(f"ref-{n}")).message.id for n in range(4)]
    forge(tmp_path / at / "gateway.db", free, ids[1])
    yield Scene(
        town=town,
        at=at,
        database=Database(tmp_path / at / "gateway.db"),
        targets=tuple(map(Target, ids, ("", FORGED, withdrawn, waits))),
        approvals=("", towns.STANDING.id, FORGED, withdrawn, waits, free),
        look=shown if request.param == "postvak" else sent,
    )
    await town.close()


async def test_whatever_column_is_edited_nothing_criminal_leaves(scene):
    dice = random.Random(20261127)
    edits = list(scene.database.edits())
    singles = [((edit,), target) for edit in edits for target in scene.targets]
    pairs = [(tuple(dice.sample(edits, 2)), dice.choice(scene.targets)) for _ in range(PAIRS)]
    assert {edit.table for edit in edits if edit.value not in {None, "", 0, 1}} == {*EDITED}
    if not ALL:
        dice.shuffle(singles)
        columns = {(edit.table, edit.column): one for one in singles for edit in one[0]}
        octets = [one for one in singles for edit in one[0] if edit.of_octets]
        singles, pairs = [*columns.values(), *dice.sample(octets, 30)], pairs[:100]

    bodies = 0
    for chosen, target in (*singles, *pairs):
        left = await scene.after((*scene.begin(dice, target), *chosen), target)
        assert [body for body in left if MARKER in body] == [], (chosen, target)
        bodies += len(left)

    assert bodies > len(singles) / 20  # the ordinary one does go
