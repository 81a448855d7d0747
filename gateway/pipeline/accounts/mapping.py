"""What somebody may here, by what the provider says of him: an allow-list, and no choosing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateway.credentials import UserRole
from gateway.errors import PolicyViolation
from gateway.pipeline.accounts.keeping import ALONE
from gateway.security.oidc import values_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """Roles that go together, with an officer where they need one."""

    roles: frozenset[UserRole]
    officer: str


NOTHING = Rights(roles=frozenset(), officer="")


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleMapping:
    """What the settings say of claims."""

    claim: str
    roles: Mapping[str, UserRole]
    """Value of that claim → role; empty gives nobody anything."""
    officer_claim: str = "sub"
    officers: Mapping[str, str] = field(default_factory=dict)
    """Value of that claim → id in `[[officieren]]`."""

    def rights(self, claims: Mapping[str, Any]) -> Rights:
        """Return what these claims give.

        Raises PolicyViolation `oidc.role` (nothing), `oidc.roles` (roles that do not go
        together: none of them is taken), `oidc.officer` (an officer who is not one of ours).
        """
        values = values_of(claims, self.claim)
        roles = frozenset(self.roles[value] for value in values if value in self.roles)
        if not roles:
            raise PolicyViolation("oidc.role", "U hebt in de inlogvoorziening geen rol voor hier.")
        if roles & ALONE and len(roles) > 1:
            raise PolicyViolation(
                "oidc.roles", "Uw rollen in de inlogvoorziening gaan hier niet samen."
            )
        return Rights(
            roles=roles, officer=self._officer(claims) if UserRole.OFFICIER in roles else ""
        )

    def _officer(self, claims: Mapping[str, Any]) -> str:
        values = values_of(claims, self.officer_claim)
        found = {self.officers[value] for value in values if value in self.officers}
        if len(found) != 1:
            raise PolicyViolation(
                "oidc.officer", "De inlogvoorziening zegt niet welke officier u bent."
            )
        return found.pop()
