"""Receivers of webhooks on loopback, over real TLS, and what calls them."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web

from gateway.catalogue import Catalogue
from gateway.config import WebhookEvent, WebhooksSettings
from gateway.directory import ClassificationTable, Directory, Gate, Subscriber, Trust, Webhook
from gateway.keys.test_pki import Leaf
from gateway.message import Oin
from gateway.outbound.tls import KeyPair, server_context
from gateway.outbound.webhook import WebhookClient
from gateway.security.certificates import TrustStore
from gateway.web.listener import listen
from tests import pki

HOST = "hook.politie.example"
SECRET = bytes(range(32))
PARTY = Oin(pki.POLITIE)
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Clock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


class Snapshots:
    """The directory of now; a test puts another one in its place."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory

    def current(self) -> Directory:
        return self.directory

    async def moved(self, epoch: int) -> bool:
        return False

    def trust(self, directory: Directory) -> TrustStore:
        raise AssertionError("nobody asks")


def webhook(name: str = "bvh", url: str = f"https://{HOST}/in", **changes) -> Webhook:
    given = {
        "name": name,
        "backend": "bvh",
        "party": PARTY,
        "applicaties": frozenset({"BVH"}),
        "events": frozenset({WebhookEvent.WAITING, WebhookEvent.STATUS}),
    }
    secrets = changes.pop("secrets", (SECRET,))
    return Webhook(subscriber=Subscriber(**(given | changes)), url=url, secrets=secrets)


def directory(*webhooks: Webhook, **settings) -> Directory:
    return Directory(
        epoch=1,
        fingerprint="",
        me=PARTY,
        parties={},
        agreements={},
        catalogue=Catalogue({}),
        services={},
        gate=Gate(table=ClassificationTable(version="1", messages=frozenset())),
        trust=Trust(anchors=()),
        webhooks=webhooks or (webhook(),),
        calling=WebhooksSettings.model_validate(
            {"toegestaan": ("127.0.0.0/8",), "ca": "ca.pem"} | settings
        ),
    )


@dataclass
class Names:
    """A name server: what each look-up finds, the last answer for ever."""

    answers: list[tuple[str, ...]] = field(default_factory=lambda: [("127.0.0.1",)])
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def __call__(self, host: str, port: int) -> tuple[str, ...]:
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def client(
    folder: Path, directory: Directory | Snapshots, names: Names | None = None
) -> WebhookClient:
    """What calls; the CA of the tests is in `ca.pem`."""
    (folder / "ca.pem").write_bytes(_pem(pki.live().root) + _pem(pki.live().issuing))
    given = directory if isinstance(directory, Snapshots) else Snapshots(directory)
    return WebhookClient(
        current=given.current,
        clock=Clock(),
        path=lambda path: folder / path,
        resolve=names or Names(),
    )


def _pem(der: bytes) -> bytes:
    return ssl.DER_cert_to_PEM_cert(der).encode()


def leaf(*hosts: str) -> Leaf:
    return pki.live().issue(oin=pki.POLITIE, name="TEST Systeem", hosts=hosts or (HOST,))


@dataclass
class Receiver:
    """What came in, and how it answers."""

    port: int = 0
    seen: list[web.Request] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    """One per request; the last one for ever."""

    async def receive(self, request: web.Request) -> web.StreamResponse:
        self.bodies.append(await request.read())
        self.seen.append(request)
        if not self.answers:
            return web.Response(status=204)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return await answer(request)

    def url(self, host: str = HOST, scheme: str = "https") -> str:
        return f"{scheme}://{host}:{self.port}/in"

    def ids(self) -> list[str]:
        return [request.headers["webhook-id"] for request in self.seen]


def status(code: int, **headers: str) -> Answer:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=code, headers=headers)

    return answer


@asynccontextmanager
async def receiving(
    folder: Path, *, own: Leaf | None = None, tls: bool = True, **given
) -> AsyncIterator[Receiver]:
    """A back-end that receives, on a free port of loopback."""
    receiver = Receiver(**given)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.receive)
    context = server_context(_written(folder, own or leaf())) if tls else None
    listener = await listen(app, host="127.0.0.1", port=0, tls=context)
    receiver.port = listener.port
    try:
        yield receiver
    finally:
        await listener.close()


def _written(folder: Path, own: Leaf) -> KeyPair:
    name = f"hook-{len(list(folder.glob('hook-*.pem')))}"
    own.write(folder, name)
    return KeyPair(certificate=folder / f"{name}.pem", key=folder / f"{name}.key")


def at(receiver: Receiver, one: Webhook | None = None) -> Webhook:
    """The webhook with the address of this receiver."""
    return replace(one or webhook(), url=receiver.url())


@dataclass
class Called:
    """What was counted."""

    outcomes: list[str] = field(default_factory=list)

    def called(self, outcome: str, n: int = 1) -> None:
        self.outcomes += [outcome] * n


@dataclass(kw_only=True)
class House:
    """The ports that calling needs."""

    clock: object
    dice: object
    snapshots: Snapshots
    webhooks: object
    caller: object
    count: Called = field(default_factory=Called)
