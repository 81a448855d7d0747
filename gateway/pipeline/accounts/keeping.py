"""Keeping accounts, by a beheerder or oneself: the port `Accounts`; and drafts."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from gateway.credentials import UserRole
from gateway.errors import NoRoute, PolicyViolation, Untrusted
from gateway.pipeline.accounts.door import code_text, plain
from gateway.pipeline.accounts.passkeys import Passkeys
from gateway.pipeline.accounts.passwords import Passwords
from gateway.pipeline.accounts.people import (
    Ground,
    Newcomer,
    account_of,
    party_fact,
    preferences_text,
)
from gateway.pipeline.accounts.renewing import Renewing
from gateway.ports import AuditEvent
from gateway.ports.accounts import (
    EVERYBODY,
    Account,
    AccountsWanted,
    Enrolment,
    PasskeyView,
    Preferences,
    Session,
    SessionView,
)
from gateway.security.oidc import is_subject
from gateway.store import people_changes as rows
from gateway.store.people import Person

ACTIVATION = timedelta(hours=24)
DRAFT = timedelta(days=1)
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")
ALONE = frozenset({UserRole.OFFICIER, UserRole.COMPLIANCE, UserRole.ONTVANGER})
"""Roles with which no other goes."""
WHY = 200


class Keeping:
    """The accounts."""

    def __init__(self, ground: Ground, passwords: Passwords, passkeys: Passkeys) -> None:
        """Take what it works with."""
        self._ground = ground
        self._passwords = passwords
        self._passkeys = passkeys
        self._renewing = Renewing(ground)

    async def all(
        self, wanted: AccountsWanted = EVERYBODY, *, after: str = "", limit: int = 50
    ) -> tuple[Account, ...]:
        """Return accounts by login."""
        found = await self._ground.people.page(wanted, after=after, limit=limit)
        return await self._accounts(found)

    async def find(self, id_: str) -> Account | None:
        """Return one."""
        person = await self._ground.people.by_id(id_)
        return (await self._accounts([person]))[0] if person else None

    async def find_login(self, login: str) -> Account | None:
        """Return the one with this login that was not closed."""
        person = await self._ground.people.by_login(login)
        return account_of(person) if person else None

    async def add(
        self,
        *,
        login: str,
        name: str,
        roles: frozenset[UserRole],
        officer: str,
        by: str,
        party: str = "",
    ) -> tuple[Account, str]:
        """Return the account and its activation code."""
        login = login.strip().lower()
        check_account(login, name, roles, officer, party)
        ground = self._ground
        code = code_text(ground.dice, 5)
        id_ = await ground.add_account(
            Newcomer(
                login=login,
                name=name.strip(),
                roles=roles_text(roles),
                officer=officer,
                party=party,
                activation=ground.digest("activatie", plain(code)),
                activation_until=ground.clock.now() + ACTIVATION,
            ),
            by=by,
        )
        return account_of(await self._person(id_)), code

    async def change(
        self,
        id_: str,
        *,
        name: str,
        roles: frozenset[UserRole],
        officer: str,
        by: str,
        party: str = "",
    ) -> Account:
        """Change name and rights; what was open ends."""
        person = await self._other(id_, by)
        check_account(person.login, name, roles, officer, party)
        if person.subject and (roles, officer) != (person.roles, person.officer):
            raise PolicyViolation(
                "console.gebruiker.gekoppeld",
                "De rollen van dit account volgen uit de inlogvoorziening.",
            )
        event = self._ground.event(
            "user_changed",
            actor=by,
            account=person.login,
            roles=roles_text(roles),
            was=roles_text(person.roles),
            officer=officer,
            **party_fact(party),
        )
        await self._ground.people.change_rights(
            id_,
            rows.change_account(
                id_, name=name.strip(), roles=roles_text(roles), officer=officer, party=party
            ),
            rows.end_sessions(id_),
            officer=officer,
            event=event,
        )
        return account_of(await self._person(id_))

    async def close(self, id_: str, *, by: str, why: str) -> None:
        """Close it: nobody signs in with it any more, and its login stays taken."""
        person = await self._other(id_, by)
        ground = self._ground
        await ground.people.change_rights(
            id_,
            rows.change_account(
                id_,
                active=False,
                closed_at=ground.clock.now(),
                password="",
                totp=None,
                activation=None,
                activation_until=None,
            ),
            rows.end_sessions(id_),
            rows.remove_passkeys(id_),
            *rows.new_codes(id_, ()),
            officer="",
            event=ground.event("user_closed", actor=by, account=person.login, reason=_why(why)),
        )

    async def recover(self, id_: str, *, by: str, why: str) -> str:
        """Take everything away that signs in; return a new activation code."""
        person = await self._other(id_, by)
        ground = self._ground
        code = code_text(ground.dice, 5)
        await ground.people.apply(
            rows.change_account(
                id_,
                active=False,
                password="",
                totp=None,
                activation=ground.digest("activatie", plain(code)),
                activation_until=ground.clock.now() + ACTIVATION,
                issuer=None,
                subject=None,
            ),
            rows.end_sessions(id_),
            rows.remove_passkeys(id_),
            *rows.new_codes(id_, ()),
            events=[
                ground.event("user_recovered", actor=by, account=person.login, reason=_why(why))
            ],
        )
        return code

    async def link(self, id_: str, *, subject: str, by: str) -> None:
        """Let this person of the provider in, and no other way any more."""
        person = await self._other(id_, by)
        if UserRole.ONTVANGER in person.roles:
            raise PolicyViolation(
                "console.gebruiker.ontvanger",
                "Een ontvanger meldt zich aan op het portaal, met een account van hier.",
            )
        ground, issuer, subject = self._ground, self._ground.rules.provider, subject.strip()
        if not issuer or not is_subject(subject):
            raise PolicyViolation(
                "console.gebruiker.subject",
                "Geef de vaste sleutel (sub) van deze persoon bij de inlogvoorziening.",
            )
        await ground.people.link(
            id_,
            *rows.link_account(id_, issuer, subject),
            who=(issuer, subject),
            event=linked(ground, person.login, (issuer, subject), by=by),
        )

    async def unlock(self, id_: str, *, by: str) -> None:
        """Let failures of before not count: those of this login from anywhere."""
        person = await self._person(id_)
        ground = self._ground
        await ground.people.apply(
            rows.forget_all_failures(f"{_failures_of(ground, person)}."),
            events=[ground.event("user_unlocked", actor=by, account=person.login)],
        )

    async def prefer(self, id_: str, preferences: Preferences) -> Account:
        """Keep what somebody chose for himself; the session that is open goes by it at once."""
        await self._ground.people.apply(
            rows.change_account(id_, preferences=preferences_text(preferences))
        )
        return account_of(await self._person(id_))

    async def sessions(self, *, account: str | None = None) -> tuple[SessionView, ...]:
        """Return what is open now."""
        return await self._ground.people.sessions(account=account, now=self._ground.clock.now())

    async def end_session(self, id_: str, *, by: str) -> None:
        """End a session of whoever."""
        ground = self._ground
        session = await ground.people.session_by_id(id_)
        person = await ground.people.by_id(session.account) if session else None
        account = person.login if person else ""
        event = ground.event("session_ended", actor=by, account=account, session=id_)
        await ground.people.apply(rows.end_session(id_), events=[event])

    async def new_password(self, session: Session, *, old: str, new: str) -> None:
        """Change one's own; every other session ends."""
        person = await self._person(session.account.id)
        if not await self._passwords.fits(person.password, old):
            raise Untrusted("console.wachtwoord_oud", "Uw huidige wachtwoord klopt niet.")
        await self._passwords.choose(new, person.login)
        hashed = await self._passwords.hash(new)
        ground = self._ground
        await ground.people.apply(
            rows.change_account(person.id, password=hashed),
            rows.end_sessions(person.id, but=session.id),
            events=[ground.event("password_changed", actor=person.login)],
        )

    async def passkey_options(self, session: Session) -> Mapping[str, Any]:
        """Return options to make a passkey."""
        _check_unlinked(session)
        return await self._passkeys.options(session.account)

    async def add_passkey(self, session: Session, answer: Mapping[str, Any], *, name: str) -> None:
        """Take a new passkey."""
        _check_unlinked(session)
        await self._passkeys.made(session.account, answer, name=name)

    async def passkeys(self, account: str) -> Sequence[PasskeyView]:
        """Return them."""
        return await self._ground.people.passkey_views(account)

    async def remove_passkey(self, session: Session, id_: str) -> None:
        """Take one of one's own away."""
        ground, account = self._ground, session.account
        await ground.people.apply(
            rows.remove_passkeys(account.id, id_),
            events=[ground.event("passkey_removed", actor=account.login)],
        )

    async def new_codes(self, session: Session) -> Sequence[str]:
        """Return new recovery codes."""
        _check_unlinked(session)
        return await self._renewing.codes(session)

    async def offer_app(self, session: Session) -> Enrolment:
        """Return what another app must be given."""
        _check_unlinked(session)
        return await self._renewing.offer(session)

    async def take_app(self, session: Session, code: str) -> None:
        """Take the other app."""
        _check_unlinked(session)
        await self._renewing.take(session, code)

    # --- the parts ---

    async def _accounts(self, found: Sequence[Person]) -> tuple[Account, ...]:
        """Return them with their locks."""
        ground = self._ground
        keys = {person.id: _failures_of(ground, person) for person in found}
        locks = await ground.people.locks(list(keys.values()), now=ground.clock.now())
        return tuple(account_of(person, locks.get(keys[person.id])) for person in found)

    async def _person(self, id_: str) -> Person:
        found = await self._ground.people.by_id(id_)
        if found is None:
            raise NoRoute("console.gebruiker.onbekend", "Dit account is er niet.")
        return found

    async def _other(self, id_: str, by: str) -> Person:
        """Return the account; raise PolicyViolation for one's own, or one that was closed."""
        person = await self._person(id_)
        if person.login == by:
            raise PolicyViolation(
                "console.gebruiker.zelf", "Uw eigen rechten wijzigt een andere beheerder."
            )
        if person.closed_at is not None:
            raise PolicyViolation("console.gebruiker.gesloten", "Dit account is gesloten.")
        return person


