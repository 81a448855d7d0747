"""The databases that a hub is measured on: a SQLite file, and a PostgreSQL of our own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

from bench import cpu
from gateway.cli.demo.postgres import Postgres


class Database(Protocol):
    """One engine."""

    name: str
    goal: float
    """How many times its bare cryptography a hop may cost."""
    served: bool
    """By a process of its own."""

    def fresh(self) -> str:
        """Return the URL of a database that nobody used; empty for the file of the hub."""
        ...

    def seconds(self) -> float:
        """Return the processor time of the server so far; 0 where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Sqlite:
    """The file of the hub itself."""

    name: str = "SQLite"
    goal: float = 2.6
    served: bool = False

    def fresh(self) -> str:
        return ""

    def seconds(self) -> float:
        return 0.0


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL server on loopback, with its settings as they come."""

    postgres: Postgres
    name: str = "PostgreSQL"
    goal: float = 3.0
    served: bool = True
    _numbers: "count[int]" = field(default_factory=count)

    def fresh(self) -> str:
        return self.postgres.create(f"bench{next(self._numbers)}")

    def seconds(self) -> float:
        return cpu.seconds(int((self.postgres.data / "postmaster.pid").read_text().split()[0]))


@contextmanager
def postgresql() -> Iterator[Server]:
    """Start a server; remove it at the end."""
    postgres = Postgres.make()
    try:
        yield Server(postgres)
    finally:
        postgres.remove()
