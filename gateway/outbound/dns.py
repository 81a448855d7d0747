"""Asking a validating resolver, and believing only what it says that it validated.

The bit AD of an answer is worth as much as the way to whoever set it: so the resolver is one on
this machine, reached over loopback, unless a setting says otherwise in so many words. Questions
go over TCP: nothing is cut off, lost, or slipped in by somebody who only guesses.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address

import dns.asyncquery
import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import dns.rdtypes.ANY.MX
import dns.rdtypes.ANY.TLSA
import dns.rdtypes.ANY.TXT

from gateway.config_mail import EmailSettings
from gateway.errors import Misconfigured, TransportUnproved
from gateway.security.dane import Tlsa

MOST_RECORDS = 64
"""An answer with more is refused."""
BOGUS = frozenset({1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 27})
"""Extended errors (RFC 8914) by which a resolver says that signatures do not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the resolver said of one name and type."""

    question: str
    """`MX example.nl`, for texts."""
    name: str
    """The name that the records are of: the last one of a chain of aliases. No final dot."""
    records: tuple[dns.rdata.Rdata, ...]
    exists: bool
    """False: NXDOMAIN."""
    secure: bool
    """Validated, with all aliases on the way; so was the denial where there are no records."""

    def proved(self) -> "Answer":
        """Return itself; raise TransportUnproved `dns.unsigned` when it was not validated."""
        if not self.secure:
            raise TransportUnproved("dns.unsigned", f"{self.question}: answer without AD")
        return self


class Resolver:
    """The validating resolver of the settings."""

    def __init__(self, settings: EmailSettings) -> None:
        """Take its address and how long one answer may take.

        Raises Misconfigured `email.resolver` for one that is not on this machine, unless
        `unsafe_resolver` says that the way to it can be trusted all the same.
        """
        try:
            near = ip_address(settings.resolver).is_loopback
        except ValueError as error:
            raise Misconfigured(
                "email.resolver", "Geef een IP-adres.", where="email.resolver"
            ) from error
        if not (near or settings.unsafe_resolver):
            raise Misconfigured(
                "email.resolver",
                "De resolver staat niet op deze machine (loopback).",
                where="email.resolver",
            )
        self._address = settings.resolver
        self._port = settings.resolver_port
        self._seconds = settings.dns_seconds

    async def ask(self, name: str, kind: str) -> Answer:
        """Ask for the records of a name; `kind` is `MX`, `TLSA` or another type.

        Raises TransportUnproved `dns.unreachable`, `dns.timeout`, `dns.servfail`, `dns.bogus`
        (the resolver says why), `dns.lame` (it does not resolve), `dns.malformed`, `dns.name`.
        """
        question = f"{kind} {name}"
        response = await self._exchange(_query(name, kind), question)
        _judge(response, question)
        return _answer(response, question)

    async def _exchange(
        self, query: dns.message.QueryMessage, question: str
    ) -> dns.message.QueryMessage:
        try:
            found = await dns.asyncquery.tcp(
                query, self._address, timeout=self._seconds, port=self._port
            )
        except (dns.exception.Timeout, TimeoutError) as error:
            raise TransportUnproved("dns.timeout", f"{question}: no answer in time") from error
        except (OSError, EOFError) as error:
            raise TransportUnproved(
                "dns.unreachable", f"{question}: the resolver is not reached"
            ) from error
        except (dns.exception.DNSException, ValueError) as error:
            raise TransportUnproved("dns.malformed", f"{question}: unreadable answer") from error
        if not isinstance(found, dns.message.QueryMessage):
            raise TransportUnproved("dns.malformed", f"{question}: no answer to a question")
        return found


def _query(name: str, kind: str) -> dns.message.QueryMessage:
    try:
        query = dns.message.make_query(name, kind, want_dnssec=True)
    except dns.exception.DNSException as error:
        raise TransportUnproved("dns.name", f"{kind}: not a name of the DNS") from error
    query.flags |= dns.flags.AD
    return query


def _judge(response: dns.message.QueryMessage, question: str) -> None:
    rcode = response.rcode()
    if rcode == dns.rcode.SERVFAIL:
        reasons = sorted(option.code for option in response.extended_errors())
        said = ", ".join(dns.edns.EDECode(code).name for code in reasons if code in _KNOWN)
        seen = f"{question}: SERVFAIL" + (f" ({said})" if said else "")
        if BOGUS.intersection(reasons):
            raise TransportUnproved("dns.bogus", seen)
        raise TransportUnproved("dns.servfail", seen)
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        raise TransportUnproved("dns.lame", f"{question}: {dns.rcode.to_text(rcode)}")
    if not response.flags & dns.flags.RA:
        raise TransportUnproved("dns.lame", f"{question}: the resolver does not resolve (no RA)")


_KNOWN = frozenset(int(code) for code in dns.edns.EDECode)


def _answer(response: dns.message.QueryMessage, question: str) -> Answer:
    try:
        chain = response.resolve_chaining()
        name = text_of(chain.canonical_name)
    except (dns.exception.DNSException, ValueError) as error:
        raise TransportUnproved("dns.malformed", f"{question}: unreadable answer") from error
    records = tuple(chain.answer or ())
    if len(records) > MOST_RECORDS:
        raise TransportUnproved("dns.malformed", f"{question}: more than {MOST_RECORDS} records")
    return Answer(
        question=question,
        name=name,
        records=records,
        exists=response.rcode() != dns.rcode.NXDOMAIN,
        secure=bool(response.flags & dns.flags.AD),
    )


def text_of(name: dns.name.Name) -> str:
    """Return a name in lower case without its final dot; `` for the root."""
    return name.to_text(omit_final_dot=True).lower().removesuffix(".")


# --- what stands in records -----------------------------------------------------------


def exchangers(answer: Answer) -> Iterator[tuple[int, str]]:
    """Yield preference and host of each MX record; an empty host is "no mail" (RFC 7505)."""
    for record in answer.records:
        if isinstance(record, dns.rdtypes.ANY.MX.MX):
            yield record.preference, text_of(record.exchange)


def certificates(answer: Answer) -> Iterator[Tlsa]:
    """Yield the TLSA records."""
    for record in answer.records:
        if isinstance(record, dns.rdtypes.ANY.TLSA.TLSA):
            yield Tlsa(record.usage, record.selector, record.mtype, record.cert)


def texts(answer: Answer) -> Iterator[str]:
    """Yield TXT records, the strings of each joined; what is not ASCII becomes `?`."""
    for record in answer.records:
        if isinstance(record, dns.rdtypes.ANY.TXT.TXT):
            yield b"".join(record.strings).decode("ascii", "replace").replace("\ufffd", "?")


def addresses(answer: Answer) -> Iterator[str]:
    """Yield the addresses of A and AAAA records."""
    for record in answer.records:
        if record.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA):
            yield str(ip_address(record.to_text()))