def linked(ground: Ground, login: str, who: tuple[str, str], *, by: str) -> AuditEvent:
    """Return the audit row of a link; the person at the provider stands there as a digest."""
    return ground.event(
        "user_linked",
        actor=by,
        account=login,
        identity=ground.digest("persoon", "|".join(who))[:12],
    )


def _check_unlinked(session: Session) -> None:
    """Raise PolicyViolation `console.gebruiker.gekoppeld`: one account has one way in."""
    if session.account.subject:
        raise PolicyViolation(
            "console.gebruiker.gekoppeld", "U meldt zich aan met de inlogvoorziening."
        )


def roles_text(roles: frozenset[UserRole]) -> str:
    """Return roles as they are stored and written down."""
    return ",".join(sorted(roles))


def _failures_of(ground: Ground, person: Person) -> str:
    return ground.failures_of(person.login, portal=UserRole.ONTVANGER in person.roles)


def _why(why: str) -> str:
    text = " ".join(why.split())
    if not text or len(text) > WHY:
        raise PolicyViolation("console.gebruiker.reden", "Geef in 1 tot 200 tekens een reden.")
    return text


def check_account(
    login: str, name: str, roles: frozenset[UserRole], officer: str, party: str = ""
) -> None:
    """Raise PolicyViolation `console.gebruiker.*` for what no account may be."""
    if _LOGIN.fullmatch(login) is None:
        raise PolicyViolation(
            "console.gebruiker.login",
            "Een gebruikersnaam heeft 2 tot 64 kleine letters, cijfers of . _ @ -",
        )
    if not name.strip() or len(name) > 128 or not name.isprintable():  # noqa: PLR2004 - characters
        raise PolicyViolation("console.gebruiker.naam", "Geef een naam van 1 tot 128 tekens.")
    if not roles:
        raise PolicyViolation("console.gebruiker.rollen", "Geef ten minste één rol.")
    if roles & ALONE and len(roles) > 1:
        raise PolicyViolation(
            "console.gebruiker.rollen",
            "Bij officier, compliance en ontvanger hoort geen andere rol.",
        )
    if bool(officer) != (UserRole.OFFICIER in roles):
        raise PolicyViolation(
            "console.gebruiker.officier", "Bij de rol officier hoort een officier, en anders geen."
        )
    if bool(party) != (UserRole.ONTVANGER in roles):
        raise PolicyViolation(
            "console.gebruiker.partij", "Bij de rol ontvanger hoort een partij, en anders geen."
        )


