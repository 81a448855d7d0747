"""What is asked of the accounts from the command line, as it travels to the process that writes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.credentials import UserRole
from gateway.errors import NoRoute, PolicyViolation
from gateway.pipeline.accounts.keeping import Keeping
from gateway.ports.accounts import Account

MOST = 200
"""Characters of each field."""
_TEXTS = ("login", "door", "naam", "officier", "reden", "sub", "partij")


class Ask(StrEnum):
    """What is asked; each is also the end of its path."""

    ADD = "toevoegen"
    CHANGE = "wijzigen"
    RECOVER = "herstellen"
    UNLOCK = "ontgrendelen"
    CLOSE = "sluiten"
    LINK = "koppelen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One of them. Raises PolicyViolation `command.*` for what nobody can have meant."""

    ask: Ask
    login: str
    door: str
    name: str = ""
    roles: tuple[str, ...] = ()
    officer: str = ""
    why: str = ""
    subject: str = ""
    """Of the person at the OpenID provider."""
    party: str = ""
    """OIN of the partner that an ontvanger is of."""

    def __post_init__(self) -> None:
        """Keep audit rows short and readable."""
        texts = (self.login, self.door, self.name, self.officer, self.why, self.party, *self.roles)
        if any(len(text) > MOST or not (text.isprintable()) for text in texts) or not self.door:
            raise PolicyViolation("command.body", "Het verzoek is geen opdracht.")

    def fields(self) -> Mapping[str, object]:
        """Return it as JSON, without what is asked."""
        return {
            "login": self.login,
            "door": self.door,
            "naam": self.name,
            "rollen": list(self.roles),
            "officier": self.officer,
            "reden": self.why,
            "sub": self.subject,
            "partij": self.party,
        }


def read_order(ask: Ask, fields: Mapping[str, object]) -> Order:
    """Return what was sent; raises PolicyViolation `command.body`."""
    roles = fields.get("rollen", [])
    texts = {k: fields.get(k, "") for k in _TEXTS}
    plain = isinstance(roles, list) and all(isinstance(role, str) for role in roles)
    if not plain or not all(isinstance(text, str) for text in texts.values()):
        raise PolicyViolation("command.body", "Het verzoek is geen opdracht.")
    return Order(
        ask=ask,
        login=str(texts["login"]),
        door=str(texts["door"]),
        name=str(texts["naam"]),
        roles=tuple(str(role) for role in roles) if isinstance(roles, list) else (),
        officer=str(texts["officier"]),
        why=str(texts["reden"]),
        subject=str(texts["sub"]),
        party=str(texts["partij"]),
    )


async def carry_out(accounts: Keeping, order: Order) -> dict[str, str]:
    """Do it; return the login and, where there is one, the activation code."""
    if order.ask is Ask.ADD:
        account, code = await accounts.add(
            login=order.login,
            name=order.name,
            roles=_roles(order.roles),
            officer=order.officer,
            party=order.party,
            by=order.door,
        )
        return {"login": account.login, "code": code}
    account = await _found(accounts, order.login)
    code = ""
    match order.ask:
        case Ask.CHANGE:
            await accounts.change(
                account.id,
                name=order.name or account.name,
                roles=_roles(order.roles) if order.roles else account.roles,
                officer=order.officer,
                party=order.party,
                by=order.door,
            )
        case Ask.RECOVER:
            code = await accounts.recover(account.id, by=order.door, why=order.why)
        case Ask.UNLOCK:
            await accounts.unlock(account.id, by=order.door)
        case Ask.CLOSE:
            await accounts.close(account.id, by=order.door, why=order.why)
        case Ask.LINK:
            await accounts.link(account.id, subject=order.subject, by=order.door)
    return {"login": account.login, "code": code}


async def _found(accounts: Keeping, login: str) -> Account:
    account = await accounts.find_login(login.strip().lower())
    if account is None:
        raise NoRoute("console.gebruiker.onbekend", "Dit account is er niet.")
    return account


def _roles(names: tuple[str, ...]) -> frozenset[UserRole]:
    try:
        return frozenset(UserRole(name) for name in names)
    except ValueError:
        known = ", ".join(UserRole)
        raise PolicyViolation("console.gebruiker.rollen", f"De rollen zijn: {known}.") from None
