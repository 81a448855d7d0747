"""A resolver on loopback that says what a test tells it to, validated or not."""

import asyncio
import struct
from collections.abc import Callable
from contextlib import asynccontextmanager

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

Question = tuple[str, str]
"""Name and type."""


class Names:
    """Records by name and type. A name with records of another type has none of this one."""

    def __init__(self) -> None:
        self.records: dict[Question, list[str]] = {}
        self.unsigned: set[Question] = set()
        self.broken: dict[Question, Callable[[dns.message.Message], bytes | None]] = {}
        """What is answered instead; None = nothing, ever."""
        self.asked: list[Question] = []
        self.before: Callable[[Question], None] = lambda _question: None
        """Is called with each question before it is answered."""
        self.port = 0

    def partner(self, domain: str, **hosts: tuple[str, str]) -> None:
        """Set a domain up: host → address and TLSA record."""
        self.records[domain, "MX"] = [
            f"{n} {name}.{domain}." for n, name in enumerate(hosts, start=10)
        ]
        for name, (address, tlsa) in hosts.items():
            self.records[f"{name}.{domain}", "A"] = [address]
            self.records[f"_{self.port}._tcp.{name}.{domain}", "TLSA"] = [tlsa] if tlsa else []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            (length,) = struct.unpack("!H", await reader.readexactly(2))
            query = dns.message.from_wire(await reader.readexactly(length))
            wire = self._answer(query)
            if wire is None:
                await reader.read()
            else:
                writer.write(struct.pack("!H", len(wire)) + wire)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _answer(self, query: dns.message.Message) -> bytes | None:
        first = query.question[0]
        name, kind = first.name.to_text().lower().rstrip("."), dns.rdatatype.to_text(first.rdtype)
        self.before((name, kind))
        self.asked.append((name, kind))
        if (name, kind) in self.broken:
            return self.broken[name, kind](query)
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        secure = self._fill(response, name, kind)
        if secure:
            response.flags |= dns.flags.AD
        return response.to_wire(max_size=65_535)

    def _fill(self, response: dns.message.Message, name: str, kind: str) -> bool:
        secure = (name, kind) not in self.unsigned
        if alias := self.records.get((name, "CNAME")):
            response.answer.append(dns.rrset.from_text_list(f"{name}.", 60, "IN", "CNAME", alias))
            return self._fill(response, alias[0].rstrip("."), kind) and secure
        found = self.records.get((name, kind))
        if found:
            response.answer.append(dns.rrset.from_text_list(f"{name}.", 60, "IN", kind, found))
        elif not any(known == name for known, _kind in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        return secure


def failing(code: dns.rcode.Rcode, *reasons: int):
    """Answer with this code, and the extended errors of RFC 8914."""

    def answer(query: dns.message.Message) -> bytes:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.RA
        response.set_rcode(code)
        response.use_edns(options=[dns.edns.EDEOption(reason, None) for reason in reasons])
        return response.to_wire(max_size=65_535)

    return answer


@asynccontextmanager
async def resolving():
    names = Names()
    server = await asyncio.start_server(names.serve, "127.0.0.1", 0)
    try:
        yield names, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
