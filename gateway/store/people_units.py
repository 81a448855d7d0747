"""What changes accounts and what belongs to them: the units of `SqlPeople`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from gateway.credentials import UserRole
from gateway.errors import PolicyViolation
from gateway.ports import AuditEvent
from gateway.store.tables import accounts, console_failures
from gateway.store.transaction import Change, Tx

FORGET = timedelta(hours=1)
"""After this long without a failure the earlier ones do not count."""


def has_role(role: UserRole) -> sa.ColumnElement[bool]:
    """Return the condition that an account has this role."""
    listed = sa.literal(",").concat(accounts.c.roles).concat(",")
    return listed.contains(f",{role},")


_KEEPERS = (
    sa.select(sa.func.count())
    .select_from(accounts)
    .where(
        accounts.c.active == sa.true(),
        accounts.c.closed_at.is_(None),
        has_role(UserRole.BEHEERDER),
    )
)
"""How many administrators can sign in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Apply:
    """Unit: changes with their audit rows. With `once` the first change must change one row."""

    changes: tuple[Change, ...]
    events: tuple[AuditEvent, ...] = ()
    once: bool = False

    def run(self, tx: Tx) -> bool:
        """Return whether it was done; False = the row was not as it had to be."""
        for n, change in enumerate(self.changes):
            changed = tx.write(change)
            if self.once and n == 0 and changed != 1:
                return False
        tx.record(*self.events)
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Add:
    """Unit: a new account."""

    row: Mapping[str, Any]
    event: AuditEvent

    def run(self, tx: Tx) -> None:
        """Raise PolicyViolation `console.gebruiker.bestaat`."""
        taken = sa.select(accounts.c.id).where(accounts.c.login == self.row["login"])
        if tx.read(taken).first() is not None:
            raise PolicyViolation(
                "console.gebruiker.bestaat", "Er is al een account met deze gebruikersnaam."
            )
        _lock_keepers(tx)
        _check_officer(tx, str(self.row["officer"]), str(self.row["id"]))
        tx.write(sa.insert(accounts).values(dict(self.row)))
        tx.record(self.event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """Unit: changes to what an account may, which two at once may not do beside each other."""

    id: str
    officer: str
    changes: tuple[Change, ...]
    event: AuditEvent
    keep_last: bool = True
    """False: the provider takes the role away, and a role that it took is nobody's."""

    def run(self, tx: Tx) -> None:
        """Raise PolicyViolation `console.gebruiker.laatste`, `console.gebruiker.officier`."""
        _lock_keepers(tx)
        before = tx.read(_KEEPERS).scalar_one()
        _check_officer(tx, self.officer, self.id)
        for change in self.changes:
            tx.write(change)
        if self.keep_last and before and not tx.read(_KEEPERS).scalar_one():
            raise PolicyViolation(
                "console.gebruiker.laatste", "Er moet een beheerder overblijven die kan aanmelden."
            )
        tx.record(self.event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Unit: a person of the provider is this account, and no other one."""

    id: str
    who: tuple[str, str]
    changes: tuple[Change, ...]
    event: AuditEvent

    def run(self, tx: Tx) -> None:
        """Raise PolicyViolation `console.gebruiker.identiteit`; a closed account lets him go."""
        _lock_keepers(tx)
        issuer, subject = self.who
        theirs = sa.and_(
            accounts.c.issuer == issuer, accounts.c.subject == subject, accounts.c.id != self.id
        )
        gone = sa.and_(theirs, accounts.c.closed_at.is_not(None))
        tx.write(sa.update(accounts).where(gone).values(issuer=None, subject=None))
        if tx.read(sa.select(accounts.c.id).where(theirs)).first() is not None:
            raise PolicyViolation(
                "console.gebruiker.identiteit", "Deze persoon hoort al bij een ander account."
            )
        for change in self.changes:
            tx.write(change)
        tx.record(self.event)


def _lock_keepers(tx: Tx) -> None:
    """Let who changes rights at the same moment wait: there are few accounts."""
    tx.read(sa.select(accounts.c.id).order_by(accounts.c.id).with_for_update())


def _check_officer(tx: Tx, officer: str, id_: str) -> None:
    """One officer is one account: otherwise somebody could be his own second officer."""
    taken = sa.select(accounts.c.id).where(
        accounts.c.officer == officer, accounts.c.closed_at.is_(None), accounts.c.id != id_
    )
    if officer and tx.read(taken).first() is not None:
        raise PolicyViolation(
            "console.gebruiker.officier", "Deze officier heeft al een ander account."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """Unit: count a failure, and lock from a bound on."""

    keys: tuple[tuple[str, int], ...]
    """Key, and how many failures lock it."""
    now: datetime
    event: AuditEvent

    def run(self, tx: Tx) -> None:
        """Each lock is twice as long as the one before, up to a bound."""
        tx.write(sa.delete(console_failures).where(console_failures.c.at < self.now - 24 * FORGET))
        for key, bound in self.keys:
            self._count(tx, key, bound)
        tx.record(self.event)

    def _count(self, tx: Tx, key: str, bound: int) -> None:
        f = console_failures.c
        fresh = {"id": key, "failures": 0, "at": self.now, "until": None}
        tx.write(_ONCE[tx.connection.dialect.name], fresh)
        row = tx.read(sa.select(f.failures, f.at).where(f.id == key).with_for_update()).one()
        failures = 1 if row.at < self.now - FORGET else row.failures + 1
        until = self.now + lock_for(failures, bound) if failures >= bound else None
        tx.write(
            sa.update(console_failures)
            .where(f.id == key)
            .values(failures=failures, at=self.now, until=until)
        )


_ONCE: Mapping[str, sa.Insert] = {
    "sqlite": sqlite.insert(console_failures).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(console_failures).on_conflict_do_nothing(),
}
"""Of two that fail at the same moment the second finds the row of the first."""
LONGEST_LOCK = timedelta(minutes=15)


def lock_for(failures: int, bound: int) -> timedelta:
    """Return one minute at the bound, twice as long at each multiple of it, 15 at most."""
    doubled = min(failures // bound - 1, 4)
    minutes: int = 2**doubled
    return min(timedelta(minutes=minutes), LONGEST_LOCK)
