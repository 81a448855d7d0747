"""An officer of the OM signs what the gate goes by, in the OM's own installation."""

from datetime import UTC, date, datetime, timedelta

from gateway.catalogue import Role
from gateway.directory import Directory, Signing
from gateway.errors import Misconfigured
from gateway.installation import Installation, load_directory
from gateway.installation_gate import Word, confirm
from gateway.keys.keystore import FileKeyring
from gateway.pipeline.desk import own_signing
from gateway.rules.officers import officer
from gateway.security.certificates import TrustStore, Usage, load
from gateway.toetsing.bundle import Bundle
from gateway.wire.tijd import read_tijdstip

LONGEST = timedelta(days=731)
"""A word of the OM that lasts longer is one that nobody looks at again."""

MOST_GROUND = 120
"""Characters of the ground on which an officer confirms."""
MOST_SAID = 200
"""Characters of a reason in the audit log: a long name of an officer is cut."""


def signed_for(police: str, officer: str, ground: str) -> str:
    """Return what the audit log says of a confirmation: for whom, by whom, on what ground."""
    return f"{ground} (politie {police}, officier {officer})"[:MOST_SAID]


def confirmed_by(
    installation: Installation,
    bundle: Bundle,
    *,
    officier: str,
    last_day: date,
    at: datetime,
    id_: str,
) -> bytes:
    """Return the confirmation, signed with the key that the agreements of the OM name.

    `at` is now; `id_` names this confirmation, and no other. It lasts to the end of `last_day`,
    by the Dutch calendar. Raises as `check_proposal`, and Misconfigured `toetsing.tot`;
    PolicyViolation `toets.officier.*`; CertificateRejected for an own certificate that is not good.
    """
    directory = load_directory(installation, epoch=0)
    check_proposal(directory, bundle)
    found = officer(directory, officier, at=at)
    signing = _signing(directory, at)
    keys = FileKeyring(installation.path(installation.settings.paths.keys))
    word = Word(
        id=id_,
        police=bundle.police,
        files=bundle.files,
        table_version=bundle.version,
        officer=found,
        taken_at=at,
        valid_until=_until(last_day, at, signing),
    )
    return confirm(word, signer=keys.signer(signing.certificate), signing=signing)


def check_proposal(directory: Directory, bundle: Bundle) -> None:
    """Raise Misconfigured where it is not ours to confirm: `toetsing.om`, `toetsing.politie`.

    `toetsing.tweede_officier` where a standing approval would let go by itself what here takes
    two officers for each message.
    """
    me, police = directory.parties[directory.me], directory.party(bundle.police)
    if me.role is not Role.OM:
        raise Misconfigured("toetsing.om", "Alleen het OM bevestigt een toetsingskader.")
    if police is None or police.role is not Role.POLITIE:
        raise Misconfigured(
            "toetsing.politie",
            "Het voorstel is van een partij die hier geen politie is.",
            where=bundle.police,
        )
    for one in bundle.approvals.toestemmingen:
        both = sorted(set(one.categorieen) & set(directory.deciding.tweede_officier))
        if both:
            raise Misconfigured(
                "toetsing.tweede_officier",
                f"Toestemming {one.id} dekt {', '.join(both)}; daarvoor bevestigt hier bij elk "
                "bericht een tweede officier. Laat de politie dat uit de toestemming halen.",
                where=one.id,
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
