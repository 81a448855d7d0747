"""When each credential let its system in last, kept in memory until it is written down."""

from collections.abc import Iterable
from datetime import datetime

from gateway.ports.tokens import Tokens, Use


class LastUses:
    """Of one process. What was not written when it ends is lost: a minute at most."""

    def __init__(self) -> None:
        """Nothing was used yet."""
        self._uses: dict[str, datetime] = {}

    def note(self, digests: Iterable[str], at: datetime) -> None:
        """Remember the moment of these credentials."""
        for digest in digests:
            self._uses[digest] = at

    async def write_down(self, tokens: Tokens) -> None:
        """Hand it to the store; raises StoreUnavailable, and keeps it then."""
        uses, self._uses = self._uses, {}
        try:
            await tokens.used(Use(digest, at) for digest, at in uses.items())
        except BaseException:
            self._uses = uses | self._uses
            raise
