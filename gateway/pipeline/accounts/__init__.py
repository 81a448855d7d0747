"""People who use the console: their accounts, how they sign in, what they have begun."""

from dataclasses import dataclass

from gateway.pipeline.accounts.door import Door
from gateway.pipeline.accounts.keeping import Keeping, KeptDrafts
from gateway.pipeline.accounts.passkeys import Passkeys
from gateway.pipeline.accounts.passwords import Passwords
from gateway.pipeline.accounts.people import Ground, Key, Rules

__all__ = ["Key", "People", "Rules", "open_people"]


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The three ports, over one set of rows."""

    door: Door
    accounts: Keeping
    drafts: KeptDrafts


def open_people(ground: Ground, passwords: Passwords | None = None) -> People:
    """Wire them."""
    compare = passwords or Passwords()
    keys = Passkeys(ground)
    return People(
        door=Door(ground, compare, keys),
        accounts=Keeping(ground, compare, keys),
        drafts=KeptDrafts(ground),
    )
