"""The gate counts only as an officer of the OM confirmed it (domain 9.1.5).

The confirmation names table and approvals by the hash of their files, so that an edited file does
not load. What is wrong with it stops the start; what only lapsed (it ended, or the certificate
that signed it was revoked) stops the start too, but lets a running process take in everything
else, with a gate that holds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256

from gateway.catalogue import Role
from gateway.config import Environment, GateMode, OfficerSettings, Settings
from gateway.directory import CLOSED, Confirmation, Gate, Party, Signing, Trust
from gateway.errors import (
    CertificateRejected,
    Malformed,
    Misconfigured,
    RevocationUnknown,
    SignatureInvalid,
)
from gateway.message import Oin
from gateway.rules import officers
from gateway.security.algorithms import Signer
from gateway.security.certificates import TrustStore, load, without_tests
from gateway.security.enveloped import (
    SignedBy,
    judge_officer_signature,
    sign_document,
    verify_document,
)
from gateway.wire.confirmation import Bevestiging, make_confirmation, read_confirmation
from gateway.wire.toets import Officier

UNCONFIRMED = "gate.unconfirmed"
AHEAD = timedelta(minutes=5)
"""How far the clock of the OM may be ahead of ours."""
LAPSES = frozenset({"gate.confirmation.ended", "gate.confirmation.revoked"})
"""It was good once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Against what a confirmation is judged."""

    settings: Settings
    parties: Mapping[Oin, Party]
    trust: Trust
    at: datetime
    where: str = ""
    """The file, for whoever has to mend it."""
    offered: bytes | None = None
    """A confirmation to come, in place of the file's."""
    tolerant: bool = False
    """Whatever is wrong closes the gate and is told by `Gate.fault`."""


def matters(settings: Settings) -> bool:
    """Tell whether the gate stands at this installation: the politie's, or a knooppunt's own."""
    own = next((p.rol for p in settings.partijen if p.oin == settings.partij), "")
    gates = any(p.toets is not GateMode.NONE for p in settings.partijen)
    return own == Role.POLITIE or (own == Role.KNOOPPUNT and gates)


def digests(files: Mapping[str, bytes]) -> dict[str, str]:
    """Return name and hex SHA-256 of each file, as a confirmation has them."""
    return {name: sha256(octets).hexdigest() for name, octets in files.items()}


def confirmed(
    gate: Gate,
    octets: bytes | None,
    *,
    files: Mapping[str, bytes],
    frame: Frame,
    lapse_closes: bool = False,
) -> Gate:
    """Return the gate as it counts: confirmed, or closed.

    `gate` was read from `files` (by their names in a confirmation), `octets` are the confirmation
    or None. With `lapse_closes` one that lapsed gives a closed gate; so does unknown revocation,
    always. Raises as `judge_confirmation`.
    """
    if octets is None:
        return replace(CLOSED, fault=UNCONFIRMED)
    try:
        confirmation = judge_confirmation(
            octets, files=digests(files), version=gate.table.version, frame=frame
        )
    except Misconfigured as exc:
        if not (frame.tolerant or (lapse_closes and exc.code in LAPSES)):
            raise
        return replace(CLOSED, fault=exc.code)
    except RevocationUnknown:
        return replace(CLOSED, fault="gate.confirmation.revocation_unknown")
    return replace(gate, confirmation=confirmation)


def judge_confirmation(
    octets: bytes, *, files: Mapping[str, str], version: str, frame: Frame
) -> Confirmation:
    """Return the confirmation when it is good for these files (hash by name), now.

    Raises Misconfigured `gate.confirmation.malformed`, `.signature`, `.certificate`, `.signer`,
    `.police`, `.files`, `.version`, `.officer`, `.future`, `.ended`, `.revoked`;
    RevocationUnknown.
    """
    # (1) Only what the signature covers is read, and only from these octets.
    said, signed = _read(octets, frame)
    # (2) The signer is the OM, by a certificate that is good now.
    signer = _judge_signer(signed, frame)
    # (3) It is about this gate: its police, both files, this version.
    _check_subject(said, files, version, frame)
    # (4) The officer had a mandate, and the word still holds.
    _check_officer(said, frame)
    until = min(said.geldig_tot, load(signed.certificate).not_valid_after_utc)
    if frame.at >= until:
        raise _wrong("ended", "De bevestiging is geëindigd.", frame)
    return Confirmation(
        id=said.identificatie,
        sha256=sha256(octets).hexdigest(),
        police=Oin(said.politie),
        signer=signer.oin,
        table_version=said.tabelversie,
        officer=f"{said.officier.naam}, {said.officier.functie}",
        taken_at=said.genomen_op,
        valid_until=until,
    )


