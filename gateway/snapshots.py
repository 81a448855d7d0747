"""The Directory as the files say it, and how it is read again while messages go on."""

import asyncio
import contextlib
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import structlog

from gateway.catalogue import Role
from gateway.directory import Directory
from gateway.errors import Finding, Misconfigured, StaleSnapshot
from gateway.explainer import Explainer
from gateway.installation import Installation, load_directory, load_installation, share
from gateway.keys.console_key import load_console_key
from gateway.pipeline.systems import is_genuine
from gateway.ports import Clock
from gateway.rules.settings import deviations
from gateway.rules.tokens import KeptToken, with_tokens
from gateway.security.certificates import TrustStore
from gateway.store.store import Store
from gateway.wire.schema import MAX_FINDINGS, SchemaSet

log = structlog.get_logger("gateway.snapshots")

RELOAD_SECONDS = 3.0
"""How long a message waits for the files that another process has loaded already."""


def load_schemas(
    installation: Installation, directory: Directory, *, before: SchemaSet | None = None
) -> SchemaSet:
    """Compile the XSDs of the catalogue and of the packs; raises Misconfigured `schema.pack`.

    What `before` has from the same octets is not compiled again.
    """
    folder = installation.settings.paths.schemas
    return SchemaSet.load(
        installation.path(folder) if folder is not None else share("schemas"),
        directory.catalogue,
        packs=directory.packs,
        activations=directory.activations,
        before=before,
    )


