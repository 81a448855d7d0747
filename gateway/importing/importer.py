"""Looking at what is offered and putting it in place, for who has a running process to tell."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import GatewayError
from gateway.importing.agreement_placing import place_agreement, take_back
from gateway.importing.agreements import (
    AgreementProposal,
    looking_at,
    propose_agreement,
    turned_down,
)
from gateway.importing.certificates import Proposal, places_of, propose
from gateway.importing.live import wait_until_shown
from gateway.importing.replaced import listeners
from gateway.importing.turn import turn_of
from gateway.installation import Installation, load_directory, load_installation
from gateway.keys.offered import Target, holds_key, read
from gateway.keys.placing import place, put_back
from gateway.keys.renewal import Judge
from gateway.keys.renewal_texts import refuse
from gateway.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What came in by a form: never a private key."""

    octets: bytes
    target: Target | None = None
    """None: what the file says itself."""
    fingerprint: str = ""
    """Of an anchor, as the issuer publishes it."""


def writable(folder: Path) -> bool:
    """Tell whether this process may make files there; a file system can refuse it as well."""
    return os.access(folder, os.W_OK | os.X_OK)


@dataclass(slots=True, kw_only=True)
class Importer:
    """Works on the files of one installation, on a thread; one change at a time."""

    folder: Path
    clock: Clock
    may_write: Callable[[Path], bool] = writable

    async def look(self, asked: Asked) -> Proposal:
        """Return what would be put in place; raises GatewayError `certs.*`, Misconfigured."""
        return (await asyncio.to_thread(self._look, asked))[1]

    def _look(self, asked: Asked) -> tuple[Installation, Proposal]:
        if holds_key(asked.octets):
            raise refuse("key_uploaded")
        installation = load_installation(self.folder)
        directory = load_directory(installation, epoch=0, tolerant=True)
        judge = Judge(
            directory=directory,
            now=self.clock.now(),
            fingerprint=asked.fingerprint.replace(" ", ""),
        )
        offered = read(asked.octets, None, where="")
        try:
            return installation, propose(
                installation, directory, judge, offered, asked.target, may_write=self.may_write
            )
        except GatewayError as error:
            if error.code == "certs.key_missing":
                raise refuse("key_elsewhere") from error
            raise

    async def put(
        self, asked: Asked, *, mark: str, record: Callable[[Proposal], Awaitable[object]]
    ) -> Proposal:
        """Write what was looked at, and have it recorded; what is not recorded is put back.

        `mark` is that of the proposal that was seen. Raises GatewayError `certs.*` (`certs.moved`
        when it is another by now), and what `record` raises; then nothing was changed.
        """
        async with turn_of(self.folder):
            installation, proposal = await asyncio.to_thread(self._look, asked)
            if proposal.mark != mark or not proposal.placeable:
                raise refuse("moved")
            placed = await asyncio.to_thread(
                place, proposal.checked, places_of(installation), self.clock.now()
            )
            with _or(lambda: put_back(placed)):
                await record(proposal)
        return proposal

    # --- agreements ---

    async def look_agreement(self, octets: bytes) -> AgreementProposal:
        """Return what would be put in place; raises GatewayError `cpa.*`, `cpas.*`, `xml.*`."""
        return await asyncio.to_thread(self._look_agreement, octets)

    def _look_agreement(self, octets: bytes) -> AgreementProposal:
        installation = load_installation(self.folder)
        looking = looking_at(installation, self.clock.now(), may_write=self.may_write)
        return propose_agreement(looking, octets)

    async def put_agreement(
        self,
        octets: bytes,
        *,
        mark: str,
        record: Callable[[AgreementProposal], Awaitable[object]],
    ) -> AgreementProposal:
        """Write what was looked at, and have it recorded; what is not recorded is put back.

        Raises as `look_agreement`, `cpas.moved`, and what `record` raises.
        """
        async with turn_of(self.folder):
            proposal = await self.look_agreement(octets)
            if proposal.mark != mark:
                raise turned_down("moved")
            placed = await asyncio.to_thread(
                place_agreement, proposal.file, octets, self.clock.now()
            )
            with _or(lambda: take_back(placed)):
                await record(proposal)
        return proposal

    # --- what came of it ---

    async def shown(self, proposal: Proposal) -> bool | None:
        """Tell whether the listener shows it; None: it has none, or nobody listens here."""
        installation = await asyncio.to_thread(load_installation, self.folder)
        listener = listeners(installation).get(proposal.target)
        if listener is None:
            return None
        shared = installation.settings.database.url is not None
        try:
            return await asyncio.to_thread(
                wait_until_shown, listener, proposal.checked.sha256, shared=shared
            )
        except GatewayError:
            return False


@contextmanager
def _or(undo: Callable[[], None]) -> Iterator[None]:
    """Undo what was written when it can not be recorded, also when the task is cancelled."""
    try:
        yield
    except BaseException:
        undo()
        raise
