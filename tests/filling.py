"""Put a text into an element of a document, where its schema wants it."""

from functools import cache

from lxml import etree

from gateway.docs_pages.structure import PREFIXES, Part, read
from gateway.installation import load_catalogue, share


@cache
def parts(name: str, version: str) -> dict[str, Part]:
    """Every element of the message, by its path below the root, in the order of the schema."""
    kind = load_catalogue(share("config") / "catalogue.toml").find(name, version)
    return {part.path: part for part in read(share("schemas") / kind.schema, name).parts}


def filled(octets: bytes, version: str, texts: dict[str, str]) -> bytes:
    """Return the document with these texts, by path; what is missing on the way is made."""
    root = etree.fromstring(octets)
    known = parts(etree.QName(root).localname, version)
    for path, text in texts.items():
        element = root
        for n in range(path.count("/") + 1):
            here = "/".join(path.split("/")[: n + 1])
            element = _child(element, here, known)
        element.text = text
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _child(parent: etree._Element, path: str, known: dict[str, Part]) -> etree._Element:
    prefix, name = known[path].spelled.rpartition("/")[2].split(":")
    tag = f"{{{PREFIXES[prefix]}}}{name}"
    found = parent.find(tag)
    if found is not None:
        return found
    made = etree.Element(tag)
    above = path.rpartition("/")[0]
    order = [p.rpartition("/")[2] for p in known if p.rpartition("/")[0] == above]
    after = [
        n
        for n, one in enumerate(parent)
        if order.index(etree.QName(one).localname) < order.index(name)
    ]
    parent.insert(after[-1] + 1 if after else 0, made)
    return made
