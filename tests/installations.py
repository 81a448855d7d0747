"""Installations for tests: the examples in config/, and whole ones in a folder."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from gateway.config import InstallationRole
from gateway.installation_new import (
    NewBackend,
    NewInstallation,
    NewParty,
    write_installation,
)
from gateway.wire import toets
from gateway.wire.ebms2.cpa_make import make_cpa
from tests import pki
from tests.cpas import SERVICE, party, spec

# Of no token that anybody has: the example in config/ must not let anyone in.
TOKEN_SHA256 = "c6ee9e33cf5c6715a1d148fd73f7318884b41adcb916021e2bc0e800a5c5dd97"

KNOOPPUNT = NewParty(oin=pki.KNOOPPUNT, name="Voorbeeld Knooppunt", role="knooppunt")
POLITIE = NewParty(oin=pki.POLITIE, name="Voorbeeld Politie", role="politie", applicaties=("BVH",))
VEILIG_THUIS = NewParty(
    oin=pki.VEILIG_THUIS,
    name="Voorbeeld Veilig Thuis",
    role="veilig-thuis",
    applicaties=("Registratie",),
)
OM = NewParty(oin=pki.OM, name="Voorbeeld OM", role="om", applicaties=("GPS",))

HUB = NewInstallation(
    name="knooppunt",
    role=InstallationRole.KNOOPPUNT,
    party=KNOOPPUNT,
    others=(POLITIE, VEILIG_THUIS, OM),
    services={SERVICE: "1.0.9", toets.SERVICE: toets.VERSION},
)
ACCESS_POINT = NewInstallation(
    name="politie",
    role=InstallationRole.AANSLUITPUNT,
    party=POLITIE,
    others=(KNOOPPUNT, VEILIG_THUIS, OM),
    services={SERVICE: "1.0.9", toets.SERVICE: toets.VERSION},
    backends=(NewBackend(name="bvh", applicaties=("BVH",), token_sha256=TOKEN_SHA256),),
    approvals=True,
)
EXAMPLES = {"knooppunt": HUB, "aansluitpunt": ACCESS_POINT}


def installed(folder: Path, **changes: object) -> Path:
    """Write the access point of the politie with keys, trust and one CPA; return its folder."""
    write_installation(folder, replace(ACCESS_POINT, approvals=False, **changes))
    pki.pki().write(folder / "trust")
    for usage in ("tls", "sign", "encrypt"):
        pki.leaf(pki.POLITIE, usage).write(folder / "keys", usage)
    agreement = spec(
        parties=(
            party(pki.POLITIE, "politie", "vtMeldingDi01"),
            party(pki.KNOOPPUNT, "knooppunt", "vtTerugkoppelingDi01"),
        ),
        end=pki.AT + timedelta(days=90),
    )
    (folder / "agreements" / "knooppunt.xml").write_bytes(make_cpa(agreement))
    return folder
