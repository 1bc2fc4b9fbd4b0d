"""Elements of a DICOM file, read with patience: one that does not parse counts as absent, and never costs the picture.

Numbers come from the element's own bytes, because pydicom refuses a decimal comma and an empty first value.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pydicom import Dataset

CODE_LETTERS = 16


def element(dataset: "Dataset", name: str) -> Any:
    """The value that pydicom makes of an element, or None where it is absent, empty or cannot be parsed."""
    try:
        value = dataset.get(name)
    except Exception:  # whatever a converter raises for a value that is none
        return None
    return None if value is None or (isinstance(value, str | bytes) and not value) else value


def integer(dataset: "Dataset", name: str) -> int | None:
    """One whole number."""
    value = number(dataset, name)
    return int(value) if value is not None and value == int(value) else None


def number(dataset: "Dataset", name: str) -> float | None:
    """The first number that can be read among the element's values."""
    return next((value for value in numbers(dataset, name) if value is not None), None)


def numbers(dataset: "Dataset", name: str) -> list[float | None]:
    """Every value of an element as a finite number, or None where it is not one."""
    try:
        item: Any = dataset.get_item(name)
        value = item.value if item is not None and item.VR in ("DS", "IS") else dataset.get(name)
    except Exception:
        return []
    if isinstance(value, bytes):
        value = value.decode("ascii", "replace").split("\\")
    if value is None or isinstance(value, str | int | float):
        value = [value]
    try:
        return [finite(single) for single in value]
    except TypeError:
        return []


def finite(value: Any) -> float | None:
    """A number, or a text with a decimal point or comma, as a finite number."""
    try:
        result = float(value.strip("\0 ").replace(",", ".") if isinstance(value, str) else value)
    except (TypeError, ValueError):
        return None
    return result if abs(result) < 1e15 else None  # which leaves out NaN and infinity, too


def codes(dataset: "Dataset", name: str) -> list[str]:
    """Code strings in upper case, each at most the standard's 16 letters."""
    value = element(dataset, name)
    if value is None:
        return []
    values = [value] if isinstance(value, str) else value
    try:
        return [str(single).strip("\0 ").upper()[:CODE_LETTERS] for single in values]
    except TypeError:
        return [str(value).strip("\0 ").upper()[:CODE_LETTERS]]


def code(dataset: "Dataset", name: str) -> str | None:
    """The first code of an element that is not empty."""
    return next((single for single in codes(dataset, name) if single), None)


def items(dataset: "Dataset", name: str) -> list["Dataset"]:
    """The items of a sequence."""
    value = element(dataset, name)
    try:
        return list(value) if value is not None and not isinstance(value, str | bytes) else []
    except TypeError:
        return []
