"""`gateway init` and `gateway token`."""

import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from gateway.config import InstallationRole, Settings
from gateway.credentials import Scope
from gateway.errors import NoRoute
from gateway.installation import load_installation
from gateway.toml import parse_toml

MOST_DAYS = 1_095
"""A token that lives longer than three years is one that nobody renews."""


def init(
    folder: Annotated[Path, typer.Argument(help="Folder to make; an existing one is kept.")],
    role: Annotated[InstallationRole, typer.Option("--role", help="What the installation is.")],
    oin: Annotated[str, typer.Option(help="OIN of the own organisation.")] = "00000099000000000000",
    naam: Annotated[str, typer.Option(help="Name of the own organisation.")] = "Eigen organisatie",
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder of the database and its keys; left out = data/ beside gateway.toml."
        ),
    ] = None,
) -> None:
    """Make a working configuration: folders and a gateway.toml that explains itself.

    Nothing is overwritten. What is still needed after this is printed.
    """
    from gateway.installation_new import NewInstallation, NewParty, to_toml, write_installation
    from gateway.wire import toets

    hub = role is InstallationRole.KNOOPPUNT
    own = NewParty(
        oin=oin,
        name=naam,
        role="knooppunt" if hub else "veilig-thuis",
        applicaties=() if hub else ("Registratie",),
    )
    new = NewInstallation(
        name=folder.resolve().name,
        role=role,
        party=own,
        others=(),
        services={"jz:corv:1.0.9": "1.0.9", toets.SERVICE: toets.VERSION},
        data=None if data is None else data.resolve(),
    )
    parse_toml(to_toml(new).encode(), Settings, where=str(folder))  # before anything is written
    path = write_installation(folder, new)
    print(f"{path} is gemaakt. Nog te doen:")
    print("  1. keys/tls.pem en keys/tls.key: het TLS-certificaat (PKIoverheid) en de sleutel")
    print("  2. keys/: de sleutels van het ondertekenings- en het versleutelingscertificaat")
    print("  3. trust/: stamcertificaten (anchors), CA's (intermediates) en CRL's (crls)")
    print("  4. agreements/: de CPA's; zelf maken kan met `gateway cpa make`")
    print("  5. gateway.toml: de rol van de eigen partij, de andere partijen en de systemen")
    print(f"  6. gateway doctor --config {path}")


def token(
    naam: Annotated[str, typer.Argument(help="Name of the back-end system.")],
    scopes: Annotated[
        list[Scope] | None, typer.Option(help="What it lets do; repeat it. Left out = everything.")
    ] = None,
    geldig_dagen: Annotated[
        int, typer.Option(min=1, max=MOST_DAYS, help="Days until the token ends.")
    ] = 365,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="Of whose systems it must be one; left out = any."),
    ] = None,
) -> None:
    """Make a token for a back-end system: shown once, stored only as SHA-256.

    What is printed behind the token goes under its entry of `backends` in gateway.toml; an
    older token may stand beside it until the system uses this one.
    """
    from gateway.installation_new import token_lines

    if config is not None:
        _known(naam, load_installation(config).settings)
    made = secrets.token_urlsafe(32)
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=geldig_dagen)
    print(f"token voor {naam} (wordt niet bewaard): {made}")
    print()
    digest = sha256(made.encode()).hexdigest()
    print("\n".join(token_lines(digest, scopes or tuple(Scope), until)))


def _known(naam: str, settings: Settings) -> None:
    """Raise NoRoute `systeem.weg` for a system that gateway.toml does not have."""
    names = sorted(backend.naam for backend in settings.backends)
    if naam not in names:
        there = ", ".join(names) or "geen"
        raise NoRoute("systeem.weg", f"Dit systeem staat niet in gateway.toml. Wel: {there}.")
