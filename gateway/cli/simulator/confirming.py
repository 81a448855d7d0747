"""An OM of the trial, which confirms what the gate of its police goes by."""

from datetime import datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gateway.config import OfficerSettings
from gateway.directory import Signing
from gateway.installation import gate_files, load_installation, load_table
from gateway.installation_gate import Word, confirm
from gateway.installation_new import NewParty
from gateway.keys.keystore import SoftwareSigner
from gateway.keys.test_pki import LeafUsage, TestPki
from gateway.security.algorithms import RSA_SHA256, SHA256
from gateway.wire.confirmation import TABLE

OM = NewParty(oin="00000099000000000004", name="Proef OM", role="om", applicaties=("GPS",))
DAYS = 365


def confirm_gate(folder: Path, pki: TestPki, now: datetime) -> bytes:
    """Return the confirmation of table and approvals as they stand in the installation."""
    installation = load_installation(folder)
    files = {name: path.read_bytes() for name, path in gate_files(installation).items()}
    leaf = pki.issue(oin=OM.oin, name=OM.name, usage=LeafUsage.SIGN)
    officer = OfficerSettings(
        id="proef",
        naam="mr. P. Proef",
        functie="officier van justitie (proef)",
        mandaat="proef",
        parket="Proef",
        van=now.date(),
    )
    word = Word(
        id="proef",
        police=installation.settings.partij,
        files=files,
        table_version=load_table(gate_files(installation)[TABLE]).version,
        officer=officer,
        taken_at=now,
        valid_until=now + timedelta(days=DAYS),
    )
    signing = Signing(
        signature_algorithm=RSA_SHA256, digest_algorithm=SHA256, certificate=leaf.certificate
    )
    key = load_pem_private_key(leaf.key, password=None)
    return confirm(word, signer=SoftwareSigner(leaf.certificate, key), signing=signing)
