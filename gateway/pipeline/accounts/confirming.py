"""A person confirms that a letter came, by the link in it: nobody signs in for that."""

from gateway.errors import Untrusted
from gateway.pipeline.accounts.door import Door
from gateway.pipeline.accounts.people import digest_of
from gateway.ports.accounts import Whence
from gateway.ports.mail import Links


class Confirming:
    """Takes the token of a link."""

    def __init__(self, door: Door, links: Links) -> None:
        """Take what counts failures, and the links."""
        self._door = door
        self._links = links

    async def confirm(self, token: str, whence: Whence) -> None:
        """Close the letter as received.

        Raises Untrusted `portal.link` alike for a token that is none, was used, or is over; those
        count as failed sign-ins of the address: Limited `console.vergrendeld` after too many.
        """
        await self._door.check_lock("", whence)
        if not await self._links.confirm(digest_of(token)):
            await self._door.failed("", whence, "bevestigingslink")
            raise Untrusted("portal.link", "Deze link geldt niet (meer).")
