"""Signing in at an OpenID provider: the port `Elsewhere`.

A sign-in that is begun is a row of its own, found only by the cookie of the browser that began
it together with the state that it took along, and used up when it comes back. The person is
known by `iss` and `sub` alone; rights are those of the moment, at each sign-in and each new proof.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from gateway.errors import GatewayError, PolicyViolation, Refused, Untrusted
from gateway.pipeline.accounts.door import Door
from gateway.pipeline.accounts.keeping import check_account, linked, roles_text
from gateway.pipeline.accounts.mapping import NOTHING, Rights, RoleMapping
from gateway.pipeline.accounts.people import Ground, Newcomer, digest_of, token
from gateway.ports.accounts import SecondFactor, Session, Whence
from gateway.ports.identity import Answer, Arrived, Begun, IdentityProvider
from gateway.security.oidc import (
    Asked,
    Client,
    Identity,
    authorization_url,
    key_id,
    sign_out_url,
    values_of,
    verify,
)
from gateway.store import people_changes as rows
from gateway.store.people import Person

LASTS = timedelta(minutes=10)
"""From the button to the answer."""
BY = "[console.oidc]"
"""Who changed an account where the provider decided: no login has brackets."""
_KIND = "elders"
_LONGEST_CODE = 4_096
_LONGEST_NAME = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """Who of the people there comes in here, and as what."""

    client: Client
    mapping: RoleMapping
    login_claim: str = ""
    """Names an account here, for who is not linked; empty = only who is linked comes in."""
    create: bool = False
    """Add an account for who has none."""


@dataclass(frozen=True, slots=True)
class _Step:
    """What was kept of a sign-in that was begun."""

    id: str
    asked: Asked
    back: str
    session: str
    """Empty: nobody was signed in."""


class SignInElsewhere:
    """Lets people in whom the provider vouches for."""

    def __init__(
        self, ground: Ground, door: Door, provider: IdentityProvider, admission: Admission
    ) -> None:
        """Take what it works with."""
        self._ground = ground
        self._door = door
        self._provider = provider
        self._admission = admission

    async def begin(self, *, back: str, session: Session | None) -> Begun:
        """Keep what must be compared later; see the port."""
        ground, metadata = self._ground, await self._provider.metadata()
        secret, state, nonce, verifier = (token(ground.dice) for _ in range(4))
        asked = Asked(
            state=state,
            nonce=nonce,
            verifier=verifier,
            at=ground.clock.now(),
            again=session is not None,
        )
        kept = {
            "nonce": nonce,
            "verifier": verifier,
            "at": asked.at.isoformat(),
            "back": back,
            "session": session.id if session is not None else "",
        }
        account = session.account.id if session is not None else None
        await ground.keep_step(
            _KIND, _id(secret, state), json.dumps(kept).encode(), account=account, lasts=LASTS
        )
        return Begun(url=authorization_url(metadata, self._admission.client, asked), secret=secret)

    async def finish(
        self, secret: str, answer: Answer, whence: Whence, *, session: Session | None
    ) -> Arrived:
        """Take who comes back; see the port. A failure counts and is written down."""
        await self._door.check_lock("", whence)
        identity = None
        try:
            step = await self._step(secret, answer.state)
            identity = await self._identity(step, answer)
            if step.session:
                return await self._again(step, identity, session)
            return await self._sign_in(step, identity, whence)
        except Refused as error:
            person = await self._of(identity) if identity is not None else None
            login = person.login if person is not None else ""
            await self._door.failed(login, whence, "oidc", of=person, code=error.code)
            raise

    def published(self) -> Mapping[str, Any]:
        """Return our own public keys."""
        return self._provider.published()

    async def sign_out_url(self, back: str) -> str:
        """Return it, as far as the provider is there."""
        try:
            metadata = await self._provider.metadata()
        except GatewayError:
            return ""
        return sign_out_url(metadata, self._admission.client, back)

    # --- what came back ---

    async def _step(self, secret: str, state: str) -> _Step:
        """Use up what was begun in this browser; raise Untrusted `oidc.state`."""
        ground, id_ = self._ground, _id(secret, state)
        found = await ground.step(_KIND, id_) if secret and state else None
        if found is None or not await ground.people.once(rows.end_step(id_)):
            raise Untrusted(
                "oidc.state", "Deze aanmelding is hier niet begonnen, is al gebruikt of is te oud."
            )
        kept: Mapping[str, str] = json.loads(ground.opened(found))
        asked = Asked(
            state=state,
            nonce=kept["nonce"],
            verifier=kept["verifier"],
            at=datetime.fromisoformat(kept["at"]),
            again=bool(kept["session"]),
        )
        return _Step(id_, asked, kept["back"], kept["session"])

    async def _identity(self, step: _Step, answer: Answer) -> Identity:
        # (1) The answer is of the provider that was asked: another one gets no code (RFC 9207).
        provider, client = self._provider, self._admission.client
        metadata = await provider.metadata()
        if answer.issuer != client.issuer and (answer.issuer or metadata.names_itself):
            raise Untrusted("oidc.issuer", "Dit antwoord is van een andere inlogvoorziening.")
        # (2) It is a code, and no refusal.
        if answer.error or not 0 < len(answer.code) <= _LONGEST_CODE:
            raise Untrusted("oidc.refused", "De inlogvoorziening heeft u niet aangemeld.")
        # (3) The code is worth something, to who knows the verifier and is this client.
        dice, at = self._ground.dice, self._ground.clock.now()
        tokens = await provider.redeem(
            answer.code, verifier=step.asked.verifier, jti=dice.uuid(), at=at
        )
        # (4) What it was exchanged for says who it is.
        keys = await provider.keys(key_id(tokens.id_token))
        return verify(tokens, keys, client, step.asked, at=self._ground.clock.now())

    # --- signing in ---

    async def _sign_in(self, step: _Step, identity: Identity, whence: Whence) -> Arrived:
        rights = await self._rights(identity)
        person = await self._person(identity, rights)
        await self._follow(person, rights)
        person = await self._ground.people.by_id(person.id) or person
        welcome = await self._door.welcome(person, SecondFactor.OIDC, whence, proven=identity.at)
        return Arrived(welcome=welcome, back=step.back)

    async def _of(self, identity: Identity) -> Person | None:
        """Return whose account it is; a closed one, too."""
        return await self._ground.people.by_subject(self._admission.client.issuer, identity.subject)

    async def _known(self, identity: Identity) -> Person | None:
        """Return the same; raise PolicyViolation `oidc.account` for one that lets nobody in."""
        person = await self._of(identity)
        if person is not None and (person.closed_at is not None or not person.active):
            raise _no_account()
        return person

    async def _rights(self, identity: Identity) -> Rights:
        """Return what the provider gives; who is given nothing keeps nothing, nor a session."""
        person = await self._known(identity)
        try:
            return self._admission.mapping.rights(identity.claims)
        except PolicyViolation:
            if person is not None:
                await self._follow(person, NOTHING)
            raise

    async def _person(self, identity: Identity, rights: Rights) -> Person:
        """Return the account; one that waits is linked, or one is made, where a setting says so.

        An account with ways in of its own is never taken over by a name that the provider lets
        somebody choose.
        """
        known = await self._known(identity)
        if known is not None:
            return known
        login = self._login(identity)
        waiting = await self._ground.people.by_login(login) if login else None
        if waiting is not None and self._may_link(waiting):
            return await self._link(waiting, identity)
        if waiting is None and login and self._admission.create:
            return await self._link(await self._add(login, identity, rights), identity)
        raise _no_account()

    def _may_link(self, person: Person) -> bool:
        """It waits for its activation, at the console and not at the portal."""
        free = not person.active and not person.subject
        return free and self._ground.rules.are_for(person.roles)

    def _login(self, identity: Identity) -> str:
        name = self._admission.login_claim
        found = values_of(identity.claims, name) if name else frozenset()
        return next(iter(found)).strip().lower() if len(found) == 1 else ""

    async def _link(self, person: Person, identity: Identity) -> Person:
        ground, who = self._ground, (self._admission.client.issuer, identity.subject)
        await ground.people.link(
            person.id,
            *rows.link_account(person.id, *who),
            who=who,
            event=linked(ground, person.login, who, by=BY),
        )
        return await ground.people.by_id(person.id) or person

    async def _add(self, login: str, identity: Identity, rights: Rights) -> Person:
        ground = self._ground
        name = next(iter(values_of(identity.claims, "name")), "").strip()[:_LONGEST_NAME] or login
        check_account(login, name, rights.roles, rights.officer)
        id_ = await ground.add_account(
            Newcomer(
                login=login, name=name, roles=roles_text(rights.roles), officer=rights.officer
            ),
            by=BY,
        )
        person = await ground.people.by_id(id_)
        if person is None:
            raise _no_account()
        return person

    async def _follow(self, person: Person, rights: Rights) -> bool:
        """Let the account have what the provider gives; return whether that was new.

        Raises PolicyViolation `console.gebruiker.officier` for the officer of another account.
        """
        if (person.roles, person.officer) == (rights.roles, rights.officer):
            return False
        event = self._ground.event(
            "user_changed",
            actor=BY,
            account=person.login,
            roles=roles_text(rights.roles),
            was=roles_text(person.roles),
            officer=rights.officer,
        )
        await self._ground.people.change_rights(
            person.id,
            rows.change_account(person.id, roles=roles_text(rights.roles), officer=rights.officer),
            rows.end_sessions(person.id),
            officer=rights.officer,
            event=event,
            keep_last=False,
        )
        return True

    # --- once more ---

    async def _again(self, step: _Step, identity: Identity, session: Session | None) -> Arrived:
        """Take the proof for the session that asked it, of its own person, with rights as now."""
        person = await self._known(identity)
        if session is None or session.id != step.session:
            raise Untrusted("oidc.state", "Deze sessie is voorbij. Meld u opnieuw aan.")
        if person is None or person.id != session.account.id:
            raise Untrusted("oidc.person", "U hebt zich als iemand anders aangemeld.")
        if await self._follow(person, await self._rights(identity)):
            raise Untrusted("oidc.rights", "Uw rechten zijn gewijzigd. Meld u opnieuw aan.")
        await self._door.proven(session, person, SecondFactor.OIDC, at=identity.at)
        return Arrived(welcome=None, back=step.back)


def _id(secret: str, state: str) -> str:
    return digest_of(f"{secret}.{state}")


def _no_account() -> PolicyViolation:
    return PolicyViolation(
        "oidc.account", "Er is hier geen account voor u. Vraag het uw beheerder."
    )
