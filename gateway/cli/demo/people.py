"""Users of the consoles in a demo that stays: every role, with a password and app that are told."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from gateway.app import SystemClock, SystemDice, open_store
from gateway.cli.demo.sites import OFFICERS, OM, Site
from gateway.consoles import people_of
from gateway.credentials import UserRole
from gateway.installation import load_installation
from gateway.ports.accounts import Whence
from gateway.security import totp

ROLES: Mapping[str, UserRole] = {
    "operator": UserRole.OPERATOR,
    "beheerder": UserRole.BEHEERDER,
    "compliance": UserRole.COMPLIANCE,
}
_PASSWORD_OCTETS = 9


class OneSecret(SystemDice):
    """Gives every app the same secret: one code for all users of a demo."""

    def __init__(self, secret: bytes) -> None:
        """Take the secret."""
        self._secret = secret

    def octets(self, n: int) -> bytes:
        """Return the secret where one of its length is asked, else chance."""
        return self._secret if n == totp.SECRET_OCTETS else super().octets(n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Users:
    """What is told of them."""

    password: str
    secret: bytes

    @property
    def code(self) -> str:
        """Return the code that counts next: the one of now was used to activate."""
        return totp.code(self.secret, totp.step_of(SystemClock().now()))


def new_users() -> Users:
    """Return a password and a secret of this demo alone."""
    return Users(
        password=f"demo-{secrets.token_urlsafe(_PASSWORD_OCTETS)}",
        secret=secrets.token_bytes(totp.SECRET_OCTETS),
    )


async def add_users(site: Site, users: Users) -> None:
    """Make them in an installation that does not run yet."""
    installation = load_installation(site.config)
    clock, dice = SystemClock(), OneSecret(users.secret)
    store = open_store(installation, clock, dice)
    try:
        people = people_of(installation, store, clock, dice)
        for login, name, role, officer in logins_of(site):
            _, code = await people.accounts.add(
                login=login, name=name, roles=frozenset({role}), officer=officer, by="demo"
            )
            await people.door.offer_totp(code)
            step = totp.step_of(clock.now()) - 1
            welcome, _ = await people.door.activate(
                code,
                password=users.password,
                totp=totp.code(users.secret, step),
                whence=Whence(address="demo"),
            )
            await people.door.sign_out(welcome.session)
    finally:
        await store.close()


def logins_of(site: Site) -> list[tuple[str, str, UserRole, str]]:
    """Return login, name, role and officer of each."""
    found = [(login, f"{login.capitalize()} (demo)", role, "") for login, role in ROLES.items()]
    if site.party is OM:
        found += [(one.id, one.naam, UserRole.OFFICIER, one.id) for one in OFFICERS]
    return found
