"""How back-ends sign in, as gateway.toml has it: what fits together, and what doctor says."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gateway.cli.doctor_signin import sign_in
from gateway.credentials import Scope, SignIn
from gateway.directory import Directory
from gateway.errors import Misconfigured
from gateway.installation import load_directory, load_installation
from tests import jwts, pki
from tests.installations import ACCESS_POINT, TOKEN_SHA256, installed

AT = datetime(2026, 11, 26, 12, tzinfo=UTC)
A, B = "a" * 64, "b" * 64
ALL = str([str(scope) for scope in Scope])
SYSTEM = f"""
[[backends]]
naam = "bvh2"
partij = "{pki.POLITIE}"
applicaties = ["BVH"]
"""


def with_system(folder: Path, lines: str, *, oauth: str = "") -> Path:
    """Write an installation with a second back-end that has these lines."""
    installed(folder)
    file = folder / "gateway.toml"
    text = file.read_text().replace("[oauth]\n", f"[oauth]\n{oauth}\n")
    file.write_text(text + SYSTEM + lines)
    return folder


def token(sha256: str = A, scopes: str = ALL, end: str = "") -> str:
    return f'[[backends.tokens]]\nsha256 = "{sha256}"\nscopes = {scopes}\n{end}\n'


def certificate(lines: str) -> str:
    return f"[[backends.certificaten]]\nscopes = {ALL}\n{lines}\n"


def keys() -> str:
    return f'[[backends.sleutels]]\nbestand = "bvh.pem"\nscopes = {ALL}\n'


def ways(*names: str) -> str:
    return f"aanmelding = {[str(name) for name in names]}\n"


def loaded(folder: Path) -> Directory:
    return load_directory(load_installation(folder), epoch=0)


OAUTH = 'keys = ["oauth.pem"]\nissuer = "https://localhost/api/v1"'


# --- what fits together ---------------------------------------------------------------


def test_every_way_to_sign_in_is_read(tmp_path):
    lines = (
        ways(*SignIn)
        + token(end="geldig_tot = 2027-01-01T00:00:00+01:00")
        + token(B, "[]")
        + certificate(f'sha256 = "{A}"')
        + certificate('serienummer = "1"\ncn = "bvh"')
        + keys()
    )
    folder = with_system(tmp_path, lines, oauth=OAUTH)
    (folder / "bvh.pem").write_bytes(jwts.public_pem(jwts.ec_key()))

    found = loaded(folder).backends[1].credentials

    assert found.ways == set(SignIn)
    assert [one.scopes for one in found.tokens] == [set(Scope), set()]
    assert found.tokens[0].valid_until == datetime(2026, 12, 31, 23, tzinfo=UTC)
    assert [one.sha256 for one in found.certificates] == [A, ""]
    assert (found.certificates[1].serial_number, found.certificates[1].common_name) == ("1", "bvh")
    assert [one.thumbprint for one in found.keys] == [jwts.client_key(jwts.ec_key()).thumbprint]
    assert found.wants_certificate


@pytest.mark.parametrize(
    ("lines", "where"),
    [
        (ways("token"), "backends.bvh2.aanmelding"),
        (ways("certificaat") + token(), "backends.bvh2.aanmelding"),
        (ways("certificaat+token") + token(), "backends.bvh2.aanmelding"),
        (ways("jwt") + keys(), "backends.bvh2.aanmelding"),
        (ways("token") + token(TOKEN_SHA256), "backends.tokens.sha256"),
        (ways("token") + token() + token(), "backends.tokens.sha256"),
        (
            ways("certificaat") + 2 * certificate(f'sha256 = "{A}"'),
            "backends.certificaten.sha256",
        ),
        (
            ways("certificaat") + 2 * certificate('serienummer = "1"\ncn = "x"'),
            "backends.certificaten.cn",
        ),
        (ways("certificaat") + certificate(""), "backends.bvh2.certificaten"),
        (ways("certificaat") + certificate('serienummer = "1"'), "backends.bvh2.certificaten"),
        (ways("certificaat") + certificate('cn = "x"'), "backends.bvh2.certificaten"),
        (
            ways("certificaat") + certificate(f'sha256 = "{A}"\ncn = "x"'),
            "backends.bvh2.certificaten",
        ),
    ],
)
def test_what_does_not_fit_together_stops_the_start(tmp_path, lines, where):
    folder = with_system(tmp_path, lines)
    (folder / "bvh.pem").write_bytes(jwts.public_pem(jwts.ec_key()))
    with pytest.raises(Misconfigured) as caught:
        loaded(folder)

    assert (caught.value.code, caught.value.where) == ("config.invalid", where)


def test_oauth_without_its_address_stops_the_start(tmp_path):
    with pytest.raises(Misconfigured) as caught:
        loaded(with_system(tmp_path, ways(), oauth='keys = ["oauth.pem"]'))

    assert caught.value.where == "oauth.issuer"


def test_a_changed_key_of_a_client_is_another_directory(tmp_path):
    folder = with_system(tmp_path, ways("jwt") + keys(), oauth=OAUTH)
    (folder / "bvh.pem").write_bytes(jwts.public_pem(jwts.ec_key()))
    first = loaded(folder).fingerprint
    (folder / "bvh.pem").write_bytes(jwts.public_pem(jwts.ec_key("nieuw")))

    assert loaded(folder).fingerprint != first


def test_back_ends_may_have_cas_of_their_own(tmp_path):
    folder = with_system(tmp_path, ways())
    same = loaded(folder)
    pki.pki().write(folder / "trust" / "backends")
    file = folder / "gateway.toml"
    file.write_text(
        file.read_text().replace("[paths]\n", '[paths]\nbackend_trust = "trust/backends"\n')
    )
    own = loaded(folder)

    assert same.backend_trust is same.trust
    assert own.backend_trust is not own.trust
    assert own.backend_trust.anchors == pki.pki().trust().anchors
    assert set(own.backend_trust.crls) == set(pki.pki().trust().crls)
    assert own.fingerprint != same.fingerprint


# --- doctor ---------------------------------------------------------------------------


def said(folder: Path) -> list[tuple[str, str]]:
    installation = load_installation(folder)
    return list(sign_in(installation, load_directory(installation, epoch=0), AT))


def told(folder: Path, mark: str) -> str:
    return "\n".join(text for found, text in said(folder) if found == mark)


@pytest.mark.parametrize(
    ("lines", "mark", "text"),
    [
        (ways("token") + token(), "!", "bvh2, token aaaaaaaaaaaa: geen geldig_tot"),
        (
            ways("token") + token(end="geldig_tot = 2026-11-26T12:00:00Z"),
            "!",
            "bvh2, token aaaaaaaaaaaa: verlopen op 2026-11-26",
        ),
        (
            ways("token") + token(end="geldig_tot = 2026-12-20T12:00:00Z"),
            "!",
            "bvh2, token aaaaaaaaaaaa: eindigt op 2026-12-20",
        ),
        (ways("token") + token(scopes="[]"), "!", "bvh2: geen enkele scope"),
        (ways(), "!", "bvh2: aanmelding is leeg"),
        (
            ways("certificaat", "token") + token() + certificate(f'sha256 = "{A}"'),
            "✓",
            "bvh2 meldt zich aan met certificaat of token",
        ),
    ],
)
def test_doctor_says_what_keeps_out_and_what_never_ends(tmp_path, lines, mark, text):
    assert text in told(with_system(tmp_path, lines), mark)


def test_doctor_is_content_with_a_token_that_lasts(tmp_path):
    end = (AT + timedelta(days=31)).isoformat()
    folder = with_system(tmp_path, ways("token") + token(end=f"geldig_tot = {end}"))

    assert "bvh2" not in told(folder, "!")


def test_doctor_says_that_no_certificate_counts_without_lists(tmp_path):
    folder = with_system(tmp_path, ways("certificaat") + certificate(f'sha256 = "{A}"'))
    assert told(folder, "✗") == ""
    for path in (folder / "trust" / "crls").iterdir():
        path.unlink()

    assert "CRL's ontbreken" in told(folder, "✗")


def test_doctor_reads_the_keys_of_oauth(tmp_path):
    folder = with_system(tmp_path, ways(), oauth=OAUTH)
    assert "keys.missing" in told(folder, "✗")
    (folder / "oauth.pem").write_bytes(jwts.private_pem(jwts.ec_key("own")))
    (folder / "oauth.pem").chmod(0o600)

    assert told(folder, "✗") == ""
    assert "OAuth" in told(folder, "✓")


def test_doctor_says_that_nobody_can_sign_in(tmp_path):
    assert ACCESS_POINT.backends
    folder = installed(tmp_path, backends=())

    assert said(folder) == [
        ("!", "geen systeem onder [[backends]]: niemand kan aanleveren of ophalen")
    ]
