"""Another app, or other recovery codes, for who is signed in and has shown that it is he."""

from collections.abc import Sequence
from datetime import timedelta

from gateway.errors import Untrusted
from gateway.pipeline.accounts.door import RECOVERY_CODES, code_text, plain
from gateway.pipeline.accounts.people import Ground, digest_of, enrolment
from gateway.ports.accounts import Enrolment, Session
from gateway.security import totp
from gateway.store import people_changes as rows

LONG = timedelta(minutes=15)
_KIND = "nieuwe-app"


class Renewing:
    """What replaces a factor of one's own; the caller has asked the old one just before."""

    def __init__(self, ground: Ground) -> None:
        """Take what it works with."""
        self._ground = ground

    async def codes(self, session: Session) -> Sequence[str]:
        """Return new recovery codes; those of before are void."""
        ground, account = self._ground, session.account
        codes = [code_text(ground.dice, 4) for _ in range(RECOVERY_CODES)]
        digests = [ground.digest("herstel", plain(code)) for code in codes]
        await ground.people.apply(
            *rows.new_codes(account.id, digests),
            events=[ground.event("codes_renewed", actor=account.login)],
        )
        return codes

    async def offer(self, session: Session) -> Enrolment:
        """Return a secret for another app; the same until it was taken or is too old."""
        ground = self._ground
        secret = await self._offered(session)
        if secret is None:
            secret = ground.dice.octets(totp.SECRET_OCTETS)
            await ground.keep_step(
                _KIND, _id(session), secret, account=session.account.id, lasts=LONG
            )
        return enrolment(ground, session.account.login, secret)

    async def take(self, session: Session, code: str) -> None:
        """Put the app in the place of the one before; other sessions end.

        Raises Untrusted `console.code`.
        """
        ground, account = self._ground, session.account
        secret = await self._offered(session)
        step = totp.matching(secret, code, ground.clock.now()) if secret is not None else None
        if secret is None or step is None:
            raise Untrusted("console.code", "Deze code klopt niet. Neem de code die de app toont.")
        sealed = ground.key.seal(f"totp {account.id}", secret)
        await ground.people.apply(
            rows.change_account(account.id, totp=sealed, totp_step=step),
            rows.end_step(_id(session)),
            rows.end_sessions(account.id, but=session.id),
            events=[ground.event("app_renewed", actor=account.login)],
        )

    async def _offered(self, session: Session) -> bytes | None:
        step = await self._ground.step(_KIND, _id(session))
        return self._ground.opened(step) if step else None


def _id(session: Session) -> str:
    return digest_of(f"{_KIND} {session.id}")
