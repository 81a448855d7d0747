"""The messages of `as4` (PyPI), in an environment of its own: `bench/others.py` drives it.

One JSON object per line in, one answer per line out. It knows nothing of the gateway.
"""

import json
import sys
from base64 import b64decode
from time import process_time
from typing import Any

from as4.core.common import AS4LocalPrivateKey
from as4.core.context import SecurityPolicy
from as4.core.trust import pinned_certificates
from as4.peppol import (
    build_peppol_message,
    create_peppol_external_party,
    create_peppol_internal_party,
    parse_peppol_message,
)
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from lxml import etree

KIND = "urn:bench::melding##urn:bench::1.0"


class Side:
    """Two parties with their keys, and a document that one sends to the other."""

    def __init__(self, asked: dict[str, Any]) -> None:
        (key_a, der_a), (key_b, der_b) = (
            (load_pem_private_key(pair["key"].encode(), None), b64decode(pair["certificate"]))
            for pair in (asked["sender"], asked["receiver"])
        )
        a, b = x509.load_der_x509_certificate(der_a), x509.load_der_x509_certificate(der_b)
        self._octets = b64decode(asked["document"])
        self._schema = etree.XMLSchema(etree.parse(asked["schema"]))
        self._sender = create_peppol_internal_party("POP000001", a, AS4LocalPrivateKey(key_a))
        self._to = create_peppol_external_party("POP000002", b)
        self._receiver = create_peppol_internal_party("POP000002", b, AS4LocalPrivateKey(key_b))
        self._policy = SecurityPolicy(signer_resolver=pinned_certificates(a))
        self._sealed = self._seal()

    def _seal(self) -> tuple[dict[str, str], bytes]:
        message = build_peppol_message(
            payload=self._octets,
            local_party=self._sender,
            remote_party=self._to,
            sender="9932:1",
            recipient="9932:2",
            sender_country_id="NL",
            document_type_identifier_scheme="busdox-docid-qns",
            document_type_identifier_value=KIND,
            process_identifier="urn:bench",
        )
        body, boundary = message.get_request_data()
        return message.get_http_headers(boundary), body

    def seal(self) -> None:
        self._seal()

    def open(self) -> None:
        headers, body = self._sealed
        found = parse_peppol_message(
            request_headers=headers,
            request_body=body,
            local_party=self._receiver,
            security_policy=self._policy,
        )
        assert found.successful, found.errors
        (payload,) = found.message.decrypted_data.values()
        document = next(iter(etree.fromstring(payload).iterchildren(reversed=True)))
        self._schema.assertValid(etree.ElementTree(document))


def main() -> None:
    side = None
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["do"] == "begin":
            side = Side(asked)
            seconds = 0.0
        else:
            work, times = getattr(side, asked["do"]), asked["times"]
            start = process_time()
            for _ in range(times):
                work()
            seconds = (process_time() - start) / times
        print(json.dumps({"ok": seconds}), flush=True)


if __name__ == "__main__":
    main()
