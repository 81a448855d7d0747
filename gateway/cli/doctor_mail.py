"""What `gateway doctor` says of e-mail: our own domain to others, and the way to partners."""

import asyncio
from collections.abc import Callable, Iterator, Sequence

from gateway.app import SystemClock, SystemDice
from gateway.cli.doctor_findings import Area, Finding
from gateway.config_mail import EmailSettings
from gateway.directory import Directory, MailWay
from gateway.errors import GatewayError, PolicyViolation, TransportUnproved
from gateway.outbound.dns import Resolver, texts
from gateway.outbound.mail import MailClient
from gateway.outbound.mail_letter import domain_of
from gateway.outbound.mail_route import Routes
from gateway.ports.mail import TransportProof
from gateway.security.dkim import DkimKey

_MAIL = Area("E-mail")
_DOCS = "docs/e-mail.md"
_UNPROVED = "Partners die DANE eisen, zoals wij, bezorgen niet bij ons: ook geen ontvangstbericht."


def own_domain(
    settings: EmailSettings | None, dkim: Callable[[EmailSettings], Sequence[DkimKey]]
) -> Iterator[Finding]:
    """Yield how our own mail domain stands; nothing where no e-mail is configured.

    `dkim` reads the keys that sign what leaves, or raises why not.
    """
    if settings is not None:
        yield from _MAIL.guarded(
            lambda: asyncio.run(examine_domain(settings, dkim(settings))), _DOCS
        )


def partners(settings: EmailSettings | None, directory: Directory) -> Iterator[Finding]:
    """Yield whether the transport to each partner with e-mail can be proved now."""
    ways = [
        (party.name, party.mail.address, party.mail.way)
        for party in directory.parties.values()
        if party.mail is not None
    ]
    if settings is not None:
        yield from _MAIL.guarded(lambda: asyncio.run(examine_ways(settings, ways)), _DOCS)


async def examine_ways(
    settings: EmailSettings, ways: Sequence[tuple[str, str, MailWay]]
) -> list[Finding]:
    """Return what a mail to each would meet now; `ways`: name, address and way of a partner."""
    client = MailClient(settings, clock=SystemClock(), dice=SystemDice())
    return [await _way(client, *one) for one in ways]


async def _way(client: MailClient, name: str, address: str, way: MailWay) -> Finding:
    found = await client.prove(domain_of(address), way)
    if isinstance(found, TransportProof):
        return _MAIL.good(f"{name}: {found.mx} bewezen ({found.basis} {found.record[:20]}…)")
    return _MAIL.bad(
        found.code,
        f"{name}: weg naar de mailserver niet bewezen ({found.code}: {found.seen})",
        "E-mail aan deze partner blijft wachten.",
        f"docs/foutcodes.md, {found.code}",
    )


async def examine_domain(settings: EmailSettings, dkim: Sequence[DkimKey]) -> list[Finding]:
    """Return what others can prove of our domain: DANE, and SPF, DKIM and DMARC."""
    resolver = Resolver(settings)
    found = [] if not settings.unsafe_resolver else [_unsafe(settings)]
    try:
        return [
            *found,
            *await _dane(resolver, settings),
            _spf(await _texts(resolver, settings.domein)),
            *[await _dkim(resolver, key) for key in dkim],
            *([] if dkim else [_UNSIGNED]),
            await _dmarc(resolver, settings.domein),
        ]
    except TransportUnproved as error:
        return [*found, _MAIL.error(error, f"docs/foutcodes.md, {error.code}")]


def _unsafe(settings: EmailSettings) -> Finding:
    return _MAIL.warn(
        "email.resolver",
        f"email.unsafe_resolver: {settings.resolver} wordt op zijn woord geloofd",
        "Wie onderweg iets kan veranderen, bepaalt waar e-mail heen gaat.",
        "Zet een validerende resolver op deze machine; docs/e-mail.md",
    )


async def _texts(resolver: Resolver, name: str) -> list[str]:
    """Without a demand for DNSSEC: most receivers do not ask for it here."""
    return list(texts(await resolver.ask(name, "TXT")))


