"""The story: receive · judge · release · deliver."""

from datetime import timedelta

from gateway.directory import Backend
from gateway.message import Aanlevering, Inbound, Oin
from gateway.pipeline.admit import Admitting
from gateway.pipeline.again import SendingAgain
from gateway.pipeline.asking import Asking
from gateway.pipeline.deliver import Delivering
from gateway.pipeline.desk import Deciding
from gateway.pipeline.enquiring import Enquiring, Heard
from gateway.pipeline.handin import HandingIn
from gateway.pipeline.house import House
from gateway.pipeline.incoming import Incoming
from gateway.pipeline.mail_messages import MailMessages
from gateway.pipeline.mail_receipts import MailReceipts
from gateway.pipeline.pickup import PickingUp
from gateway.pipeline.postvak import Closing, Weigering
from gateway.pipeline.quarantined import Quarantined
from gateway.pipeline.receipt import Receipt
from gateway.pipeline.receive import Receiver
from gateway.pipeline.showing import Showing
from gateway.pipeline.signalling import Signalling
from gateway.pipeline.switching import Switched, Switching
from gateway.pipeline.trying import Trial, Trying
from gateway.pipeline.undeliverable import Telling
from gateway.pipeline.webhooks import Calling
from gateway.ports import (
    Answer,
    Claim,
    Holds,
    Inbox,
    Payloads,
    Postvak,
    PostvakItem,
    Reader,
    Snapshots,
)
from gateway.ports.incoming import Arrived

__all__ = ["Gateway", "House", "Receipt", "Trial", "Weigering"]


class Gateway:
    """One installation, without its sockets: what web and worker call."""

    def __init__(self, house: House) -> None:
        """Take the ports."""
        self._house = house
        signalling = Signalling(house)
        self._receiver = Receiver(house, signalling)
        self._enquiring = Enquiring(house, signalling)
        self._handing_in = HandingIn(house)
        self._again = SendingAgain(house, self._handing_in)
        self._trying = Trying(house)
        self._switching = Switching(house, self._enquiring)
        self._closing = Closing(house)
        self._showing = Showing(house)
        self.pickup = PickingUp(house)
        """Where persons of partners read what waits at the portal."""
        self._delivering = Delivering(house, signalling)
        self._telling = Telling(house)
        self._asking = Asking(house)
        self._incoming = Incoming(
            house, messages=MailMessages(house, Admitting(house)), receipts=MailReceipts(house)
        )
        self.quarantined = Quarantined(house)
        """What people do about mail that no system took in."""
        self.deciding = Deciding(house)
        """Where officers decide."""
        self.calling = Calling(house)
        """Webhooks: what is owed to them, tests, and switching on."""

    async def receive(self, inbound: Inbound) -> Answer:
        """Take in one ebMS request; never raises: every error is an Answer."""
        return await self._receiver.receive(inbound)

    async def take_mail(self, mail: Arrived) -> None:
        """Take in one mail; see `Incoming.take`."""
        await self._incoming.take(mail)

    async def hand_in(self, octets: bytes, aanlevering: Aanlevering, backend: Backend) -> Receipt:
        """Take in a message of a back-end; raises Refused or Unavailable."""
        return await self._handing_in.hand_in(octets, aanlevering, backend)

    async def send_again(self, message: str, *, who: str, why: str) -> Receipt:
        """Hand in what was refused with a Fo01 once more; see `SendingAgain`."""
        return await self._again.send_again(message, who=who, why=why)

    async def switch_to_mail(self, id_: str, *, who: str, why: str) -> Switched:
        """Let a message that can not wait go on by e-mail; see `Switching`."""
        return await self._switching.switch(id_, who=who, why=why)

    async def switch_standing(self) -> int:
        """Let go by e-mail what a standing ground is for; return how many."""
        return await self._switching.switch_standing()

    async def ping(self, party: Oin, *, who: str) -> Heard:
        """Ask whether a partner is there; see `Enquiring`."""
        return await self._enquiring.ping(party, who=who)

    async def ask_status(self, id_: str, *, who: str) -> Heard:
        """Ask the recipient what became of a message; see `Enquiring.status`."""
        return await self._enquiring.status(id_, who=who)

    async def try_out(self, octets: bytes, aanlevering: Aanlevering, backend: Backend) -> Trial:
        """Judge as `hand_in` would, and change nothing; raises Unavailable."""
        return await self._trying.try_out(octets, aanlevering, backend)

    async def collect(
        self,
        backend: Backend,
        applicaties: tuple[str, ...],
        *,
        limit: int,
        lease: timedelta,
        kind: str | None = None,
    ) -> tuple[PostvakItem, ...]:
        """Lease what waits in a postvak, proven by its octets; see `Showing.collect`."""
        return await self._showing.collect(
            backend, applicaties, limit=limit, lease=lease, kind=kind
        )

    async def reach(self, delivery: str, backend: Backend, *, lease: timedelta) -> PostvakItem:
        """Return what lies in the postvak, as a look would; raises NoRoute `postvak.unknown`."""
        return await self._closing.reach(delivery, backend, lease=lease)

    async def confirm(self, delivery: str, backend: Backend) -> bool:
        """Confirm with a Bv01; False when it was confirmed before.

        Raises NoRoute `postvak.unknown`, DuplicateConflict `postvak.closed`.
        """
        return await self._closing.close(delivery, backend, None)

    async def refuse(self, delivery: str, backend: Backend, weigering: Weigering) -> bool:
        """Refuse with a Fo01; False when it was refused before. Raises as `confirm`."""
        return await self._closing.close(delivery, backend, weigering)

    async def deliver(self, claim: Claim) -> None:
        """Make one attempt at a claimed delivery."""
        await self._delivering.deliver(claim)

    async def tell_senders(self) -> int:
        """Make the Fo01s for what could not be delivered; return how many."""
        return await self._telling.tell()

    async def ask_om(self) -> int:
        """Put what is held to the OM, and tell it what it need not decide; return how many."""
        return await self._asking.ask() + await self._asking.cancel()

    async def watch_holds(self) -> None:
        """Warn of what waits for the OM, here as holder and as the desk."""
        fractions = self._house.snapshots.current().deciding.momenten
        await self._house.holds.watch(fractions)
        await self._house.desk.watch(fractions)

    async def close(self) -> None:
        """End what is under way beside; write down what is still being counted."""
        await self._receiver.close()

    @property
    def postvak(self) -> Postvak:
        return self._house.postvak

    @property
    def reader(self) -> Reader:
        return self._house.reader

    @property
    def inbox(self) -> Inbox:
        return self._house.inbox

    @property
    def payloads(self) -> Payloads:
        return self._house.payloads

    @property
    def holds(self) -> Holds:
        return self._house.holds

    @property
    def snapshots(self) -> Snapshots:
        return self._house.snapshots