class KeptDrafts:
    """The port `Drafts`: sealed, for one account and one subject."""

    def __init__(self, ground: Ground) -> None:
        """Take what it works with."""
        self._ground = ground

    def _id(self, account: str, subject: str) -> str:
        return self._ground.digest("concept", f"{account}|{subject}")

    async def keep(self, account: str, subject: str, fields: Mapping[str, str]) -> None:
        """Keep it in the place of the one before."""
        ground, id_ = self._ground, self._id(account, subject)
        now = ground.clock.now()
        row = {
            "id": id_,
            "account": account,
            "at": now,
            "sealed": ground.key.seal(f"concept {id_}", json.dumps(dict(fields)).encode()),
        }
        await ground.people.apply(*rows.keep_draft(row, before=now - DRAFT))

    async def find(self, account: str, subject: str) -> Mapping[str, str] | None:
        """Return it, unless it is too old."""
        ground, id_ = self._ground, self._id(account, subject)
        sealed = await ground.people.draft(id_, since=ground.clock.now() - DRAFT)
        if sealed is None:
            return None
        fields: dict[str, str] = json.loads(ground.key.open(f"concept {id_}", sealed))
        return fields

    async def drop(self, account: str, subject: str) -> None:
        """Forget it."""
        await self._ground.people.apply(rows.drop_draft(self._id(account, subject)))
