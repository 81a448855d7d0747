"""Encrypted parts that were made otherwise than was agreed, or changed on the way."""

from base64 import b64decode
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace

from lxml import etree

from gateway.directory import Encryption
from gateway.message import Part, Payload
from tests.flow import bad_input as bad
from tests.flow.bad_input import XENC, Encrypt, Tree, encrypt

NS = {"xenc": XENC, "ds": bad.NS["ds"]}
DATA = f"{{{XENC}}}"
VALUE = "/xenc:EncryptedData/xenc:CipherData/xenc:CipherValue"
KEY = "/xenc:EncryptedData/ds:KeyInfo/xenc:EncryptedKey"
WRAPPED = f"{KEY}/xenc:CipherData/xenc:CipherValue"


def reshaped(change: Callable[[Tree], None]) -> Encrypt:
    """Encrypt as agreed, then change the EncryptedData."""

    def made(payload: Payload, encryption: Encryption) -> Part:
        part = encrypt(payload, encryption)
        root = etree.fromstring(part.octets)
        change(root)
        return replace(part, octets=etree.tostring(root.getroottree()))

    return made


def value(path: str, change: Callable[[bytes], bytes]) -> Encrypt:
    def made(root: Tree) -> None:
        (element,) = root.xpath(path, namespaces=NS)
        element.text = bad.b64encode(change(b64decode(element.text))).decode()

    return reshaped(made)


def algorithm(path: str, uri: str) -> Encrypt:
    def made(root: Tree) -> None:
        (element,) = root.xpath(path, namespaces=NS)
        element.set("Algorithm", uri)

    return reshaped(made)


def flipped(octets: bytes) -> bytes:
    return octets[:-1] + bytes([octets[-1] ^ 1])


def key_twice(root: Tree) -> None:
    (key,) = root.xpath(KEY, namespaces=NS)
    key.addnext(deepcopy(key))


def key_outside(root: Tree) -> None:
    """EncryptedKey beside KeyInfo, which points to it."""
    (key,) = root.xpath(KEY, namespaces=NS)
    info = bad.above(key)
    key.set("Id", "key")
    kind = f"{XENC}EncryptedKey"
    etree.SubElement(info, f"{{{NS['ds']}}}RetrievalMethod", URI="#key", Type=kind)
    info.addnext(key)


def cipher_elsewhere(root: Tree) -> None:
    """The cipher text is to be fetched."""
    (element,) = root.xpath(VALUE, namespaces=NS)
    data = bad.above(element)
    data.remove(element)
    etree.SubElement(data, f"{DATA}CipherReference", URI="http://192.0.2.1/cipher")


def value_twice(root: Tree) -> None:
    (element,) = root.xpath(VALUE, namespaces=NS)
    element.addnext(deepcopy(element))


def in_a_wrapper(payload: Payload, encryption: Encryption) -> Part:
    part = encrypt(payload, encryption)
    wrapper = etree.Element("{urn:wrapper}wrapper")
    wrapper.append(etree.fromstring(part.octets))
    return replace(part, octets=etree.tostring(wrapper))


def twice_encrypted(payload: Payload, encryption: Encryption) -> Part:
    """An EncryptedData in which the octets of an EncryptedData are."""
    inner = encrypt(payload, encryption)
    return encrypt(replace(payload, octets=inner.octets), encryption)
