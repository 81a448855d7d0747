"""JWTs as a back-end makes them, with `cryptography` alone: good ones, and wrong ones."""

import base64
import hashlib
import hmac
import json
from datetime import datetime
from functools import cache
from typing import Any
from uuid import uuid4

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from gateway.credentials import ClientKey, Scope
from gateway.security.jwt import spki, thumbprint

API = "https://berichten.example/api/v1"
CLIENT = "bvh"


@cache
def ec_key(name: str = CLIENT) -> ec.EllipticCurvePrivateKey:
    """Return the key of that name, the same one each time."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key(name: str = CLIENT, bits: int = 2048) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def client_key(private: Any, scopes: frozenset[Scope] = frozenset(Scope)) -> ClientKey:
    public = private.public_key()
    return ClientKey(spki=spki(public), thumbprint=thumbprint(public), scopes=scopes)


def public_pem(private: Any) -> bytes:
    return private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def private_pem(private: Any) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def claims(at: datetime, **changes: Any) -> dict[str, Any]:
    """Return good claims; a change to None leaves a claim out."""
    now = int(at.timestamp())
    made = {
        "iss": CLIENT,
        "sub": CLIENT,
        "aud": API,
        "iat": now,
        "exp": now + 120,
        "jti": uuid4().hex,
    } | changes
    return {name: value for name, value in made.items() if value is not None}


def jwt(content: dict[str, Any] | bytes, key: Any, *, alg: str = "ES256", **header: Any) -> str:
    """Return a JWT. `key` is a private key, octets for HMAC, or None for no signature."""
    head = json.dumps({"alg": alg, "typ": "JWT"} | header).encode()
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    signed = f"{base64url(head)}.{base64url(body)}"
    return f"{signed}.{base64url(_signature(signed.encode(), key, alg))}"


def base64url(octets: bytes) -> str:
    return base64.urlsafe_b64encode(octets).rstrip(b"=").decode()


def read(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return header and claims, unproven."""
    head, body, _ = (base64.urlsafe_b64decode(part + "==") for part in text.split("."))
    return json.loads(head), json.loads(body)


def _signature(signed: bytes, key: Any, alg: str) -> bytes:
    if key is None:
        return b""
    if isinstance(key, bytes):
        return hmac.new(key, signed, hashlib.sha256).digest()
    if isinstance(key, ec.EllipticCurvePrivateKey):
        r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    pss = padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32)
    return key.sign(signed, pss if alg == "PS256" else padding.PKCS1v15(), hashes.SHA256())
