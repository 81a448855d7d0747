"""A name server for the mail of the demo: a few names, and it says that it validated them.

It stands on loopback, where the gateway asks its resolver. A real one proves by DNSSEC what this
one only says.
"""

import asyncio
import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Self

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

SECONDS = 60
"""How long an answer counts."""


@dataclass(slots=True, kw_only=True)
class Names:
    """Answers over TCP from `records`: name and type → what stands there."""

    port: int
    records: Mapping[tuple[str, str], str]
    _server: asyncio.Server | None = field(default=None)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError, dns.exception.DNSException):
            (length,) = struct.unpack("!H", await reader.readexactly(2))
            octets = self._answer(dns.message.from_wire(await reader.readexactly(length)))
            writer.write(struct.pack("!H", len(octets)) + octets)
            await writer.drain()
        writer.close()

    def _answer(self, query: dns.message.Message) -> bytes:
        asked = query.question[0]
        name, kind = asked.name.to_text().lower().rstrip("."), dns.rdatatype.to_text(asked.rdtype)
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA | dns.flags.AD
        if found := self.records.get((name, kind)):
            response.answer.append(dns.rrset.from_text(f"{name}.", SECONDS, "IN", kind, found))
        elif not any(known == name for known, _kind in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return response.to_wire()
