"""Reading the elements that `adf_text` builds: their names are in lower case, without a namespace."""

import hashlib
from xml.etree.ElementTree import Element


def all_of(element: Element | None, name: str) -> list[Element]:
    """The children of this name, in order."""
    return [child for child in element if child.tag == name] if element is not None else []


def first_of(element: Element | None, name: str) -> Element | None:
    """The first child of this name."""
    return next(iter(all_of(element, name)), None)


def text_of(element: Element | None, name: str = "") -> str:
    """The text of an element, or of its first child of a name, with single blanks; empty when there is none."""
    found = first_of(element, name) if name else element
    return " ".join("".join(found.itertext()).split()) if found is not None else ""


def attribute_of(element: Element | None, name: str) -> str:
    """An attribute in any case, with single blanks; empty when it is not there."""
    if element is None or not element.attrib:
        return ""
    found = element.get(name)
    if found is None:
        found = next((value for key, value in element.items() if key.rpartition("}")[2].lower() == name), "")
    return " ".join(found.split())


def content_of(element: Element) -> bytes:
    """SHA-256 of an element with all that is in it, wherever it stands."""
    parts: list[str] = []
    for inner in element.iter():
        behind = "" if inner is element else inner.tail or ""
        parts += (inner.tag, inner.text or "", behind, *(f"{key}={value}" for key, value in inner.items()))
    # No XML text can hold the separator.
    return hashlib.sha256("\x1f".join(parts).encode()).digest()
