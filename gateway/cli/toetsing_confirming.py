"""What `gateway toetsing bevestig` does: an officer of the OM signs what the gate goes by."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from gateway.app import SystemClock, SystemDice
from gateway.catalogue import Role
from gateway.cli.toetsing_bundle import Bundle, read_bundle, write_bundle
from gateway.directory import Directory, Signing
from gateway.errors import Misconfigured
from gateway.installation import Installation, load_directory
from gateway.installation_gate import Word, confirm
from gateway.keys.keystore import FileKeyring
from gateway.pipeline.desk import own_signing
from gateway.rules.officers import officer
from gateway.security.certificates import TrustStore, Usage, load
from gateway.wire.tijd import read_tijdstip

LONGEST = timedelta(days=731)
"""A word of the OM that lasts longer is one that nobody looks at again."""


def confirmed_by(
    installation: Installation, bundle: Bundle, *, officier: str, last_day: date
) -> bytes:
    """Return the confirmation, signed with the key that the agreements of the OM name.

    It lasts to the end of `last_day`, by the Dutch calendar. Raises Misconfigured `toetsing.om`
    where the own party is not the OM, `toetsing.politie`, `toetsing.tot`; PolicyViolation
    `toets.officier.*`; CertificateRejected for an own certificate that is not good.
    """
    directory = load_directory(installation, epoch=0)
    at = SystemClock().now()
    _check(directory, bundle)
    found = officer(directory, officier, at=at)
    signing = _signing(directory, at)
    keys = FileKeyring(installation.path(installation.settings.paths.keys))
    word = Word(
        id=SystemDice().uuid(),
        police=bundle.police,
        files=bundle.files,
        table_version=bundle.version,
        officer=found,
        taken_at=at,
        valid_until=_until(last_day, at, signing),
    )
    return confirm(word, signer=keys.signer(signing.certificate), signing=signing)


def _check(directory: Directory, bundle: Bundle) -> None:
    me, police = directory.parties[directory.me], directory.party(bundle.police)
    if me.role is not Role.OM:
        raise Misconfigured("toetsing.om", "Alleen het OM bevestigt een toetsingskader.")
    if police is None or police.role is not Role.POLITIE:
        raise Misconfigured(
            "toetsing.politie",
            "Het voorstel is van een partij die hier geen politie is.",
            where=bundle.police,
        )


def _signing(directory: Directory, at: datetime) -> Signing:
    """Return what to sign with, good now: what the police would refuse is not handed out."""
    signing = own_signing(directory, at)
    TrustStore(directory.trust).judge(signing.certificate, Usage.DOCUMENT, at)
    return signing


def _until(last_day: date, at: datetime, signing: Signing) -> datetime:
    until = end_of(last_day)
    certificate = load(signing.certificate).not_valid_after_utc
    if at < until <= min(at + LONGEST, certificate):
        return until
    raise Misconfigured(
        "toetsing.tot",
        "Kies een dag die niet voorbij is, binnen twee jaar, en voor het einde van het "
        f"ondertekeningscertificaat ({certificate:%Y-%m-%d}).",
    )


def end_of(day: date) -> datetime:
    """Return the moment (UTC) at which a day of the Dutch calendar is over."""
    return read_tijdstip(f"{day + timedelta(days=1):%Y%m%d}").astimezone(UTC)


# --- what was confirmed before ------------------------------------------------------------


def confirmed_before(installation: Installation, police: str) -> Bundle | None:
    """Return what was confirmed last for this police from here, to see what is other now."""
    path = _memory(installation, police)
    return read_bundle(path) if path.exists() else None


def remember(installation: Installation, bundle: Bundle) -> None:
    """Keep what was confirmed, in place of what was kept for that police."""
    path = _memory(installation, bundle.police)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"nieuw-{path.name}")
    draft.unlink(missing_ok=True)
    write_bundle(draft, bundle)
    draft.replace(path)


def _memory(installation: Installation, police: str) -> Path:
    data = installation.path(installation.settings.paths.database).parent
    return data / "toetsing" / f"{police}.zip"
