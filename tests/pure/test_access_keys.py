"""The files behind OAuth: our keys, those of clients, and the JWTs that were used."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from gateway.config import BackendSettings
from gateway.credentials import Scope
from gateway.errors import GatewayError, Misconfigured, Unavailable, Untrusted
from gateway.installation_backends import backend
from gateway.keys.access import KEPT, UsedAssertions, load_token_keys
from gateway.security.jwt import Assertion
from tests import jwts, pki

AT = datetime.now(UTC)
"""The files carry the time of the machine."""


def assertion(jti: str = "een", client: str = "bvh") -> Assertion:
    key = jwts.client_key(jwts.ec_key())
    return Assertion(client=client, key=key, jti=jti, expires=AT + timedelta(minutes=2))


def code_of(act, *arguments) -> str:
    with pytest.raises(GatewayError) as caught:
        act(*arguments)
    return caught.value.code


# --- used assertions ------------------------------------------------------------------


def test_an_assertion_is_used_once_whoever_asks(tmp_path):
    here, there = UsedAssertions(tmp_path / "used"), UsedAssertions(tmp_path / "used")
    here.use(assertion(), AT)
    here.use(assertion("twee"), AT)
    here.use(assertion(client="vt"), AT)

    assert code_of(here.use, assertion(), AT) == "oauth.replay"
    assert code_of(there.use, assertion(), AT) == "oauth.replay"
    assert code_of(UsedAssertions(tmp_path / "used").use, assertion(), AT) == "oauth.replay"


def test_of_many_at_once_one_is_first(tmp_path):
    def use(_: int) -> str:
        try:
            UsedAssertions(tmp_path).use(assertion(), AT)
        except Untrusted as error:
            return error.code
        return "used"

    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(use, range(64)))

    assert found.count("used") == 1
    assert found.count("oauth.replay") == 63


_USE = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from gateway.errors import Untrusted
from gateway.keys.access import UsedAssertions
from tests.pure.test_access_keys import assertion
try:
    UsedAssertions(Path(sys.argv[1])).use(assertion("vast"), datetime.now(UTC))
except Untrusted as error:
    print(error.code)
else:
    print("used")
"""


def test_of_several_processes_one_is_first(tmp_path):
    root = Path(__file__).parent.parent.parent
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _USE, tmp_path / "used"],
            cwd=root,
            env=os.environ | {"PYTHONPATH": str(root)},
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    found = sorted(one.communicate(timeout=60)[0].strip() for one in started)

    assert found == ["oauth.replay", "oauth.replay", "used"]


def test_what_has_expired_is_forgotten_and_nothing_sooner(tmp_path):
    used = UsedAssertions(tmp_path)
    used.use(assertion("oud"), AT)
    used.use(assertion("jong"), AT)
    old, young = sorted(tmp_path.iterdir())
    long_ago = (AT - timedelta(seconds=1)).timestamp()
    os.utime(old, (long_ago, long_ago))

    used.use(assertion("nieuw"), AT + KEPT)

    assert not old.exists()
    assert young.exists()


def test_too_many_at_once_is_told_and_not_let_through(tmp_path):
    for n in range(3):
        UsedAssertions(tmp_path, most=3).use(assertion(str(n)), AT)

    assert code_of(UsedAssertions(tmp_path, most=3).use, assertion("vier"), AT) == "oauth.used"


def test_a_name_says_nothing_of_client_or_jti(tmp_path):
    UsedAssertions(tmp_path).use(assertion("../../geheim"), AT)

    (only,) = tmp_path.iterdir()
    assert len(only.name) == 64
    assert only.read_bytes() == b""
    assert only.stat().st_mode & 0o777 == 0o600


