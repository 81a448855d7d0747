"""The changes of accounts, sessions and what belongs to them, each one statement or a few.

They say how a row changes and where it must stand for it; when, the pipeline decides.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from gateway.store.tables import (
    accounts,
    console_drafts,
    console_failures,
    console_sessions,
    console_steps,
    passkeys,
    recovery_codes,
)
from gateway.store.transaction import Change


def change_account(id_: str, *where: sa.ColumnElement[bool], **values: Any) -> Change:
    """Return a change of one account, where it is as it must be."""
    return sa.update(accounts).where(accounts.c.id == id_, *where).values(**values)


def link_account(id_: str, issuer: str, subject: str) -> tuple[Change, ...]:
    """Return the changes after which an account is of a person of the provider, by no other way."""
    only = change_account(
        id_,
        issuer=issuer,
        subject=subject,
        password="",
        totp=None,
        activation=None,
        activation_until=None,
        active=True,
    )
    return (only, end_sessions(id_), remove_passkeys(id_), *new_codes(id_, ()))


def use_totp(id_: str, step: int) -> Change:
    """Return the change by which a code counts once."""
    return change_account(id_, accounts.c.totp_step < step, totp_step=step)


def use_recovery(account: str, code: str, at: datetime) -> Change:
    """Return the change that uses up a recovery code."""
    r = recovery_codes.c
    return (
        sa.update(recovery_codes)
        .where(r.code == code, r.account == account, r.used_at.is_(None))
        .values(used_at=at)
    )


def use_activation(account: str, digest: str, **values: Any) -> Change:
    """Return the change that uses up an activation code."""
    return change_account(
        account,
        accounts.c.activation == digest,
        activation=None,
        activation_until=None,
        active=True,
        **values,
    )


def new_codes(account: str, codes: Sequence[str]) -> tuple[Change, ...]:
    """Return the changes that put new recovery codes in the place of the old ones."""
    gone = sa.delete(recovery_codes).where(recovery_codes.c.account == account)
    if not codes:
        return (gone,)
    rows = [{"code": code, "account": account, "used_at": None} for code in codes]
    return (gone, sa.insert(recovery_codes).values(rows))


def new_session(row: Mapping[str, Any]) -> Change:
    """Return the change that begins a session."""
    return sa.insert(console_sessions).values(dict(row))


def change_session(id_: str, **values: Any) -> Change:
    """Return a change of a session."""
    return sa.update(console_sessions).where(console_sessions.c.id == id_).values(**values)


def end_session(id_: str) -> Change:
    """Return the change that ends one."""
    return sa.delete(console_sessions).where(console_sessions.c.id == id_)


def end_sessions(account: str, *, but: str = "") -> Change:
    """Return the change that ends all of an account, but one."""
    s = console_sessions.c
    return sa.delete(console_sessions).where(s.account == account, s.id != but)


def end_old(now: datetime) -> tuple[Change, ...]:
    """Return the changes that take away what is over."""
    s = console_sessions.c
    return (
        sa.delete(console_sessions).where(sa.or_(s.ends_at <= now, s.idle_until <= now)),
        sa.delete(console_steps).where(console_steps.c.until <= now),
    )


def new_step(row: Mapping[str, Any]) -> tuple[Change, ...]:
    """Return the changes that put a step in place of the one with its id."""
    gone = sa.delete(console_steps).where(console_steps.c.id == row["id"])
    return (gone, sa.insert(console_steps).values(dict(row)))


def end_step(id_: str) -> Change:
    """Return the change that uses a step up."""
    return sa.delete(console_steps).where(console_steps.c.id == id_)


def try_step(id_: str, most: int) -> Change:
    """Return the change that counts a try, as long as there are any left."""
    s = console_steps.c
    return sa.update(console_steps).where(s.id == id_, s.tries < most).values(tries=s.tries + 1)


def forget_failures(keys: Sequence[str]) -> Change:
    """Return the change after which earlier failures do not count."""
    return sa.delete(console_failures).where(console_failures.c.id.in_(keys))


def forget_all_failures(prefix: str) -> Change:
    """Return the change that does so for all keys that begin with this."""
    f = console_failures.c
    return sa.delete(console_failures).where(f.id.startswith(prefix, autoescape=True))


def new_passkey(row: Mapping[str, Any]) -> Change:
    """Return the change that adds one."""
    return sa.insert(passkeys).values(dict(row))


def use_passkey(id_: str, *, counter: int, at: datetime) -> Change:
    """Return the change by which a counter only goes up; one that stays at 0 has none."""
    k = passkeys.c
    ahead = sa.or_(k.counter < counter, sa.and_(k.counter == 0, sa.literal(counter) == 0))
    return sa.update(passkeys).where(k.id == id_, ahead).values(counter=counter, used_at=at)


def remove_passkeys(account: str, id_: str | None = None) -> Change:
    """Return the change that takes one, or all, of an account away."""
    statement = sa.delete(passkeys).where(passkeys.c.account == account)
    return statement if id_ is None else statement.where(passkeys.c.id == id_)


def keep_draft(row: Mapping[str, Any], *, before: datetime) -> tuple[Change, ...]:
    """Return the changes that keep a draft; those that are too old go."""
    d = console_drafts.c
    gone = sa.delete(console_drafts).where(sa.or_(d.id == row["id"], d.at < before))
    return (gone, sa.insert(console_drafts).values(dict(row)))


def drop_draft(id_: str) -> Change:
    """Return the change that drops one."""
    return sa.delete(console_drafts).where(console_drafts.c.id == id_)
