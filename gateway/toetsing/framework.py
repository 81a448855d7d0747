"""Looking at a proposal and confirming it, for who has a running process of the OM."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from gateway.config_gate import ApprovalSettings
from gateway.errors import Misconfigured, NoRoute
from gateway.installation import load_directory, load_installation
from gateway.ports import Clock, Dice, Revoked
from gateway.saying import Line
from gateway.toetsing.bundle import Bundle, unzip
from gateway.toetsing.confirming import check_proposal, confirmed_by
from gateway.toetsing.difference import differences
from gateway.toetsing.effects import Effects, effects
from gateway.toetsing.kept import (
    Kept,
    confirmed_before,
    kept,
    remember,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposed:
    """A proposal beside what was confirmed last for the same police."""

    bundle: Bundle
    before: Bundle | None
    lines: tuple[Line, ...]
    """What differs; empty = nothing."""
    effects: Effects
    """What becomes of messages; nothing where nothing was confirmed before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A standing approval in the newest confirmation of a police."""

    police: str
    approval: ApprovalSettings
    until: datetime
    """Its own end, or that of the confirmation."""
    revoked: Revoked | None


def newest(history: Iterable[Kept]) -> Mapping[str, Kept]:
    """Return the first of each police, of words that stand newest first."""
    found: dict[str, Kept] = {}
    for one in history:
        found.setdefault(one.said.politie, one)
    return found


def _of_word(word: Kept, revoked: Mapping[tuple[str, str], Revoked]) -> Iterator[Standing]:
    police, end = word.said.politie, word.said.geldig_tot
    try:
        approvals = word.bundle().approvals.toestemmingen
    except Misconfigured:  # the file was damaged: the word itself is shown all the same
        return
    for one in approvals:
        until = min(one.geldig_tot, end)
        yield Standing(
            police=police, approval=one, until=until, revoked=revoked.get((police, one.id))
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Framework:
    """Works on the files of one installation, on a thread."""

    folder: Path
    clock: Clock
    dice: Dice

    async def look(self, octets: bytes) -> Proposed:
        """Return what a zip proposes; raises Misconfigured `toetsing.*`, `config.*`, `gate.*`."""
        return await asyncio.to_thread(self._look, octets)

    async def history(self) -> tuple[Kept, ...]:
        """Return what was confirmed here, newest first."""
        return await asyncio.to_thread(lambda: kept(load_installation(self.folder)))

    async def standing(
        self, words: Iterable[Kept], revoked: Iterable[Revoked]
    ) -> tuple[Standing, ...]:
        """Return the standing approvals of these words.

        `revoked` is what officers took back here, in the console or not.
        """
        known = {(one.police, one.approval): one for one in revoked}
        return await asyncio.to_thread(
            lambda: tuple(found for word in words for found in _of_word(word, known))
        )

    async def find(self, sha256: str) -> Kept:
        """Return one of them by its digest; raises NoRoute `toetsing.onvindbaar`."""
        found = next((one for one in await self.history() if one.sha256 == sha256), None)
        if found is None:
            raise NoRoute("toetsing.onvindbaar", "Deze bevestiging is hier niet bekend.")
        return found

    async def confirm(
        self,
        octets: bytes,
        *,
        officer: str,
        last_day: date,
        record: Callable[[bytes, Bundle], Awaitable[object]],
    ) -> bytes:
        """Sign the proposal, have it recorded, keep it, and return the signed word.

        Raises as `look` and `confirmed_by`, and what `record` raises; then nothing is kept.
        """
        bundle, word = await asyncio.to_thread(self._signed, octets, officer, last_day)
        await record(word, bundle)
        await asyncio.to_thread(lambda: remember(load_installation(self.folder), bundle, word))
        return word

    def _look(self, octets: bytes) -> Proposed:
        installation = load_installation(self.folder)
        bundle = unzip(octets)
        directory = load_directory(installation, epoch=0)
        check_proposal(directory, bundle)
        before = confirmed_before(installation, bundle.police)
        return Proposed(
            bundle=bundle,
            before=before,
            lines=tuple(differences(before, bundle)),
            effects=Effects() if before is None else effects(before, bundle, name=directory.name),
        )

    def _signed(self, octets: bytes, officer: str, last_day: date) -> tuple[Bundle, bytes]:
        bundle = unzip(octets)
        word = confirmed_by(
            load_installation(self.folder),
            bundle,
            officier=officer,
            last_day=last_day,
            at=self.clock.now(),
            id_=self.dice.uuid(),
        )
        return bundle, word
