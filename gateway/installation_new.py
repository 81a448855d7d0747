"""A new installation: folders, a gateway.toml that explains itself, and what to do next."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from pydantic import BaseModel

from gateway.catalogue import Role
from gateway.config import (
    NAME,
    AlarmSettings,
    ConsoleSettings,
    DatabaseSettings,
    InstallationRole,
    LimitSettings,
    LogSettings,
    OauthSettings,
    OfficerSettings,
    Paths,
    RetentionSettings,
    ToetsSettings,
    WorkerSettings,
)
from gateway.credentials import PLAIN_SCOPES, Scope, SignIn
from gateway.errors import Misconfigured

README = "LEESMIJ.md"

FOLDERS = (
    "keys",
    "trust",
    "trust/anchors",
    "trust/intermediates",
    "trust/crls",
    "agreements",
)
DATA = Path("data")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewParty:
    """A party as it will stand in gateway.toml."""

    oin: str
    name: str
    role: str
    applicaties: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBackend:
    """A back-end system as it will stand in gateway.toml."""

    name: str
    applicaties: tuple[str, ...]
    token_sha256: str
    scopes: tuple[Scope, ...] = PLAIN_SCOPES
    valid_until: datetime | None = None
    """Of the token, aware; None = no end."""
    officers: tuple[str, ...] = ()
    """Ids of the officers for whom it may decide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewInstallation:
    """What `write_installation` writes."""

    name: str
    role: InstallationRole
    party: NewParty
    others: tuple[NewParty, ...]
    services: dict[str, str]
    backends: tuple[NewBackend, ...] = ()
    officers: tuple[OfficerSettings, ...] = ()
    ebms_port: int = 8443
    api_port: int = 8444
    beheer_port: int = 8445
    console_port: int | None = None
    """Of the console, at https://localhost with the certificate of TLS; None = there is none."""
    log: str = "json"
    approvals: bool = False
    environment: str = "test"
    database_url: str | None = None
    """PostgreSQL; None = the SQLite file."""
    data: Path | None = None
    """Folder of database and epoch keys; None = `data` beside gateway.toml."""
    paths: Mapping[str, str] = field(default_factory=dict)
    """Settings of `[paths]` that are not left at their default."""


def write_installation(folder: Path, new: NewInstallation) -> Path:
    """Write folders (0700), gateway.toml and LEESMIJ.md; return the path of gateway.toml.

    Raises Misconfigured `init.exists` rather than overwrite a configuration.
    """
    file = folder / NAME
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as output:
            output.write(to_toml(new))
    except FileExistsError as exc:
        raise Misconfigured(
            "init.exists", "Er is al een configuratie; die blijft zoals zij is.", where=str(file)
        ) from exc
    folder.chmod(0o700)
    for name in (*FOLDERS, new.data or DATA):
        (folder / name).mkdir(mode=0o700, exist_ok=True)
    if not (folder / README).exists():
        (folder / README).write_text(_next_steps(new), encoding="utf-8")
    return file


def to_toml(new: NewInstallation) -> str:
    """Return gateway.toml. What is left at its default stands there as a comment."""
    hub = new.role is InstallationRole.KNOOPPUNT
    lines = [
        f"# {new.role.value.capitalize()} van {new.party.name}.",
        "# Every setting: docs/configuration.md. Paths are relative to this file, an unknown key",
        "# stops the start, and no secret stands here.",
        "",
        f"naam = {_value(new.name)}",
        f"rol = {_value(new.role.value)}",
        f"partij = {_value(new.party.oin)}",
        f"omgeving = {_value(new.environment)}",
        "",
        "# eb:Service of an agreement → version of the koppelvlak.",
        "[diensten]",
        *(f"{_value(service)} = {_value(version)}" for service, version in new.services.items()),
        "",
        *_listeners(new),
        *_section("paths", Paths, _paths(new)),
        *_section("database", DatabaseSettings, _given(url=new.database_url)),
        *_section("log", LogSettings, {"vorm": new.log}),
        *_section("worker", WorkerSettings, {}),
        *_section("limits", LimitSettings, {}),
        *([] if hub else _section("oauth", OauthSettings, {})),
        *_section("retention", RetentionSettings, {}),
        *_section("alarms", AlarmSettings, {}),
        *_section("toets", ToetsSettings, {}),
        *_console(new),
        "# Every party that is known here. The keys of the own party are in keys/.",
    ]
    for party in (new.party, *new.others):
        lines += _party(party)
    for backend in new.backends:
        lines += _backend(backend, new.party.oin)
    for officer in new.officers:
        lines += _officer(officer)
    return "\n".join(lines).rstrip() + "\n"


