"""Passkeys (WebAuthn): challenges that count once, answers that are proven."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from fido2.server import Fido2Server
from fido2.utils import websafe_decode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    RegistrationResponse,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from gateway.errors import PolicyViolation, Untrusted
from gateway.pipeline.accounts.people import Ground
from gateway.ports.accounts import Account
from gateway.store import people_changes as rows

LONG = timedelta(minutes=5)
MOST = 10
"""Passkeys of one account."""
_WRONG = "De toegangssleutel is niet bewezen."


class Passkeys:
    """What the console asks of a browser, and what it takes from it."""

    def __init__(self, ground: Ground) -> None:
        """Take what it works with; the origin names who asks."""
        self._ground = ground
        origin = ground.rules.origin
        host = urlsplit(origin).hostname or "localhost"
        self._server = Fido2Server(
            PublicKeyCredentialRpEntity(id=host, name=ground.rules.issuer),
            attestation=None,
            verify_origin=lambda given: given == origin,
        )

    async def challenge(self, account: str | None) -> Mapping[str, Any]:
        """Return options to show a passkey: of this account, or of whoever."""
        credentials = await self._credentials(account) if account else None
        options, state = self._server.authenticate_begin(
            credentials, user_verification=UserVerificationRequirement.REQUIRED
        )
        await self._keep(state, "toon", account)
        return dict(options)

    async def answered(self, answer: Mapping[str, Any]) -> str:
        """Return whose passkey was shown; raises Untrusted `console.sleutel`."""
        try:
            response = AuthenticationResponse.from_dict(answer)
            challenge = response.response.client_data.challenge
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Untrusted("console.sleutel", _WRONG) from error
        state, account = await self._used(challenge, "toon")
        stored = await self._ground.people.passkey(_id(response.raw_id))
        if stored is None or account not in {None, stored.account}:
            raise Untrusted("console.sleutel", _WRONG)
        try:
            self._server.authenticate_complete(
                state, [AttestedCredentialData(stored.credential)], response
            )
        except Exception as error:  # the library raises of many kinds
            raise Untrusted("console.sleutel", _WRONG) from error
        counter = response.response.authenticator_data.counter
        used = rows.use_passkey(stored.id, counter=counter, at=self._ground.clock.now())
        if not await self._ground.people.once(used):
            raise Untrusted("console.sleutel", _WRONG)
        return stored.account

    async def options(self, account: Account) -> Mapping[str, Any]:
        """Return options to make a passkey; raises PolicyViolation `console.sleutels`."""
        there = await self._credentials(account.id)
        if len(there) >= MOST:
            raise PolicyViolation("console.sleutels", "U hebt al tien toegangssleutels.")
        options, state = self._server.register_begin(
            PublicKeyCredentialUserEntity(
                id=account.id.encode(), name=account.login, display_name=account.name
            ),
            there,
            resident_key_requirement=ResidentKeyRequirement.PREFERRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        await self._keep(state, "maak", account.id)
        return dict(options)

    async def made(self, account: Account, answer: Mapping[str, Any], *, name: str) -> None:
        """Take a new passkey; raises Untrusted `console.sleutel`."""
        try:
            response = RegistrationResponse.from_dict(answer)
            challenge = response.response.client_data.challenge
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Untrusted("console.sleutel", _WRONG) from error
        state, owner = await self._used(challenge, "maak")
        if owner != account.id:
            raise Untrusted("console.sleutel", _WRONG)
        try:
            data = self._server.register_complete(state, response).credential_data
        except Exception as error:  # the library raises of many kinds
            raise Untrusted("console.sleutel", _WRONG) from error
        if data is None:
            raise Untrusted("console.sleutel", _WRONG)
        ground = self._ground
        row = {
            "id": _id(data.credential_id),
            "account": account.id,
            "name": name[:64],
            "credential": bytes(data),
            "counter": 0,
            "created_at": ground.clock.now(),
            "used_at": None,
        }
        event = ground.event("passkey_added", actor=account.login)
        await ground.people.apply(rows.new_passkey(row), events=[event])

    async def _credentials(self, account: str) -> Sequence[AttestedCredentialData]:
        stored = await self._ground.people.passkeys_of(account)
        return [AttestedCredentialData(one.credential) for one in stored]

    async def _keep(self, state: Mapping[str, Any], kind: str, account: str | None) -> None:
        id_ = _id(websafe_decode(str(state["challenge"])))
        data = json.dumps(dict(state)).encode()
        await self._ground.keep_step(kind, id_, data, account=account, lasts=LONG)

    async def _used(self, challenge: bytes, kind: str) -> tuple[dict[str, Any], str | None]:
        """Use a challenge up; return what it was made with, and for whom."""
        ground, id_ = self._ground, _id(challenge)
        step = await ground.step(kind, id_)
        if step is None or not await ground.people.once(rows.end_step(id_)):
            raise Untrusted("console.sleutel", _WRONG)
        return json.loads(ground.opened(step)), step.account


def _id(octets: bytes) -> str:
    return sha256(octets).hexdigest()
