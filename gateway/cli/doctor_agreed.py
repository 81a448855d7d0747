"""What `gateway doctor` says of agreements, certificates and the gate."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from gateway.catalogue import Role
from gateway.cli.certs_list import days, look_over
from gateway.cli.doctor_findings import Area, Finding
from gateway.cpa_rules import CpaRule, Remark, Weight
from gateway.directory import Agreement, Directory
from gateway.errors import GatewayError
from gateway.installation import Installation, kept_table, load_table, program_table
from gateway.installation_gate import UNCONFIRMED
from gateway.keys.expiry import SHORT, InUse, Use, stage
from gateway.message import Oin
from gateway.pipeline.desk import own_signing
from gateway.rules.severities import in_force
from gateway.security.certificates import TrustStore, Usage
from gateway.security.cpa_lint import of_terms

SOON = timedelta(days=30)
_AGREEMENTS, _GATE = Area("Overeenkomsten (CPA)"), Area("OM-poort")
_RULES = Area("Regels")
_CERTIFICATES = Area("Certificaten")
_KEY_OF = {
    Use.SIGN: "ondertekening",
    Use.ENCRYPT: "ontsleuteling",
    Use.MAIL_SIGN: "ondertekening van e-mail",
}
_RENEW = "Vraag een nieuw certificaat aan en geef het aan gateway certs import"
_ASK = "Vraag de eigenaar om een nieuw, en om een nieuwe CPA"
_RENEW_MAIL = {
    (Use.MAIL_SIGN, True): "Vraag een nieuw certificaat aan; zet het in email.smime.certificaat "
    "en de sleutel in keys/",
    (Use.MAIL_ENCRYPT, True): "Vraag een nieuw certificaat aan; zet het in "
    "email.lmtp.certificaten en de sleutel in keys/",
    (Use.MAIL_SIGN, False): "Vraag de partij om een nieuw, en zet het in "
    "partijen.email.ondertekenaars",
    (Use.MAIL_ENCRYPT, False): "Vraag de partij om een nieuw, en zet het in "
    "partijen.email.certificaten",
}
_REMEDIES = {
    "keys.missing": "Zet de sleutel in keys/, mode 0600",
    "keys.permissions": "Zie Sleutels en rechten",
    "keys.folder": "Zie Sleutels en rechten",
    "keys.unreadable": "Zet elke sleutel om naar PEM zonder wachtwoord (openssl pkey)",
    "crl.stale": "Haal de nieuwe lijst op en geef haar aan gateway certs import",
    "certificate.revocation_unknown": "Geef de verse intrekkingslijst van de uitgever aan gateway "
    "certs import",
    "certificate.untrusted": "Geef het certificaat van de uitgever aan gateway certs import",
    "certificate.party": "Controleer het OIN, of leg het mandaat vast (partijen.mandaten)",
    "tls.certificate": "Zet certificaat en sleutel neer met gateway certs import",
}


def agreements(directory: Directory, now: datetime) -> Iterator[Finding]:
    """Yield what is agreed, with whom it is not, and what ends soon."""
    found = directory.agreements.values()
    text = f"{len(found)} overeenkomsten, {len(directory.parties)} partijen"
    if found:
        yield _AGREEMENTS.good(text)
    else:
        yield _AGREEMENTS.bad(
            "agreement.none",
            text,
            "Zonder CPA kan met niemand een bericht worden gewisseld.",
            "Zet de CPA's in agreements/, of maak er een met gateway cpa make",
        )
    for agreement in found:
        yield from _agreement(directory, agreement, now)
    yield from _without(directory, now)


def _agreement(directory: Directory, agreement: Agreement, now: datetime) -> Iterator[Finding]:
    cpa = agreement.cpa_id
    if not agreement.in_force(now):
        yield _not_in_force(directory, agreement, now)
    elif agreement.end - now < SOON:
        yield _AGREEMENTS.warn(
            "agreement.ends_soon",
            f"{cpa} eindigt op {agreement.end:%Y-%m-%d}",
            "Daarna wordt niets meer aangenomen of verzonden onder deze CPA.",
            "Spreek een nieuwe af en zet haar nu al in agreements/",
        )
    if any(b.service not in directory.services for b in agreement.bindings):
        yield _AGREEMENTS.bad(
            "agreement.service",
            f"{cpa}: een dienst heeft geen versie",
            "Berichten van die dienst worden geweigerd.",
            "Zet de dienst onder [diensten] in gateway.toml",
        )
    for stranger in sorted({p.id for p in agreement.parties} - set(directory.parties)):
        yield _AGREEMENTS.bad(
            "agreement.party",
            f"{cpa}: partij {stranger} staat niet in gateway.toml",
            "Van een onbekende partij wordt niets aangenomen.",
            "Voeg haar toe onder [[partijen]]",
        )
    for remark in of_terms(agreement, at=now, parties=directory.parties):
        if remark.rule is not CpaRule.NOT_AGREED:  # told above
            yield _remark(cpa, remark)


def _remark(cpa: str, remark: Remark) -> Finding:
    text, remedy = f"{cpa}: {remark}", f"{remark.remedy} ({remark.rule.id}; docs/cpa.md)"
    if remark.rule.weight is Weight.STOPS:
        return _AGREEMENTS.bad(
            "agreement.unusable", text, "Wat hieronder valt, kan niet of mag niet.", remedy
        )
    return _AGREEMENTS.warn(
        "agreement.unwise", text, "Het werkt, maar is niet zoals Digikoppeling het wil.", remedy
    )


def _not_in_force(directory: Directory, agreement: Agreement, now: datetime) -> Finding:
    cpa = agreement.cpa_id
    text = f"{cpa} is niet van kracht"
    a, b = (party.id for party in agreement.parties)
    if directory.between(a, b, at=now):
        return _AGREEMENTS.warn(
            "agreement.not_in_force",
            text,
            "Een andere CPA tussen dezelfde partijen is dat wel; er gaat niets mis.",
            "Haal haar weg als zij is geëindigd en niets meer onderweg is",
        )
    return _AGREEMENTS.bad(
        "agreement.not_in_force",
        text,
        "Tussen deze partijen gaat niets.",
        "Zet een geldige CPA in agreements/ (status agreed of signed, binnen haar periode)",
    )


def _without(directory: Directory, now: datetime) -> Iterator[Finding]:
    """Parties that can not be reached: at an access point only the hubs have to be."""
    me = directory.parties[directory.me]
    hub = me.role is Role.KNOOPPUNT
    others = [p for p in directory.parties.values() if not p.local]
    reached = [p for p in others if directory.between(directory.me, p.oin, at=now)]
    if not hub and directory.agreements and not reached:
        yield _AGREEMENTS.bad(
            "agreement.counterpart",
            "met geen enkele partij is nu een CPA van kracht",
            "Er kan niets worden verzonden of ontvangen.",
            "Zet de CPA met het knooppunt in agreements/",
        )
    for party in others if hub else ():
        if party not in reached:
            yield _AGREEMENTS.warn(
                "agreement.counterpart",
                f"met {party.name} ({party.oin}) is geen CPA van kracht",
                "Berichten voor deze partij worden geweigerd.",
                "Zet haar CPA in agreements/, of haal de partij weg uit gateway.toml",
            )


# --- certificates -----------------------------------------------------------------------


def certificates(
    installation: Installation, directory: Directory, now: datetime
) -> Iterator[Finding]:
    """Yield what can not be used, what ends soon, and what is shown to partners."""
    return _CERTIFICATES.guarded(lambda: _certificates(installation, directory, now))


def _certificates(
    installation: Installation, directory: Directory, now: datetime
) -> Iterator[Finding]:
    trust = directory.trust
    for what, present in (("anchors", trust.anchors), ("crls", trust.crls)):
        if not present:
            yield _CERTIFICATES.bad(
                "trust.empty",
                f"trust/{what} is leeg",
                "Zonder stamcertificaten en CRL's wordt niemand vertrouwd.",
                "Geef ze aan gateway certs import",
            )
    items = look_over(installation, now)
    stages = installation.settings.alarms.certificate_days
    quiet = 0
    for item in items:
        finding = _certificate(item, stages, now)
        if finding is None:
            quiet += 1
        else:
            yield finding
    yield from _named_otherwise(items, directory.me)
    yield _CERTIFICATES.good(f"{quiet} andere in orde; zie gateway certs list")


def _certificate(item: InUse, stages: tuple[int, ...], now: datetime) -> Finding | None:
    """Return what is to be told of one; None when nothing is."""
    if not item.needed:
        return None
    name = f"{item.use} van {item.name or item.where} {item.sha256[:SHORT]}".rstrip()
    if item.code == "keys.missing":
        name = f"sleutel voor {_KEY_OF.get(item.use, item.use)} ontbreekt ({item.where})"
    if item.use is Use.TLS and item.ours:
        name = "TLS-certificaat"
    if item.code:
        return _CERTIFICATES.bad(
            item.code,
            name if item.code == "keys.missing" else f"{name}: {item.code}",
            "Wat hierop steunt, werkt niet.",
            _REMEDIES.get(item.code, _RENEW_MAIL.get((item.use, item.ours), _RENEW)),
        )
    until = f"{item.until:%Y-%m-%d}" if item.until is not None else "-"
    left = item.left(now)
    if item.use is not Use.CRL and left is not None and stage(left, stages) is not None:
        return _CERTIFICATES.warn(
            "certificate.expiring",
            f"{name} eindigt op {until} (nog {days(item, now)} dagen)",
            "Daarna werkt niets meer wat hierop steunt.",
            _RENEW_MAIL.get((item.use, item.ours), _RENEW if item.ours else _ASK),
        )
    if item.use is Use.TLS and item.ours:
        return _CERTIFICATES.good(f"{name} geldig tot {until}")
    return None


def _named_otherwise(items: tuple[InUse, ...], me: Oin) -> Iterator[Finding]:
    """A partner that compares what a CPA names will not know a renewed certificate."""
    named = [i for i in items if i.use is Use.TLS and i.ours and not i.needed]
    if named:
        where = ", ".join(sorted({i.where for i in named}))
        yield _CERTIFICATES.warn(
            "certificate.not_named",
            f"het TLS-certificaat van {me} is een ander dan in {where}",
            "Partners herkennen wie belt aan keten en OIN; een enkele vergelijkt het certificaat.",
            "Neem het op in de volgende CPA",
        )


# --- the gate ---------------------------------------------------------------------------


def gate(directory: Directory, now: datetime) -> Iterator[Finding]:
    """Yield what the OM has laid down, and whether the OM can sign it."""
    laid = directory.gate
    yield from _signing(directory, now)
    if laid.fault:
        yield _unconfirmed(laid.fault)
        return
    exempt = ", ".join(sorted(laid.table.exempt)) or "geen"
    yield _GATE.good(f"classificatietabel {laid.table.version}; vrijgesteld: {exempt}")
    if directory.parties[directory.me].role is not Role.POLITIE:
        return
    if not laid.approvals:
        yield _GATE.warn(
            "gate.no_approval",
            "geen doorlopende toestemming: elk bericht van de politie wordt vastgehouden",
            "Strafrechtelijke gegevens gaan niet uit zonder oordeel van het OM.",
            "Leg haar vast in paths.approvals zodra het OM haar heeft gegeven",
        )
    for approval in laid.approvals:
        yield _GATE.good(
            f"doorlopende toestemming {approval.id} tot {approval.valid_until:%Y-%m-%d}"
        )


def newer_table(installation: Installation) -> Iterator[Finding]:
    """Yield whether the program has a table that the OM has not confirmed yet."""
    kept = kept_table(installation)
    if kept is None or not kept.exists():
        return
    program = program_table()
    if kept.read_bytes() != program.read_bytes():
        yield _GATE.warn(
            "gate.newer_table",
            f"het programma heeft tabel {load_table(program).version}; bevestigd is "
            f"{load_table(kept).version}",
            "De bevestigde tabel blijft gelden.",
            "Leg de nieuwe voor met gateway toetsing voorstel, en plaats de bevestiging",
        )


def _signing(directory: Directory, now: datetime) -> Iterator[Finding]:
    """A police refuses what the OM signs by a certificate that stands in a listener."""
    if directory.parties[directory.me].role is not Role.OM or not directory.agreements:
        return
    try:
        signing = own_signing(directory, now)
        TrustStore(directory.trust).judge(signing.certificate, Usage.DOCUMENT, now)
    except GatewayError as error:
        yield _GATE.bad(
            "gate.signing",
            f"met het certificaat van de overeenkomst kan het OM niets ondertekenen ({error.code})",
            "De politie weigert besluiten en bevestigingen die ermee zijn ondertekend.",
            "Laat de CPA een certificaat voor ondertekening noemen, geen TLS-servercertificaat",
        )


def _unconfirmed(fault: str) -> Finding:
    """Nothing was confirmed yet, or what was confirmed is not what stands here."""
    why = "Alles wat de politie verstuurt, behalve aan het OM, wordt vastgehouden."
    if fault == UNCONFIRMED:
        return _GATE.warn(
            UNCONFIRMED,
            "het OM heeft classificatietabel en toestemmingen nog niet bevestigd",
            why,
            "Leg ze voor met gateway toetsing voorstel, en plaats de bevestiging",
        )
    return _GATE.bad(
        fault,
        "de bevestiging van het OM geldt niet voor wat hier staat",
        why,
        "Zet de bevestigde bestanden terug, of laat het OM deze bevestigen (gateway toetsing)",
    )


def rules(directory: Directory, now: datetime) -> Iterator[Finding]:
    """Yield the business rules that count otherwise for somebody."""
    for party in directory.parties.values():
        for setting in party.rules:
            last = f" tot en met {setting.until}" if setting.until else ""
            over = "" if in_force(setting, now) else " (verlopen)"
            yield _RULES.warn(
                "rules.otherwise",
                f"regel {setting.rule} is voor {party.name} een {setting.severity}{last}{over}",
                "Een uitzondering op de regels die voor iedereen gelden.",
                "Verlopen: haal de regel weg" if over else "Haal haar weg zodra het kan",
            )
