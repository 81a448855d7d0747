"""An authenticator in software: passkeys on P-256, as WebAuthn has them."""

import json
from hashlib import sha256

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import Aaguid, AttestationObject, AttestedCredentialData, AuthenticatorData

USED, VERIFIED, FRESH = 0x01, 0x04, 0x40


class Authenticator:
    """One passkey. What is public may be changed, to lie."""

    def __init__(self, origin, *, name=b"passkey-1", flags=USED | VERIFIED):
        self.origin = origin
        self.host = origin.removeprefix("https://")
        self.id = sha256(name).digest()
        self.flags = flags
        self.uses = 0
        self._key = ec.generate_private_key(ec.SECP256R1())

    def make(self, options):
        """Answer `navigator.credentials.create`."""
        client = self._client("webauthn.create", options)
        public = ES256.from_cryptography_key(self._key.public_key())
        data = AttestedCredentialData.create(Aaguid.NONE, self.id, public)
        told = AttestationObject.create("none", self._data(self.flags | FRESH, data), {})
        return self._answer(
            {
                "clientDataJSON": websafe_encode(client),
                "attestationObject": websafe_encode(bytes(told)),
            }
        )

    def show(self, options):
        """Answer `navigator.credentials.get`."""
        self.uses += 1
        client = self._client("webauthn.get", options)
        data = bytes(self._data(self.flags))
        signature = self._key.sign(data + sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        return self._answer(
            {
                "clientDataJSON": websafe_encode(client),
                "authenticatorData": websafe_encode(data),
                "signature": websafe_encode(signature),
            }
        )

    def _data(self, flags, credential=b""):
        host = sha256(self.host.encode()).digest()
        return AuthenticatorData.create(host, flags, self.uses, credential)

    def _client(self, kind, options):
        challenge = options["publicKey"]["challenge"]
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(told).encode()

    def _answer(self, response):
        id_ = websafe_encode(self.id)
        return {"id": id_, "rawId": id_, "type": "public-key", "response": response}
