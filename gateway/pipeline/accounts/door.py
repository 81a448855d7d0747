"""The door: password, second factor, sessions. The port `SigningIn`."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeGuard

from gateway.errors import Limited, PolicyViolation, Untrusted
from gateway.pipeline.accounts.passkeys import Passkeys
from gateway.pipeline.accounts.passwords import Passwords
from gateway.pipeline.accounts.people import (
    Ground,
    account_of,
    digest_of,
    enrolment,
    idle_for,
    session_of,
    token,
)
from gateway.ports import Dice
from gateway.ports.accounts import (
    Activation,
    Enrolment,
    HalfWay,
    SecondFactor,
    Session,
    Welcome,
    Whence,
)
from gateway.security.totp import SECRET_OCTETS, matching
from gateway.store import people_changes as rows
from gateway.store.people import OpenSession, Person, StoredStep
from gateway.store.transaction import Change

HALF = timedelta(minutes=5)
OFFER = timedelta(hours=1)
TRIES = 5
"""At the second factor, per sign-in."""
KEEP_ALIVE = timedelta(seconds=30)
"""A session is written again when its end would move by this much: not at every request."""
RECOVERY_CODES = 10
_PER_PAIR, _PER_ADDRESS, _PER_LOGIN = 5, 40, 60
"""Failures that lock: of this login from this address, from this address, of this login."""
KNOWN = timedelta(days=90)
"""So long a place is one where somebody comes in from."""
_PLACE, _HALF, _APP = "plek", "half", "app"
"""Kinds of step."""
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


def code_text(dice: Dice, groups: int) -> str:
    """Return a code for people, in groups of four: 20 bits each."""
    letters = [_ALPHABET[octet % len(_ALPHABET)] for octet in dice.octets(4 * groups)]
    return "-".join("".join(letters[4 * n : 4 * n + 4]) for n in range(groups))


def plain(code: str) -> str:
    """Return a code without what people add to it."""
    return "".join(code.upper().split()).replace("-", "")


class Door:
    """Lets people in."""

    def __init__(self, ground: Ground, passwords: Passwords, passkeys: Passkeys) -> None:
        """Take what it works with."""
        self._ground = ground
        self._passwords = passwords
        self._passkeys = passkeys

    # --- the first factor ---

    async def password(self, login: str, password: str, whence: Whence) -> HalfWay:
        """Compare; a login that is not there takes as long."""
        self._check_own_way()
        login = login.strip().lower()[:64]
        async with self._passwords.turn():
            await self.check_lock(login, whence)
            person = await self._ground.people.by_login(login)
            known = person.password if self._may_come(person) else ""
            fits = await self._passwords.compare(known, password)
            if not fits or person is None:
                raise await self.failed(login, whence, "wachtwoord", of=person)
        fresh = token(self._ground.dice)
        await self._ground.keep_step(_HALF, digest_of(fresh), b"", account=person.id, lasts=HALF)
        return HalfWay(token=fresh, ways=_ways(person))

    def _may_come(self, person: Person | None) -> TypeGuard[Person]:
        """Tell whether somebody can sign in with it, here: at the console or at the portal."""
        return (
            person is not None
            and person.active
            and person.closed_at is None
            and self._ground.rules.are_for(person.roles)
        )

    def _check_own_way(self) -> None:
        """Raise PolicyViolation `console.lokaal` where everybody comes in by the provider."""
        if not self._ground.rules.lets_in(elsewhere=False):
            raise PolicyViolation(
                "console.lokaal", "Aanmelden kan hier alleen met de inlogvoorziening."
            )

    async def _half(self, half: str) -> tuple[str, Person]:
        """Count a try; raise Untrusted `console.half` when it is over."""
        ground, id_ = self._ground, digest_of(half)
        step = await ground.step(_HALF, id_)
        person = await ground.people.by_id(step.account) if step and step.account else None
        if not self._may_come(person):
            raise Untrusted("console.half", "Deze aanmelding duurde te lang.")
        if not await ground.people.once(rows.try_step(id_, TRIES)):
            raise Untrusted("console.half", "Deze aanmelding duurde te lang.")
        return id_, person

    # --- the second factor ---

    async def totp(self, half: str, code: str, whence: Whence) -> Welcome:
        """Take six digits."""
        id_, person = await self._half(half)
        await self.check_lock(person.login, whence)
        if not await self._use_totp(person, code):
            raise await self.failed(person.login, whence, "code", of=person)
        return await self.welcome(person, SecondFactor.TOTP, whence, ended=id_)

    async def _use_totp(self, person: Person, code: str) -> bool:
        if person.totp is None:
            return False
        ground = self._ground
        secret = ground.key.open(f"totp {person.id}", person.totp)
        step = matching(secret, code, ground.clock.now())
        return step is not None and await ground.people.once(rows.use_totp(person.id, step))

    async def recovery(self, half: str, code: str, whence: Whence) -> Welcome:
        """Take a recovery code, which counts once."""
        id_, person = await self._half(half)
        await self.check_lock(person.login, whence)
        ground = self._ground
        used = rows.use_recovery(
            person.id, ground.digest("herstel", plain(code)), ground.clock.now()
        )
        if not await ground.people.once(used):
            raise await self.failed(person.login, whence, "herstelcode", of=person)
        return await self.welcome(person, SecondFactor.RECOVERY, whence, ended=id_)

    async def passkey_challenge(self, half: str | None) -> Mapping[str, Any]:
        """Return the options for the browser."""
        person = None
        if half:
            _, person = await self._half(half)
        return await self._passkeys.challenge(person.id if person else None)

    async def passkey(self, half: str | None, answer: Mapping[str, Any], whence: Whence) -> Welcome:
        """Take what a passkey answered: it is two factors by itself."""
        self._check_own_way()
        await self.check_lock("", whence)
        try:
            account = await self._passkeys.answered(answer)
        except Untrusted as error:
            raise await self.failed("", whence, "toegangssleutel") from error
        person = await self._ground.people.by_id(account)
        if not self._may_come(person):
            raise await self.failed("", whence, "toegangssleutel")
        return await self.welcome(
            person, SecondFactor.PASSKEY, whence, ended=digest_of(half) if half else ""
        )

    # --- sessions ---

    async def welcome(
        self,
        person: Person,
        factor: SecondFactor,
        whence: Whence,
        *,
        ended: str = "",
        proven: datetime | None = None,
    ) -> Welcome:
        """Begin a session; `proven` is when the second factor was shown, None = now.

        Raises Untrusted `console.aanmelding` for an account that has another way in.
        """
        ground = self._ground
        if (factor is SecondFactor.OIDC) != bool(person.subject):
            raise await self.failed(person.login, whence, "weg", of=person)
        now, fresh, id_ = ground.clock.now(), token(ground.dice), ground.dice.uuid()
        ends = now + ground.rules.session
        row = {
            "token": digest_of(fresh),
            "id": id_,
            "account": person.id,
            "factor": str(factor),
            "started_at": now,
            "seen_at": now,
            "idle_until": min(now + idle_for(person, ground.rules), ends),
            "ends_at": ends,
            "proven_at": proven or now,
            "address": whence.address[:64],
            "agent": whence.agent[:64],
        }
        await ground.people.apply(
            *rows.end_old(now),
            rows.new_session(row),
            rows.change_account(person.id, last_at=now),
            rows.forget_failures([self._own_key(person.login, whence)]),
            *await self._remember(person, whence),
            *((rows.end_step(ended),) if ended else ()),
            events=[ground.event("signed_in", actor=person.login, factor=str(factor), session=id_)],
        )
        session = await self.peek(fresh)
        if session is None:
            raise Untrusted("console.aanmelding", "De aanmelding is mislukt.")
        return Welcome(token=fresh, session=session)

    async def session(self, token: str) -> Session | None:
        """Return the session, and let it live on."""
        found = await self._found(token)
        if found is None:
            return None
        row, person = found
        ground, now = self._ground, self._ground.clock.now()
        until = min(now + idle_for(person, ground.rules), row.ends_at)
        if abs(until - row.idle_until) >= KEEP_ALIVE:
            await ground.people.apply(rows.change_session(row.id, seen_at=now, idle_until=until))
            row = replace(row, idle_until=until)
        return session_of(row, person)

    async def peek(self, token: str) -> Session | None:
        """Return the session without that."""
        found = await self._found(token)
        return session_of(*found) if found is not None else None

    async def _found(self, token: str) -> tuple[OpenSession, Person] | None:
        ground = self._ground
        row = await ground.people.session(digest_of(token))
        now = ground.clock.now()
        if row is None or row.ends_at <= now or row.idle_until <= now:
            return None
        if not ground.rules.lets_in(elsewhere=row.factor is SecondFactor.OIDC):
            return None
        person = await ground.people.by_id(row.account)
        return (row, person) if self._may_come(person) else None

    async def step_up(self, session: Session, code: str) -> Session:
        """Show the second factor again; failures count as those at the door."""
        ground, whence = self._ground, Whence(address="")
        person = await self._person(session)
        await self.check_lock(person.login, whence)
        if not await self._use_totp(person, code):
            await self.failed(person.login, whence, "code", of=person)
            raise Untrusted("console.code", "Deze code klopt niet, of is al gebruikt.")
        return await self.proven(session, person, SecondFactor.TOTP, at=ground.clock.now())

    async def step_up_passkey(self, session: Session, answer: Mapping[str, Any]) -> Session:
        """Show a passkey again: one of this user's own."""
        person = await self._person(session)
        if await self._passkeys.answered(answer) != person.id:
            raise Untrusted("console.sleutel", "Deze toegangssleutel hoort niet bij dit account.")
        now = self._ground.clock.now()
        return await self.proven(session, person, SecondFactor.PASSKEY, at=now)

    async def proven(
        self, session: Session, person: Person, factor: SecondFactor, *, at: datetime
    ) -> Session:
        """Write down that the second factor was shown again; raises Untrusted `console.sessie`."""
        ground = self._ground
        await ground.people.apply(
            rows.change_session(session.id, proven_at=at),
            events=[ground.event("proven", actor=person.login, factor=str(factor))],
        )
        row = await ground.people.session_by_id(session.id)
        if row is None:
            raise Untrusted("console.sessie", "Deze sessie is voorbij.")
        return session_of(row, person)

    async def challenge(self, session: Session) -> Mapping[str, Any]:
        """Return options for a passkey of this user."""
        return await self._passkeys.challenge(session.account.id)

    async def _person(self, session: Session) -> Person:
        person = await self._ground.people.by_id(session.account.id)
        if person is None:
            raise Untrusted("console.sessie", "Deze sessie is voorbij.")
        return person

    async def sign_out(self, session: Session) -> None:
        """End the session."""
        ground = self._ground
        await ground.people.apply(
            rows.end_session(session.id),
            events=[ground.event("signed_out", actor=session.account.login, session=session.id)],
        )

    # --- the first time ---

    async def activation(self, code: str, whence: Whence) -> Activation:
        """Return whose code it is; raises Untrusted `console.activatie`."""
        self._check_own_way()
        await self.check_lock("", whence)
        person = await self._activating(code)
        if person is None:
            await self.failed("", whence, "activatie")
            raise Untrusted("console.activatie", "Deze activatiecode geldt niet.")
        return Activation(account=account_of(person), needs_password=True, needs_factor=True)

    async def _activating(self, code: str) -> Person | None:
        ground = self._ground
        digest = ground.digest("activatie", plain(code))
        person = await ground.people.by_activation(digest, now=ground.clock.now())
        here = person is not None and ground.rules.are_for(person.roles)
        return person if here else None

    async def offer_totp(self, code: str) -> Enrolment:
        """Return a fresh secret for this activation; again = the same until it is used."""
        ground = self._ground
        person = await self._activating(code)
        if person is None:
            raise Untrusted("console.activatie", "Deze activatiecode geldt niet.")
        secret = await self._offered(code)
        if secret is None:
            secret = ground.dice.octets(SECRET_OCTETS)
            await ground.keep_step(_APP, _offer(code), secret, account=person.id, lasts=OFFER)
        return enrolment(ground, person.login, secret)

    async def _offered(self, code: str) -> bytes | None:
        step = await self._ground.step(_APP, _offer(code))
        return self._ground.opened(step) if step else None

    async def activate(
        self, code: str, *, password: str | None, totp: str, whence: Whence
    ) -> tuple[Welcome, Sequence[str]]:
        """Set password and app; what is used up can not be used by another at the same time."""
        self._check_own_way()
        await self.check_lock("", whence)
        person, secret = await self._activating(code), await self._offered(code)
        if person is None or secret is None:
            await self.failed("", whence, "activatie")
            raise Untrusted("console.activatie", "Deze activatiecode geldt niet.")
        await self._passwords.choose(password or "", person.login)
        step = matching(secret, totp, self._ground.clock.now())
        if step is None:
            await self.failed(person.login, whence, "code", of=person)
            raise Untrusted("console.code", "Deze code klopt niet. Neem de code die de app toont.")
        hashed = await self._passwords.hash(password or "")
        codes = [code_text(self._ground.dice, 4) for _ in range(RECOVERY_CODES)]
        await self._take(person, code, (hashed, secret, step), codes)
        person = await self._ground.people.by_id(person.id) or person
        return await self.welcome(person, SecondFactor.TOTP, whence), codes

    async def _take(
        self, person: Person, code: str, proof: tuple[str, bytes, int], codes: Sequence[str]
    ) -> None:
        ground = self._ground
        hashed, secret, step = proof
        used = rows.use_activation(
            person.id,
            ground.digest("activatie", plain(code)),
            password=hashed,
            totp=ground.key.seal(f"totp {person.id}", secret),
            totp_step=step,
        )
        digests = [ground.digest("herstel", plain(one)) for one in codes]
        done = await ground.people.once(
            used,
            *rows.new_codes(person.id, digests),
            rows.end_sessions(person.id),
            rows.end_step(_offer(code)),
            events=[ground.event("activated", actor=person.login)],
        )
        if not done:
            raise Untrusted("console.activatie", "Deze activatiecode geldt niet.")

    # --- locks ---

    def _own_key(self, login: str, whence: Whence) -> str:
        address = self._ground.digest("slot", f"|{whence.address}")[:21]
        return f"{self._failures_of(login)}.{address}"

    def _failures_of(self, login: str) -> str:
        return self._ground.failures_of(login, portal=self._ground.rules.portal)

    async def _keys(self, login: str, whence: Whence) -> list[tuple[str, int]]:
        """Return what counts an attempt, and from which number on it locks.

        Where somebody comes in from, strangers elsewhere do not lock him out; in a session
        he hinders nobody but himself.
        """
        ground = self._ground
        found = []
        if login:
            found.append((self._own_key(login, whence), _PER_PAIR))
        if whence.address:
            found.append((f".{ground.digest('slot', f'|{whence.address}')}", _PER_ADDRESS))
        if login and whence.address and await self._place(login, whence) is None:
            found.append((f"{self._failures_of(login)}.*", _PER_LOGIN))
        return found

    def _place_id(self, login: str, whence: Whence) -> str:
        return self._ground.digest("plek", f"{login}|{whence.address}")

    async def _place(self, login: str, whence: Whence) -> StoredStep | None:
        return await self._ground.step(_PLACE, self._place_id(login, whence))

    async def _remember(self, person: Person, whence: Whence) -> tuple[Change, ...]:
        """Return the changes by which a place is known from now on."""
        if await self._place(person.login, whence) is not None:
            return ()
        row = {
            "id": self._place_id(person.login, whence),
            "account": person.id,
            "kind": _PLACE,
            "data": b"",
            "tries": 0,
            "until": self._ground.clock.now() + KNOWN,
        }
        return rows.new_step(row)

    async def check_lock(self, login: str, whence: Whence) -> None:
        """Raise Limited `console.vergrendeld`."""
        ground, now = self._ground, self._ground.clock.now()
        keys = [key for key, _ in await self._keys(login, whence)]
        until = await ground.people.locked(keys, now=now)
        if until is not None:
            seconds = max(1, int((until - now).total_seconds()) + 1)
            raise Limited(
                "console.vergrendeld",
                "Er is te vaak geprobeerd aan te melden. Wacht even.",
                seconds=seconds,
            )

    async def failed(
        self, login: str, whence: Whence, what: str, *, of: Person | None = None, code: str = ""
    ) -> Untrusted:
        """Count a failure; return what to raise: the same whatever was wrong.

        Whose account it was is a fact of the row; who tried is not proven, so not its actor.
        """
        ground = self._ground
        facts = {"account": of.login} if of is not None else {}
        facts |= {"code": code} if code else {}
        event = ground.event(
            "sign_in_failed", actor="", what=what, login=self._known(login), **facts
        )
        keys = await self._keys(login, whence)
        await ground.people.fail(keys, now=ground.clock.now(), event=event)
        return Untrusted("console.aanmelding", "Deze gegevens kloppen niet.")

    def _known(self, login: str) -> str:
        """Return a digest: what was typed as a login may be a password."""
        return self._ground.digest("login", login)[:12] if login else ""


def _ways(person: Person) -> frozenset[SecondFactor]:
    ways = {SecondFactor.RECOVERY}
    if person.totp is not None:
        ways.add(SecondFactor.TOTP)
    if person.passkeys:
        ways.add(SecondFactor.PASSKEY)
    return frozenset(ways)


def _offer(code: str) -> str:
    """Return under which id the app of an activation is kept."""
    return digest_of(f"app {plain(code)}")