class FileSnapshots:
    """The Directory as the files of the installation say it, with its schemas compiled."""

    def __init__(
        self, installation: Installation, directory: Directory, schemas: SchemaSet, clock: Clock
    ) -> None:
        """Start with a directory that has its epoch; `load` makes one."""
        self._installation = installation
        self._clock = clock
        self._directory = directory
        self._trust = TrustStore(directory.trust)
        self._schemas = schemas
        self._swapped = asyncio.Event()

    @classmethod
    async def load(cls, installation: Installation, store: Store, clock: Clock) -> "FileSnapshots":
        """Read the files; a change since the last time moves the security epoch."""
        fresh, schemas = await asyncio.to_thread(_read, installation, clock.now(), None)
        await _take_in(fresh, store)
        directory = await _with_epoch(fresh, installation, store, was=None)
        _log_rules(directory, clock.now())
        return cls(installation, directory, schemas, clock)

    def current(self) -> Directory:
        return self._directory

    async def moved(self, epoch: int) -> bool:
        """Wait a few seconds at most for a directory of another epoch."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RELOAD_SECONDS):
                while self._directory.epoch == epoch:
                    await self._swapped.wait()
        return self._directory.epoch != epoch

    def trust(self, directory: Directory) -> TrustStore:
        """Return the parsed trust; that of an older snapshot is parsed again."""
        if directory.trust is self._directory.trust:
            return self._trust
        return TrustStore(directory.trust)

    def schemas(self, directory: Directory) -> SchemaSet:
        """Return the compiled schemas of that snapshot; raises StaleSnapshot for an older one."""
        if directory is not self._directory:
            raise StaleSnapshot("epoch.moved", "the directory changed meanwhile")
        return self._schemas

    async def reload(self, store: Store) -> bool:
        """Read the files again; False when nothing changed.

        Only schemas that are new are compiled, on a thread: messages go on by the old ones.
        Raises Misconfigured, and keeps what it had; `directory.differs` when another process
        works by other files.
        """
        old = self._directory
        plain, schemas = await asyncio.to_thread(
            _read, self._installation, self._clock.now(), self._schemas
        )
        await _take_in(plain, store)
        fresh = await _with_epoch(plain, self._installation, store, was=old.fingerprint)
        if (fresh.fingerprint, fresh.epoch) == (old.fingerprint, old.epoch):
            return False
        _log_rules(fresh, self._clock.now())
        self._trust = TrustStore(fresh.trust)
        self._schemas = schemas
        self._directory = fresh
        self._swapped.set()
        self._swapped = asyncio.Event()
        return True


def _read(
    installation: Installation, now: datetime, before: SchemaSet | None
) -> tuple[Directory, SchemaSet]:
    """Read gateway.toml again as well: parties, suspensions and back-ends stand there.

    The schemas compile before the epoch moves: a wrong one changes nothing. A confirmation of
    the gate that lapsed stops the start; a process that runs goes on with a gate that holds.
    """
    fresh = load_installation(installation.folder)
    directory = load_directory(fresh, epoch=0, at=now, lapse_closes=before is not None)
    return directory, load_schemas(fresh, directory, before=before)


async def _without_revoked(plain: Directory, store: Store) -> Directory:
    """Standing approvals that were withdrawn count no more; the fingerprint tells them, too."""
    revoked = await store.holds.revoked(one.id for one in plain.gate.approvals)
    if not revoked:
        return plain
    mark = _mark(plain, *sorted(revoked))
    return replace(plain, gate=replace(plain.gate, revoked=revoked), fingerprint=mark)


def _mark(plain: Directory, *told: str) -> str:
    return sha256("\n".join((plain.fingerprint, *told)).encode()).hexdigest()


async def _with_console_tokens(
    plain: Directory, installation: Installation, store: Store
) -> Directory:
    """Tokens that were made in the console count as well; what was ended there counts no more."""
    kept = await store.tokens.kept()
    known = {token.sha256 for one in plain.backends for token in one.credentials.tokens}
    ended = await store.tokens.ended(known | {one.sha256 for one in kept})
    genuine = await asyncio.to_thread(genuine_tokens, installation, kept) if kept else ()
    backends = with_tokens(plain.backends, genuine, ended)
    if backends == plain.backends:
        return plain
    mark = _mark(plain, *sorted(ended), *sorted(one.rights for one in genuine))
    return replace(plain, backends=backends, fingerprint=mark)


def genuine_tokens(
    installation: Installation, kept: tuple[KeptToken, ...]
) -> tuple[KeptToken, ...]:
    """Return those that a console with our key made; without the key, none. Blocks."""
    path = installation.path(installation.settings.console.key)
    try:
        key = load_console_key(path, make=False)
    except Misconfigured as error:
        log.error("tokens.without_key", code=error.code, where=error.where)
        return ()
    good = tuple(one for one in kept if is_genuine(one, key))
    if len(good) < len(kept):
        log.error("tokens.not_genuine", tokens=len(kept) - len(good))
    return good


async def _take_in(directory: Directory, store: Store) -> None:
    """Let the OM's word on the gate count, unless a later one did; say so when there is none.

    Raises Misconfigured `gate.role` where a gate stood and the file says that nobody needs one.
    """
    gate, me = directory.gate, directory.parties[directory.me]
    if me.role is not Role.POLITIE and await store.confirmations.counted_for(me.oin):
        raise Misconfigured(
            "gate.role",
            "Hier stond de poort van een politie; de eigen partij heeft een andere rol.",
        )
    if gate.confirmation is not None:
        await store.confirmations.take_in(gate.confirmation)
    elif gate.fault:
        log.warning("gate.unconfirmed", reason=gate.fault)


async def _with_epoch(
    plain: Directory, installation: Installation, store: Store, *, was: str | None
) -> Directory:
    fresh = await _without_revoked(plain, store)
    fresh = await _with_console_tokens(fresh, installation, store)
    return replace(fresh, epoch=await store.sync_epoch(fresh.fingerprint, was=was))


def _log_rules(directory: Directory, now: datetime) -> None:
    """Say which business rules count otherwise for whom: nobody is let through unseen."""
    for party, setting in deviations(directory.parties.values(), at=now):
        log.warning(
            "rule.deviates",
            party=party.oin,
            rule=setting.rule,
            severity=str(setting.severity),
            until=str(setting.until or ""),
        )


class Explaining:
    """The explain port: asks the child process."""

    def __init__(self, snapshots: FileSnapshots, explainer: Explainer) -> None:
        """Take both; the caller closes the explainer."""
        self._snapshots = snapshots
        self._explainer = explainer
        self._warm: frozenset[tuple[str, Path]] | None = None

    async def warm(self) -> None:
        """Have every schema compiled, so that no first refusal waits."""
        self._warm = self._entries()
        await self._explainer.warm(sorted({path for _, path in self._warm}))

    async def renew(self) -> None:
        """Start again with other schemas, where it was warm with those of before."""
        if self._warm is not None and self._warm != self._entries():
            await self._explainer.close()  # what it has compiled may stand elsewhere now
            await self.warm()

    def _entries(self) -> frozenset[tuple[str, Path]]:
        return self._snapshots.schemas(self._snapshots.current()).entries

    async def __call__(self, octets: bytes, schema: Path) -> tuple[Finding, ...]:
        return await self._explainer.explain(octets, schema, max_errors=MAX_FINDINGS)