def test_a_folder_that_can_not_be_made_is_unavailable(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(Unavailable, match=r"oauth\.used"):
        UsedAssertions(tmp_path / "file" / "used").use(assertion(), AT)


# --- our own keys ---------------------------------------------------------------------


def private(folder: Path, key, mode: int = 0o600) -> Path:
    path = folder / "oauth.pem"
    path.write_bytes(key if isinstance(key, bytes) else jwts.private_pem(key))
    path.chmod(mode)
    return path


def test_our_keys_are_read_in_their_order(tmp_path):
    first, second = tmp_path / "1", tmp_path / "2"
    for folder, name in ((first, "een"), (second, "twee")):
        folder.mkdir()
        private(folder, jwts.ec_key(name))

    found = load_token_keys([first / "oauth.pem", second / "oauth.pem"])

    assert [key.private.private_numbers() for key in found] == [
        jwts.ec_key(name).private_numbers() for name in ("een", "twee")
    ]


@pytest.mark.parametrize(
    ("key", "mode", "code"),
    [
        (jwts.ec_key(), 0o640, "keys.permissions"),
        (jwts.ec_key(), 0o604, "keys.permissions"),
        (jwts.rsa_key(), 0o600, "oauth.key"),
        (ec.generate_private_key(ec.SECP384R1()), 0o600, "oauth.key"),
        (jwts.public_pem(jwts.ec_key()), 0o600, "oauth.key"),
        (b"", 0o600, "oauth.key"),
    ],
    ids=["group", "others", "RSA", "P-384", "public", "empty"],
)
def test_another_key_stops_the_start(tmp_path, key, mode, code):
    assert code_of(load_token_keys, [private(tmp_path, key, mode)]) == code


def test_a_missing_key_stops_the_start(tmp_path):
    assert code_of(load_token_keys, [tmp_path / "weg"]) == "keys.missing"


# --- keys of clients ------------------------------------------------------------------


def jwk(key, **more) -> dict:
    numbers = key.public_key().public_numbers()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        x, y = (jwts.base64url(n.to_bytes(32, "big")) for n in (numbers.x, numbers.y))
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y} | more
    n = jwts.base64url(numbers.n.to_bytes(key.key_size // 8, "big"))
    return {"kty": "RSA", "n": n, "e": "AQAB"} | more


def loaded(octets: bytes):
    settings = BackendSettings.model_validate(
        {
            "naam": "bvh",
            "partij": pki.POLITIE,
            "applicaties": ["BVH"],
            "aanmelding": ["jwt"],
            "sleutels": [{"bestand": "bvh.jwks", "scopes": ["berichten:lezen"]}],
        }
    )
    return backend(settings, lambda _path: octets).credentials.keys


def test_a_key_comes_as_jwks_as_pem_or_in_a_certificate():
    jwks = json.dumps({"keys": [jwk(jwts.ec_key(), kid="a"), jwk(jwts.rsa_key(), kid="b")]})
    scopes = frozenset({Scope.READ})
    both = tuple(jwts.client_key(key, scopes) for key in (jwts.ec_key(), jwts.rsa_key()))

    assert loaded(jwks.encode()) == both
    assert loaded(jwts.public_pem(jwts.rsa_key())) == both[1:]
    assert len(loaded(pki.leaf(pki.POLITIE, "sign").pem)) == 1


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"{}",
        b"{",
        b'{"keys": []}',
        b'{"keys": {}}',
        b'{"keys": [1]}',
        b'{"keys": [{"kty": "oct", "k": "AAAA"}]}',
        b'{"keys": [{"kty": "RSA"}]}',
        json.dumps({"keys": [jwk(jwts.ec_key(), d="AAAA")]}).encode(),
        jwts.private_pem(jwts.ec_key()),
        jwts.public_pem(jwts.rsa_key("kort", 1024)),
        jwts.public_pem(ec.generate_private_key(ec.SECP384R1())),
        jwts.public_pem(ed25519.Ed25519PrivateKey.generate()),
    ],
    ids=lambda octets: octets[:30].decode(),
)
def test_what_is_no_good_public_key_stops_the_start_without_being_shown(octets):
    with pytest.raises(Misconfigured) as caught:
        loaded(octets)

    assert caught.value.code == "oauth.key"
    assert caught.value.where == "bvh.jwks"
    assert "AAAA" not in str(caught.value)