async def _dane(resolver: Resolver, settings: EmailSettings) -> list[Finding]:
    """Look at ourselves as a strict partner does, without connecting. Of a dead resolver, raise."""
    routes = Routes(resolver, port=settings.port, clock=SystemClock(), dice=SystemDice())
    way, found = MailWay(), []
    try:
        servers = await routes.servers(settings.domein, way)
    except (TransportUnproved, PolicyViolation) as error:
        if error.code in ("dns.unreachable", "dns.timeout", "dns.lame"):
            raise
        return [_no_dane(settings.domein, error)]
    for host in servers.hosts:
        try:
            server = await routes.server(host, settings.domein, way)
        except TransportUnproved as error:
            found.append(_no_dane(host, error))
        else:
            found.append(_MAIL.good(f"DANE: {host} heeft {len(server.records)} TLSA-record(s)"))
    return found


def _no_dane(name: str, error: GatewayError) -> Finding:
    return _MAIL.bad(
        "email.dane",
        f"DANE: {name}: {error.code}: {error.text}",
        _UNPROVED,
        "Teken de zone met DNSSEC en publiceer TLSA 3 1 1 van elke mailserver; docs/e-mail.md",
    )


def _spf(found: list[str]) -> Finding:
    records = [text for text in found if text.lower().split(" ")[0] == "v=spf1"]
    if len(records) != 1:
        return _MAIL.bad(
            "email.spf",
            f"SPF: {len(records)} records, het moet er één zijn",
            "Ontvangers weigeren onze post of zetten die weg.",
            "Publiceer: v=spf1 ip4:<adres van deze gateway> -all",
        )
    words = records[0].lower().split()
    if words[-1] == "-all" or any(word.startswith("redirect=") for word in words):
        return _MAIL.good("SPF: één record, streng")
    return _MAIL.warn(
        "email.spf",
        f"SPF eindigt op {words[-1]}",
        "Anderen kunnen met ons adres schrijven; overheden moeten -all hebben.",
        "Laat het record eindigen op -all",
    )


async def _dkim(resolver: Resolver, key: DkimKey) -> Finding:
    for text in await _texts(resolver, key.name):
        tags = _tags(text)
        kind, public = tags.get("k", "rsa"), "".join(tags.get("p", "").split())
        if tags.get("v", "DKIM1") == "DKIM1" and (kind, public) == (key.kind, key.published):
            return _MAIL.good(f"DKIM: sleutel {key.selector}")
    return _MAIL.bad(
        "email.dkim",
        f"DKIM: op {key.name} staat onze sleutel niet",
        "Ontvangers kunnen de ondertekening van onze post niet nagaan, en weigeren haar.",
        f"Publiceer: v=DKIM1; k={key.kind}; p={key.published}",
    )


_UNSIGNED = _MAIL.warn(
    "email.dkim",
    "DKIM: [[email.dkim]] is leeg, onze post wordt niet ondertekend",
    "DMARC hangt dan aan SPF alleen, en dat gaat bij doorsturen verloren.",
    f"Maak een sleutel, noem hem daar en publiceer hem; {_DOCS}",
)


async def _dmarc(resolver: Resolver, domain: str) -> Finding:
    """Look at the domain and then, as receivers do, at what is above it (RFC 7489, 6.6.3)."""
    labels = domain.split(".")
    for n in range(len(labels) - 1):
        name = ".".join(("_dmarc", *labels[n:]))
        records = [t for t in await _texts(resolver, name) if t.upper().startswith("V=DMARC1")]
        if records:
            return _policy(_tags(records[0]), name, above=n > 0)
    return _MAIL.bad(
        "email.dmarc",
        f"DMARC: _dmarc.{domain} is er niet",
        "Overheden moeten DMARC hebben; ontvangers vertrouwen post zonder niet.",
        "Publiceer: v=DMARC1; p=reject; rua=mailto:<postbus>",
    )


def _policy(tags: dict[str, str], name: str, *, above: bool) -> Finding:
    policy = tags.get("p", "none").lower()
    if above:
        policy = tags.get("sp", policy).lower()
    if policy in ("reject", "quarantine"):
        return _MAIL.good(f"DMARC: {policy} ({name})")
    return _MAIL.warn(
        "email.dmarc",
        f"DMARC: {policy} ({name})",
        "Wie met ons adres schrijft, wordt niet tegengehouden.",
        "Maak er p=reject van zodra de rapporten schoon zijn",
    )


def _tags(text: str) -> dict[str, str]:
    """Return what stands in `a=1; b=2`."""
    parts = (part.partition("=") for part in text.split(";"))
    return {key.strip().lower(): value.strip() for key, _, value in parts}