def _wrong(code: str, text: str, frame: Frame) -> Misconfigured:
    return Misconfigured(f"gate.confirmation.{code}", text, where=frame.where)


def _read(octets: bytes, frame: Frame) -> tuple[Bevestiging, SignedBy]:
    try:
        signed = verify_document(octets)
        return read_confirmation(octets), signed
    except SignatureInvalid as exc:
        text = f"De handtekening onder de bevestiging klopt niet ({exc.code})."
        raise _wrong("signature", text, frame) from exc
    except Malformed as exc:
        text = f"Dit is geen bevestiging van het toetsingskader ({exc.code} {exc.where})."
        raise _wrong("malformed", text, frame) from exc


def _judge_signer(signed: SignedBy, frame: Frame) -> Party:
    real = frame.settings.omgeving is Environment.PRODUCTIE
    trust = TrustStore(without_tests(frame.trust) if real else frame.trust)
    try:
        return judge_officer_signature(
            signed, trust=trust, parties=frame.parties.values(), at=frame.at
        )
    except SignatureInvalid as exc:
        text = "De bevestiging is niet ondertekend door een partij met de rol om."
        raise _wrong("signer", text, frame) from exc
    except CertificateRejected as exc:
        text = f"Het certificaat onder de bevestiging geldt niet ({exc.code})."
        if exc.code == "certificate.revoked":
            raise _wrong("revoked", text, frame) from exc
        if exc.code == "certificate.expired":
            raise _wrong("ended", text, frame) from exc
        raise _wrong("certificate", text, frame) from exc


def _check_subject(said: Bevestiging, files: Mapping[str, str], version: str, frame: Frame) -> None:
    if not _for_us(said.politie, frame):
        raise _wrong("police", "De bevestiging is niet voor de poort van deze politie.", frame)
    named = dict(said.bestanden)
    differ = sorted(name for name in {*named, *files} if named.get(name) != files.get(name))
    if differ:
        text = f"Niet wat het OM heeft bevestigd: {', '.join(differ)}."
        raise _wrong("files", text, frame)
    if said.tabelversie != version:
        raise _wrong("version", "De bevestiging is voor een andere versie van de tabel.", frame)


def _for_us(police: str, frame: Frame) -> bool:
    """The police of this installation; at a knooppunt any that is known there."""
    own, named = (frame.parties.get(Oin(oin)) for oin in (frame.settings.partij, police))
    if own is None or named is None or named.role is not Role.POLITIE:
        return False
    return own.role is Role.KNOOPPUNT or named.oin == own.oin


def _check_officer(said: Bevestiging, frame: Frame) -> None:
    """The OM sees to the mandate; whoever has its register here looks as well."""
    if said.genomen_op > frame.at + AHEAD:
        raise _wrong("future", "De bevestiging is van later dan nu; klopt de klok?", frame)
    register = frame.settings.officieren
    if register and not any(has_mandate(o, said.officier, said.genomen_op) for o in register):
        raise _wrong("officer", "De officier had geen mandaat toen dit werd bevestigd.", frame)


def has_mandate(known: OfficerSettings, officer: Officier, at: datetime) -> bool:
    """Tell whether this is that officer, with the same mandate, on its days (Dutch calendar)."""
    same = (known.id, known.mandaat) == (officer.identificatie, officer.mandaat)
    return same and officers.in_office(known, at)


# --- making -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What an officer confirms."""

    id: str
    police: str
    files: Mapping[str, bytes]
    """Octets by name: `wire.confirmation.TABLE`, and APPROVALS where there are any."""
    table_version: str
    officer: OfficerSettings
    taken_at: datetime
    valid_until: datetime


def confirm(word: Word, *, signer: Signer, signing: Signing) -> bytes:
    """Return the signed confirmation; raises as `sign_document`."""
    said = Bevestiging(
        identificatie=word.id,
        politie=word.police,
        bestanden=tuple(sorted(digests(word.files).items())),
        tabelversie=word.table_version,
        officier=officers.as_told(word.officer),
        genomen_op=word.taken_at,
        geldig_tot=word.valid_until,
    )
    return sign_document(make_confirmation(said), signer=signer, signing=signing)
