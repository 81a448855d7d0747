"""libxmlsec as the other end: runs in an environment of its own, shares no code with ours.

One JSON command per line on standard input, one JSON answer per line. Octets are base64.
"""

import io
import json
import sys
from base64 import b64decode, b64encode

import xmlsec
from lxml import etree

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
DS = "http://www.w3.org/2000/09/xmldsig#"
NOT_NEXT = (
    "not(ancestor-or-self::node()"
    '[@soap:actor="urn:oasis:names:tc:ebxml-msg:actor:nextMSH"]'
    " | ancestor-or-self::node()"
    '[@soap:actor="http://schemas.xmlsoap.org/soap/actor/next"])'
)
TRANSFORMS = {
    t.href: t
    for t in (
        xmlsec.Transform.EXCL_C14N,
        xmlsec.Transform.C14N,
        xmlsec.Transform.RSA_SHA256,
        xmlsec.Transform.RSA_SHA512,
    )
}
PARTS: dict[str, bytes] = {}


def is_part(uri: bytes) -> bool:
    return uri.decode() in PARTS


def opened(uri: bytes) -> io.BytesIO:
    return io.BytesIO(PARTS[uri.decode()])


def read(stream: io.BytesIO, buffer: memoryview) -> int:
    return stream.readinto(buffer)


def close(stream: io.BytesIO) -> None:
    stream.close()


def octets(command: dict[str, str], name: str) -> bytes:
    return b64decode(command[name])


def verify(command: dict[str, str]) -> dict[str, object]:
    root = etree.fromstring(octets(command, "envelope"))
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(octets(command, "certificate"), xmlsec.KeyFormat.CERT_DER)
    signature = xmlsec.tree.find_node(root, xmlsec.Node.SIGNATURE)
    try:
        context.verify(signature)
    except xmlsec.Error:
        return {"verified": False}
    return {"verified": True, "uris": [r.get("URI") for r in signature.iter(f"{{{DS}}}Reference")]}


def sign(command: dict[str, str]) -> dict[str, object]:
    root = etree.fromstring(octets(command, "envelope"))
    canonicalization = TRANSFORMS[command["canonicalization"]]
    method = TRANSFORMS[command["algorithm"]]
    signature = xmlsec.template.create(root, canonicalization, method, ns="ds")
    root.find(f"{{{SOAP}}}Header").append(signature)
    whole = xmlsec.template.add_reference(signature, xmlsec.Transform.SHA256, uri="")
    xmlsec.template.add_transform(whole, xmlsec.Transform.ENVELOPED)
    node = xmlsec.template.add_transform(whole, xmlsec.Transform.XPATH)
    etree.SubElement(node, f"{{{DS}}}XPath", nsmap={"soap": SOAP}).text = NOT_NEXT
    xmlsec.template.add_transform(whole, canonicalization)
    for uri in PARTS:
        xmlsec.template.add_reference(signature, xmlsec.Transform.SHA256, uri=uri)
    data = xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
    xmlsec.template.x509_data_add_certificate(data)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(octets(command, "key"), xmlsec.KeyFormat.PEM)
    context.key.load_cert_from_memory(octets(command, "certificate"), xmlsec.KeyFormat.CERT_DER)
    context.sign(signature)
    return {"envelope": b64encode(etree.tostring(root)).decode()}


def sign_document(command: dict[str, str]) -> dict[str, object]:
    root = etree.fromstring(octets(command, "document"))
    exclusive, method = xmlsec.Transform.EXCL_C14N, TRANSFORMS[command["algorithm"]]
    signature = xmlsec.template.create(root, exclusive, method, ns="ds")
    root.append(signature)
    whole = xmlsec.template.add_reference(signature, xmlsec.Transform.SHA256, uri="")
    xmlsec.template.add_transform(whole, xmlsec.Transform.ENVELOPED)
    xmlsec.template.add_transform(whole, exclusive)
    data = xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(signature))
    xmlsec.template.x509_data_add_certificate(data)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(octets(command, "key"), xmlsec.KeyFormat.PEM)
    context.key.load_cert_from_memory(octets(command, "certificate"), xmlsec.KeyFormat.CERT_DER)
    context.sign(signature)
    return {"document": b64encode(etree.tostring(root)).decode()}


def decrypt(command: dict[str, str]) -> dict[str, object]:
    root = etree.fromstring(octets(command, "part"))
    del root.attrib["Type"]  # with it, libxmlsec parses what it finds: we want the octets
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_memory(octets(command, "key"), xmlsec.KeyFormat.PEM))
    try:
        found = xmlsec.EncryptionContext(manager).decrypt(root)
    except xmlsec.Error:
        return {"octets": None}
    return {"octets": b64encode(found).decode()}


COMMANDS = {
    "verify": verify,
    "sign": sign,
    "sign-document": sign_document,
    "decrypt": decrypt,
}


def main() -> None:
    xmlsec.enable_debug_trace(False)
    xmlsec.cleanup_callbacks()
    xmlsec.register_callbacks(is_part, opened, read, close)
    for line in sys.stdin:
        command = json.loads(line)
        PARTS.clear()
        PARTS.update(
            {f"cid:{cid}": b64decode(text) for cid, text in command.get("parts", {}).items()}
        )
        print(json.dumps(COMMANDS[command["command"]](command)), flush=True)


if __name__ == "__main__":
    main()