def _listeners(new: NewInstallation) -> list[str]:
    lines = [
        "# Digikoppeling ebMS2, mutual TLS. Certificate and key are PEM; the key has mode 0600.",
        *_listener("ebms", new.ebms_port, tls=True),
    ]
    if new.role is InstallationRole.AANSLUITPUNT:
        lines += [
            "# REST for the party's own back-end systems.",
            *_listener("api", new.api_port, tls=True),
        ]
    if new.console_port is not None:
        lines += ["# Console for people.", *_listener("console", new.console_port, tls=True)]
    return [
        *lines,
        "# Health and metrics, plain HTTP: keep it on loopback or a closed network.",
        *_listener("beheer", new.beheer_port, tls=False),
    ]


def _console(new: NewInstallation) -> list[str]:
    if new.console_port is None:
        return []
    url = f"https://localhost:{new.console_port}"
    return _section("console", ConsoleSettings, {"url": url})


def _listener(name: str, port: int, *, tls: bool) -> list[str]:
    files = ['certificate = "keys/tls.pem"', 'key = "keys/tls.key"'] if tls else []
    return [f"[listen.{name}]", 'host = "127.0.0.1"', f"port = {port}", *files, ""]


def _section(name: str, model: type[BaseModel], given: Mapping[str, str]) -> list[str]:
    """Return a section in which every other setting stands as a comment."""
    lines = [f"# {model.__doc__}", f"[{name}]"]
    for key, info in model.model_fields.items():
        if key in given:
            lines.append(f"{key} = {_value(given[key])}")
        else:
            default = "..." if info.default is None else info.default
            lines.append(f"# {key} = {_value(default)}  # {info.description}")
    return [*lines, ""]


def _paths(new: NewInstallation) -> Mapping[str, str]:
    own = _given(
        approvals="approvals.toml" if new.approvals else None,
        confirmation="bevestiging.xml" if new.party.role == Role.POLITIE else None,
        database=None if new.data is None else str(new.data / "gateway.db"),
        epoch_keys=None if new.data is None else str(new.data / "epochs"),
    )
    return {**own, **new.paths}


def _given(**settings: str | None) -> dict[str, str]:
    return {key: value for key, value in settings.items() if value is not None}


def _party(party: NewParty) -> list[str]:
    return [
        "[[partijen]]",
        f"oin = {_value(party.oin)}",
        f"naam = {_value(party.name)}",
        f"rol = {_value(party.role)}",
        f"applicaties = {_value(party.applicaties)}",
        "",
    ]


def _backend(backend: NewBackend, oin: str) -> list[str]:
    return [
        "[[backends]]",
        f"naam = {_value(backend.name)}",
        f"partij = {_value(oin)}",
        f"applicaties = {_value(backend.applicaties)}",
        f"aanmelding = {_value([SignIn.BEARER])}",
        *([f"officieren = {_value(backend.officers)}"] if backend.officers else []),
        *token_lines(backend.token_sha256, backend.scopes, backend.valid_until),
        "",
    ]


def _officer(officer: OfficerSettings) -> list[str]:
    given = officer.model_dump(exclude_none=True)
    lines = [
        f"{key} = {value if isinstance(value, date) else _value(value)}"
        for key, value in given.items()
    ]
    return ["[[officieren]]", *lines, ""]


def token_lines(sha256: str, scopes: Iterable[Scope], valid_until: datetime | None) -> list[str]:
    """Return a token as it stands in gateway.toml, under its back-end."""
    end = [] if valid_until is None else [f"geldig_tot = {valid_until.isoformat()}"]
    return [
        "[[backends.tokens]]",
        f"sha256 = {_value(sha256)}",
        *end,
        f"scopes = {_value(list(scopes))}",
    ]


def _value(value: object) -> str:
    """Return a string, number or list as TOML: JSON has the same form for these."""
    plain = str(value) if isinstance(value, Path) else value
    return json.dumps(plain, ensure_ascii=False)


def _next_steps(new: NewInstallation) -> str:
    return f"""# {new.role.value.capitalize()} van {new.party.name}

Wat nog nodig is voor `gateway serve`:

1. `keys/tls.pem` en `keys/tls.key`: het PKIoverheid-certificaat voor TLS met zijn sleutel.
   Elk sleutelbestand heeft mode 0600 en geen wachtwoord.
2. `keys/`: de sleutels bij het certificaat voor ondertekenen en dat voor versleutelen.
3. `trust/anchors/`, `trust/intermediates/`, `trust/crls/`: stamcertificaten, de CA's daaronder
   en hun intrekkingslijsten, als PEM of DER. Een verlopen lijst betekent: niemand komt binnen.
4. `agreements/`: de CPA's, elk in een eigen bestand. Bekijken met `gateway cpa show BESTAND`.
5. `gateway.toml`: de partijen, hun rollen en applicaties, en de backends.
6. `gateway doctor --config {NAME}` zegt wat er nog ontbreekt.

De map `{new.data or DATA}` bevat de database en, in `epochs/`, de sleutels waaronder berichten
versleuteld zijn opgeslagen. Zet die twee nooit in dezelfde back-up: wat vernietigd is, komt anders
terug.
"""
