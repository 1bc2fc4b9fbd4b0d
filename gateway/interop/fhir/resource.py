"""What all resources have in common: their shape here, their names, and the text that people read of them."""

import hashlib
import json
from collections.abc import Iterable
from html import escape
from typing import Any

Resource = dict[str, Any]
FHIR_JSON = "application/fhir+json"
XHTML = "http://www.w3.org/1999/xhtml"


def compact(resource: Resource) -> Resource:
    """The resource without what is empty: FHIR has no null and no empty list."""
    found = {name: _compact(value) for name, value in resource.items()}
    return {name: value for name, value in found.items() if value not in (None, "", [], {})}


def _compact(value: Any) -> Any:
    if isinstance(value, dict):
        return compact(value)
    if isinstance(value, list):
        return [item for item in map(_compact, value) if item not in (None, "", [], {})]
    return value


def reference(kind: str, identity: str, display: str | None = None) -> Resource:
    """A Reference to a resource by its type and id."""
    return compact({"reference": f"{kind}/{identity}", "display": display})


def reference_to(resource: Resource) -> Resource:
    """A Reference to this resource."""
    return reference(resource["resourceType"], resource["id"])


def narrative(lines: Iterable[str | None]) -> Resource:
    """A Narrative of paragraphs, in words of our own and nothing that could be run."""
    paragraphs = "".join(f"<p>{escape(line)}</p>" for line in lines if line)
    return {"status": "generated", "div": f'<div xmlns="{XHTML}">{paragraphs}</div>'}


def notes(lines: Iterable[str | None]) -> list[Resource]:
    """Annotations, one a line."""
    return [{"text": line} for line in lines if line]


def to_bytes(resource: Resource) -> bytes:
    """The resource as JSON: the same resource gives the same bytes."""
    return json.dumps(resource, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def short_hash(text: str) -> str:
    """Twelve hexadecimal digits that stand for a text, for a part of an id."""
    return hashlib.sha256(text.encode()).hexdigest()[:12]
