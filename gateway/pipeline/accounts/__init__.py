"""People who use the console: their accounts, how they sign in, what they have begun."""

from dataclasses import dataclass

from gateway.pipeline.accounts.door import Door
from gateway.pipeline.accounts.elsewhere import Admission, SignInElsewhere
from gateway.pipeline.accounts.keeping import Keeping, KeptDrafts
from gateway.pipeline.accounts.passkeys import Passkeys
from gateway.pipeline.accounts.passwords import Passwords
from gateway.pipeline.accounts.people import Ground, Key, Rules
from gateway.ports.identity import IdentityProvider

__all__ = ["Admission", "Key", "People", "Rules", "open_people"]


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The ports, over one set of rows."""

    door: Door
    accounts: Keeping
    drafts: KeptDrafts
    elsewhere: SignInElsewhere | None
    """None: nobody signs in at an OpenID provider."""


def open_people(
    ground: Ground,
    passwords: Passwords | None = None,
    provider: tuple[IdentityProvider, Admission] | None = None,
) -> People:
    """Wire them."""
    compare = passwords or Passwords()
    keys = Passkeys(ground)
    door = Door(ground, compare, keys)
    return People(
        door=door,
        elsewhere=SignInElsewhere(ground, door, *provider) if provider is not None else None,
        accounts=Keeping(ground, compare, keys),
        drafts=KeptDrafts(ground),
    )
