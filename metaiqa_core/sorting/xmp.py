"""XMP sidecars: stars and a colour label beside a photo, as Lightroom, digiKam and darktable read them.

Source: Adobe, XMP Specification Part 1 (data model and serialisation), Part 2 (xmp:Rating, -1 for rejected; xmp:Label).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from metaiqa_core.assessment import WORDS
from metaiqa_core.errors import OutputError
from metaiqa_core.foreign_text import printable
from metaiqa_core.sorting.decisions import Decision

if TYPE_CHECKING:  # `score` without sidecars does not wait for it
    from xml.dom.minidom import Document, Element

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
XMP = "http://ns.adobe.com/xap/1.0/"
OWN = "https://metaiqa.invalid/xmp/1.0/"
"""Namespace of what MetaIQA adds: the score, the model, and the stars that it gave itself. It is a name, no address."""
_XMLNS = "http://www.w3.org/2000/xmlns/"
_PREFIXES = {XMP: "xmp", OWN: "metaiqa"}
_ELEMENT, _TEXT = 1, 3
"""Kinds of nodes (W3C, Document Object Model)."""
REJECTED_STARS = -1
LABELS = {Decision.KEEP: "Green", Decision.REJECT: "Red"}
"""Colour label of a decision; English, as programs look them up by these names."""

_EMPTY = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="{RDF}">
  <rdf:Description rdf:about=""/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""


@dataclass(frozen=True)
class Rating:
    """Stars and label of a photo.

    Attributes:
        stars: 1 to 5; 0 for none; -1 for rejected.
        label: Name of a colour; None for none.
        score: Score, 0-100; None where there is none.
        model: Name of the model that gave it.
    """

    stars: int
    label: str | None = None
    score: float | None = None
    model: str = ""


def rating_of(word: str | None, decision: Decision, score: float | None, model: str) -> Rating:
    """Return the rating of a photo: a star for Bad to five for Excellent, -1 and red for rejected, green for kept.

    >>> rating_of("Good", Decision.UNDECIDED, 71.0, "m").stars
    4
    """
    stars = WORDS.index(word) + 1 if word in WORDS else 0
    return Rating(REJECTED_STARS if decision == Decision.REJECT else stars, LABELS.get(decision), score, model)


def write_rating(rating: Rating, sidecar: bytes | None = None, *, replace: bool = False) -> bytes | None:
    """Return a sidecar with a rating; everything else in an existing one stays.

    Args:
        rating: Rating to write.
        sidecar: Content of the existing sidecar; None for a new one.
        replace: Whether to replace stars or a label that somebody else gave.

    Returns:
        The new content; None where somebody else's stars or label would be lost.

    Raises:
        OutputError: If the existing sidecar is no XMP that can be read.
    """
    document = _parsed(sidecar if sidecar is not None else _EMPTY.encode())
    places = document.getElementsByTagNameNS(RDF, "Description")
    if not places:
        raise OutputError("it has no rdf:Description, so it is no XMP sidecar: move it away, and start again")
    was_given = {name: _value(places, XMP, name) for name in ("Rating", "Label")}
    own = {name: _value(places, OWN, name) for name in ("Rating", "Label")}
    stars_are_foreign = was_given["Rating"] not in (None, "0", "", own["Rating"])
    label_is_foreign = was_given["Label"] not in (None, "", own["Label"]) and rating.label is not None
    if (stars_are_foreign or label_is_foreign) and not replace:
        return None
    values: dict[tuple[str, str], str | None] = {
        (XMP, "Rating"): str(rating.stars),
        (OWN, "Rating"): str(rating.stars),
        (OWN, "Score"): None if rating.score is None else f"{rating.score:.2f}",
        (OWN, "Model"): printable(rating.model) or None,
    }
    if rating.label is not None or was_given["Label"] == own["Label"]:  # one's own label goes with the decision
        values |= {(XMP, "Label"): rating.label, (OWN, "Label"): rating.label}
    if sidecar is not None and all(_value(places, *place) == value for place, value in values.items()):
        return sidecar
    for (namespace, name), value in values.items():
        _remove(places, namespace, name)
        if value is not None:
            _set(places[0], namespace, name, value)
    written = document.toxml("utf-8")
    return written if sidecar is not None and sidecar.startswith(b"<?xml") else written[written.index(b"?>") + 2 :]


def _parsed(content: bytes) -> "Document":
    """Return an XMP packet as a document.

    Raises:
        OutputError: If it is not well-formed, or declares entities, which no XMP does.
    """
    from xml.dom import minidom
    from xml.parsers.expat import ExpatError, ParserCreate

    def refuse(*_: object) -> None:
        raise OutputError("it declares a document type, which no XMP sidecar does: move it away, and start again")

    try:
        first_look = ParserCreate()
        first_look.StartDoctypeDeclHandler = refuse
        first_look.Parse(content, True)
        return minidom.parseString(content)
    except (ExpatError, ValueError, LookupError) as error:
        raise OutputError(f"it is no well-formed XML ({error}): move it away, and start again") from error


def _value(places: list["Element"], namespace: str, name: str) -> str | None:
    """Return a property, which XMP allows as an attribute or as an element."""
    for place in places:
        if place.hasAttributeNS(namespace, name):
            return place.getAttributeNS(namespace, name).strip()
        for child in _children(place, namespace, name):
            return "".join(node.data for node in child.childNodes if node.nodeType == _TEXT).strip()
    return None


def _remove(places: list["Element"], namespace: str, name: str) -> None:
    for place in places:
        if place.hasAttributeNS(namespace, name):
            place.removeAttributeNS(namespace, name)
        for child in _children(place, namespace, name):
            place.removeChild(child)


def _children(place: "Element", namespace: str, name: str) -> list[Any]:
    return [
        node
        for node in place.childNodes
        if node.nodeType == _ELEMENT and (node.namespaceURI, node.localName) == (namespace, name)
    ]


def _set(place: "Element", namespace: str, name: str, value: str) -> None:
    prefix = _prefix(place, namespace)
    place.setAttributeNS(namespace, f"{prefix}:{name}", value)


def _prefix(place: "Element", namespace: str) -> str:
    """Return the prefix of a namespace at an element; one that is missing is declared there."""
    taken = set()
    node: Any = place
    while node.nodeType == _ELEMENT:
        for attribute in _attributes(node):
            if attribute.prefix == "xmlns" and attribute.localName not in taken:
                if attribute.value == namespace:
                    return str(attribute.localName)
                taken.add(attribute.localName)
        node = node.parentNode
    prefix = _PREFIXES[namespace]
    while prefix in taken:
        prefix += "1"
    place.setAttributeNS(_XMLNS, f"xmlns:{prefix}", namespace)
    return prefix


def _attributes(element: "Element") -> list[Any]:
    return [element.attributes.item(index) for index in range(element.attributes.length)]
