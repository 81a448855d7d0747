"""Paths of a script: local names below the root, whatever their namespace."""

from lxml import etree


def fields(tree: etree._Element, path: str) -> list[etree._Element]:
    """Return the elements at a path, `/`-separated."""
    return tree.findall("/".join(f"{{*}}{step}" for step in path.split("/")))
