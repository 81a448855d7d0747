"""Whoever may write in the database changes any column of any row: nothing criminal leaves."""

import os
import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gateway.config import GateMode
from gateway.message import Oin
from gateway.ports import DeliveryKind
from gateway.rules.approval import Ground
from gateway.store import tables
from tests.flow import town as towns
from tests.flow.test_gate import hand_in, melding
from tests.flow.test_toets import with_gate
from tests.flow.town import HUB, OM, POLITIE, VT, PeerUnreachable

MARKER = "ja, ter plaatse"
"""Stands in the melding that is held. Nothing is encrypted here, so that it is seen on the wire."""
PROFILE = "osb-rm"
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


def ready(ground: str, approval: str, kind: str) -> tuple[Edit, ...]:
    """What every attempt begins with: the queue is told that it may go."""
    facts = {"state": "ready", "next_at": 0, "ground": ground, "approval_id": approval}
    return tuple(Edit("deliveries", name, to) for name, to in {**facts, "kind": kind}.items())


@pytest.fixture(params=[POLITIE, HUB], ids=["police", "knooppunt"])
async def scene(request, tmp_path):
    """An ordinary melding that went, one that is held, one whose decision was withdrawn."""
    at = Oin(request.param)
    town = await towns.build(tmp_path, parties=(POLITIE, HUB, VT, OM), profile=PROFILE)
    if at == HUB:
        await with_gate(town, GateMode.HERE)
        gate = town[POLITIE].snapshots.current().gate
        await town[POLITIE].change(gate=replace(gate, table=replace(gate.table, rules=())))
    for number, aanhouding in enumerate((None, MARKER, MARKER)):
        octets = melding(aanhouding=aanhouding).replace(b"ref-1", f"ref-{number}".encode())
        await hand_in(town, octets.replace(b"2026000001", f"202600000{number}".encode()))
        await town.settle()
    yield town, at, Database(tmp_path / at / "gateway.db")
    await town.close()


async def sent(town, at, database, edits, message) -> list[str]:
    """Make the edits in the rows of a message, let the worker work, and put all back."""
    seen: list[str] = []

    async def listen(me, endpoint, message):
        if me == at:
            seen.append(message.body.decode("utf-8", "replace"))
            raise PeerUnreachable("peer.unreachable", "down")

    town.breaks.append(listen)
    try:
        with database.open() as file:
            for edit in edits:
                edit.apply(file, message)
        with suppress(Exception):  # a row that can not be read stops; it does not leave
            await town[at].worker.step()
    finally:
        town.breaks.remove(listen)
        database.restore()
    return seen


async def test_whatever_column_is_edited_nothing_criminal_leaves(scene):
    town, at, database = scene
    dice = random.Random(20261127)
    edits = list(database.edits())
    messages = [(await town[at].message(f"ref-{n}")).message.id for n in (0, 1)]
    singles = [((edit,), message) for edit in edits for message in messages]
    pairs = [(tuple(dice.sample(edits, 2)), dice.choice(messages)) for _ in range(PAIRS)]
    assert len(singles) > 600
    if not ALL:
        dice.shuffle(singles)
        columns = {(edit.table, edit.column): one for one in singles for edit in one[0]}
        octets = [one for one in singles for edit in one[0] if edit.of_octets]
        singles, pairs = [*columns.values(), *octets], pairs[:50]

    bodies = 0
    for chosen, message in (*singles, *pairs):
        approval = dice.choice(("", towns.STANDING.id))
        first = ready(dice.choice(GROUNDS), approval, dice.choice([*DeliveryKind]))
        left = await sent(town, at, database, (*first, *chosen), message)
        assert [body for body in left if MARKER in body] == [], chosen
        bodies += len(left)

    assert bodies > len(singles) / 10  # the ordinary one does go
