"""A partner that does not check what it sends: Halt, speaking ebMS2 by hand.

It seals what it is told to, changes octets where the demo wants that, and keeps what comes
back. It is a party like the others: own keys, own agreement with the knooppunt.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Self
from uuid import uuid4

import aiohttp
from aiohttp import web

from gateway.cli.demo.letter import sealed
from gateway.directory import MSH_SERVICE, Agreement, Limits
from gateway.message import Acknowledgment, ErrorList, Header, Manifest, Oin
from gateway.ports import Keyring
from gateway.security import seal
from gateway.security.certificates import TrustStore
from gateway.security.open import Opened, open_message
from gateway.wire.ebms2 import header as wire
from gateway.wire.ebms2 import signals
from gateway.wire.stuf import Document, read_document

Change = Callable[[bytes], bytes]
DOMAIN = "demo.dkintern.nl"


@dataclass(slots=True, kw_only=True)
class Partner:
    """One party without an access point."""

    oin: Oin
    agreement: Agreement
    keyring: Keyring
    trust: TrustStore
    server_tls: ssl.SSLContext
    client_tls: ssl.SSLContext
    port: int
    documents: "asyncio.Queue[Document]" = field(default_factory=asyncio.Queue)
    signals: "asyncio.Queue[Opened]" = field(default_factory=asyncio.Queue)
    _runner: web.AppRunner | None = field(default=None)
    _task: "asyncio.Task[None] | None" = field(default=None)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/ebms", self._receive)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, ssl_context=self.server_tls)
        await site.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def send(
        self, octets: bytes, action: str, *, change: Change | None = None
    ) -> ErrorList | None:
        """Sign, encrypt and post; `change` alters the HTTP body on its way.

        Return the errors of a synchronous MessageError, None when it was taken.
        """
        binding = self.agreement.find(self.oin, action)[0]
        message = sealed(
            octets, binding, cpa_id=self.agreement.cpa_id, keyring=self.keyring, domain=DOMAIN
        )
        if change is not None:
            message = replace(message, body=change(message.body))
        return await self._post(binding.channel.endpoint, message.body, message.content_type)

    async def _post(self, url: str, body: bytes, content_type: str) -> ErrorList | None:
        headers = {"Content-Type": content_type, "SOAPAction": '"ebXML"'}
        connector = aiohttp.TCPConnector(ssl=self.client_tls)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.post(url, data=body, headers=headers) as answer,
        ):
            octets = await answer.read()
            if not octets:
                return None
            opened = self._open(octets, answer.headers["Content-Type"])
        return opened.content if isinstance(opened.content, ErrorList) else None

    async def _receive(self, request: web.Request) -> web.Response:
        opened = self._open(await request.read(), request.headers["Content-Type"])
        if isinstance(opened.content, Manifest):
            self._task = asyncio.create_task(self._acknowledge(opened))
            self.documents.put_nowait(read_document(opened.payloads[0].octets))
        else:
            self.signals.put_nowait(opened)
        return web.Response(status=204)

    async def _acknowledge(self, opened: Opened) -> None:
        """Answer with a signed Acknowledgment, as a message of its own."""
        request, at = opened.header, datetime.now(UTC)
        header = Header(
            sender=request.receiver,
            receiver=request.sender,
            cpa_id=request.cpa_id,
            conversation_id=request.conversation_id,
            service=MSH_SERVICE,
            action="Acknowledgment",
            message_id=f"{uuid4()}@{self.oin}.{DOMAIN}",
            timestamp=at,
            ref_to_message_id=request.message_id,
        )
        body = Acknowledgment(
            timestamp=at,
            ref_to_message_id=request.message_id,
            sender=request.receiver,
            references=opened.references,
        )
        channel = self.agreement.signals[self.oin]
        signer = self.keyring.signer(channel.signing.certificate) if channel.signing else None
        octets = seal.sign_signal(
            signals.acknowledgment(header, body), signing=channel.signing, signer=signer
        )
        message = seal.wire_signal(octets)
        await self._post(channel.endpoint, message.body, message.content_type)

    def _open(self, octets: bytes, content_type: str) -> Opened:
        limits = Limits()
        claimed = wire.read(octets, content_type, limits=limits)
        return open_message(
            claimed,
            self.agreement,
            trust=self.trust,
            keyring=self.keyring,
            limits=limits,
            at=datetime.now(UTC),
        )
