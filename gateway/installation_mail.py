"""Secure e-mail as gateway.toml has it: what must fit together, and the certificates in files."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.catalogue import Catalogue
from gateway.config import Settings
from gateway.config_mail import (
    EmailSettings,
    LmtpSettings,
    PartyMailSettings,
    PinnedMailSettings,
    SpoedSettings,
)
from gateway.credentials import UserRole
from gateway.directory import (
    MailWay,
    OwnMail,
    OwnMailbox,
    PartyMail,
    PinnedMail,
    StandingSpoed,
)
from gateway.errors import Misconfigured
from gateway.security.smime.seal import is_free
from gateway.wire.mail_make import is_address
from gateway.wire.tijd import read_tijdstip

Read = Callable[[Path], bytes]
"""Gives the octets of a file that a setting names."""
Fault = tuple[str, str]

_NO_ADDRESS = "Dit is geen e-mailadres."


def own_mail(settings: Settings, read: Read) -> OwnMail | None:
    """Return how letters go from here; raises Misconfigured `mail.file`."""
    email = settings.email
    if email is None or email.smime is None:
        return None
    smime = email.smime
    sign, *chain = _certificates(smime.certificaat, read)
    return OwnMail(
        address=email.afzender,
        sign=sign,
        chain=tuple(chain),
        maximum=email.most_bytes,
        receipt=timedelta(hours=smime.ontvangst_uren),
        again=timedelta(minutes=smime.opnieuw_minuten),
        lifetime=timedelta(hours=smime.levensduur_uren),
        portal=(settings.portaal.url or "") if settings.listen.portal is not None else "",
        confirmable=timedelta(days=settings.portaal.bevestiging_dagen),
    )


def own_mailbox(settings: Settings, read: Read) -> OwnMailbox | None:
    """Return how mail comes in here; raises Misconfigured `mail.file`."""
    email = settings.email
    if email is None or email.lmtp is None:
        return None
    lmtp = email.lmtp
    return OwnMailbox(
        address=email.afzender,
        certificates=tuple(_certificates(path, read)[0] for path in _encrypted_for(email)),
        maximum=lmtp.most_bytes,
        items=lmtp.quarantaine_aantal,
        octets=lmtp.quarantaine_bytes,
        kept=timedelta(days=lmtp.quarantaine_dagen),
        closed=timedelta(hours=settings.retention.received_hours),
    )


def _encrypted_for(settings: EmailSettings) -> tuple[Path, ...]:
    """Return the files of what partners may encrypt for."""
    if settings.lmtp is None:
        return ()
    signs = (settings.smime.certificaat,) if settings.smime is not None else ()
    return settings.lmtp.certificaten or signs


def party_mail(settings: PartyMailSettings | None, read: Read) -> PartyMail | None:
    """Return how mail goes to a party; raises Misconfigured `mail.file`."""
    if settings is None:
        return None
    header = (settings.nta7516_naam, settings.nta7516_waarde) if settings.nta7516_naam else None
    return PartyMail(
        address=settings.adres,
        certificates=tuple(_certificates(path, read)[0] for path in settings.certificaten),
        signs=tuple(_certificates(path, read)[0] for path in settings.ondertekenaars),
        portal=settings.portaal,
        encryption=str(settings.unsafe_versleuteling or "aes-256-gcm"),
        header=header,
        spoed=tuple(_spoed(one) for one in settings.spoed),
        way=MailWay(pinned=_pinned(settings.vast, read), nta7516=settings.nta7516),
        reports_close=settings.meldingen_sluiten and not settings.portaal,
    )


def _pinned(settings: PinnedMailSettings | None, read: Read) -> PinnedMail | None:
    if settings is None:
        return None
    return PinnedMail(
        hosts=settings.servers,
        anchors=tuple(der for path in settings.ca for der in _certificates(path, read)),
        keys=frozenset(settings.sleutels),
    )


def _spoed(settings: SpoedSettings) -> StandingSpoed:
    return StandingSpoed(
        id=settings.id,
        messages=frozenset(settings.berichten),
        ground=settings.grond,
        given_by=settings.door,
        valid_from=_start(settings.van),
        valid_until=_start(settings.tot + timedelta(days=1)),
    )


def _start(day: date) -> datetime:
    return read_tijdstip(f"{day:%Y%m%d}").astimezone(UTC)


def _certificates(path: Path, read: Read) -> list[bytes]:
    """Return those of a PEM file, the own one first."""
    try:
        found = x509.load_pem_x509_certificates(read(path))
    except ValueError as exc:
        raise Misconfigured(
            "mail.file", "Het bestand is geen certificaat in PEM.", where=str(path)
        ) from exc
    return [one.public_bytes(Encoding.DER) for one in found]


def certificates_of_mail(settings: Settings) -> Iterator[Path]:
    """Yield the files of what signs letters and of what they are encrypted for, as settings say."""
    if settings.email is not None and settings.email.smime is not None:
        yield settings.email.smime.certificaat
    if settings.email is not None and settings.email.lmtp is not None:
        yield from settings.email.lmtp.certificaten
    for party in settings.partijen:
        if party.email is not None:
            yield from (*party.email.certificaten, *party.email.ondertekenaars)


def mail_faults(settings: Settings, catalogue: Catalogue) -> Iterator[Fault]:
    """Yield what does not fit: place, and what is wrong there."""
    yield from _portal_faults(settings)
    names = {name for name, _version in catalogue.kinds}
    if settings.email is not None and not is_address(settings.email.afzender):
        yield "email.afzender", _NO_ADDRESS
    if settings.email is not None and settings.email.lmtp is not None:
        yield from _lmtp_faults(settings.email, settings.email.lmtp)
        yield from _shared_faults(settings, settings.email)
    for party in settings.partijen:
        if party.email is None:
            continue
        place = f"partijen.{party.oin}.email"
        if settings.email is None or settings.email.smime is None:
            yield place, "Zonder [email.smime] gaat er geen e-mail."
        if party.oin == settings.partij:
            yield place, "De eigen partij krijgt geen e-mail van zichzelf."
        if party.email.portaal and settings.listen.portal is None:
            yield f"{place}.portaal", "Zonder [listen.portal] is er geen portaal."
        yield from _party_faults(party.email, place, names)


def _portal_faults(settings: Settings) -> Iterator[Fault]:
    """Cookies do not tell ports apart: a session of one would stand in the way of the other."""
    url, console = settings.portaal.url, settings.console.url
    if settings.listen.portal is not None and url is None:
        yield "portaal.url", "[listen.portal] vraagt om [portaal] url."
    if url and console and urlsplit(url).hostname == urlsplit(console).hostname:
        yield "portaal.url", "Geef het portaal een andere hostnaam dan de console."
    oidc = settings.console.oidc
    if oidc is not None and UserRole.ONTVANGER in oidc.rollen.values():
        yield "console.oidc.rollen", "Een ontvanger meldt zich aan op het portaal, niet hier."


def _lmtp_faults(email: EmailSettings, lmtp: LmtpSettings) -> Iterator[Fault]:
    if (lmtp.socket is None) is (lmtp.port is None):
        yield "email.lmtp", "Geef socket of port, en niet allebei."
    if not _is_loopback(lmtp.host):
        yield "email.lmtp.host", "LMTP luistert alleen op deze machine: geef een loopback-adres."
    if not _encrypted_for(email):
        yield "email.lmtp.certificaten", "Zonder certificaat kan niets worden ontsleuteld."


def _shared_faults(settings: Settings, email: EmailSettings) -> Iterator[Fault]:
    """The address says whose certificates are tried: of two that share one, the first's."""
    seen = {email.afzender.casefold()}
    for party in settings.partijen:
        if party.email is None:
            continue
        address = party.email.adres.casefold()
        if address in seen:
            yield (
                f"partijen.{party.oin}.email.adres",
                "Een ander heeft dit e-mailadres ook: van wie is wat ervandaan komt?",
            )
        seen.add(address)


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _party_faults(mail: PartyMailSettings, place: str, names: set[str]) -> Iterator[Fault]:
    if not is_address(mail.adres):
        yield f"{place}.adres", _NO_ADDRESS
    if mail.portaal is bool(mail.certificaten):
        yield f"{place}.portaal", "Geef certificaten, of portaal = true; niet allebei."
    if mail.nta7516_naam and not (mail.nta7516_waarde and is_free(mail.nta7516_naam)):
        yield f"{place}.nta7516_naam", "Dit veld heeft elke mail al, of er hoort een waarde bij."
    if mail.vast is not None and not (mail.vast.ca or mail.vast.sleutels):
        yield f"{place}.vast", "Geef ca of sleutels: waaraan is de server te herkennen?"
    for one in mail.spoed:
        if one.tot < one.van:
            yield f"{place}.spoed.{one.id}", "De grond eindigt voor hij begint."
        if unknown := ", ".join(sorted(set(one.berichten) - names)):
            yield f"{place}.spoed.{one.id}", f"De catalogus kent {unknown} niet."
