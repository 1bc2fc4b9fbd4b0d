"""Reading a rules directory. A broken file stops the start with one line that names file, rule and field."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, Field, ValidationError

from services.recommender.integrity import Fault, faults_of
from services.recommender.links import Links
from services.recommender.messages import Catalogue
from services.recommender.rule_set import RuleSet
from services.recommender.schema import ConsultRule, Contraindication, Definition, Population, Rule, RuleFile, Schema
from shared.contracts.base import ModelReference

SHIPPED_RULES = Path(__file__).parent / "rules"
MANIFEST, LINKS, MESSAGES = "rule-set.yaml", "links.yaml", "messages"
Model = TypeVar("Model", bound=BaseModel)


class Manifest(Schema):
    """`rule-set.yaml`: the name and the version of the whole."""

    name: str = Field(min_length=3)
    version: str = Field(pattern=r"^\d+\.\d+\.\d+$")


class BrokenRules(ValueError):
    """The rules cannot be used. The message is one line; `faults` has every fault that was found."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        more = f" (and {len(faults) - 1} more; `trabecula rules check` lists them)" if len(faults) > 1 else ""
        super().__init__(f"{faults[0]}{more}")
        self.faults = tuple(faults)


# libyaml's loader is several times faster; its absence costs a fraction of a second at start.
_SafeLoader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _UniqueKeys(_SafeLoader):  # type: ignore[misc, valid-type]
    """YAML as usual, but a key that comes twice is an error: the second would silently win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.constructor.ConstructorError(None, None, f"{key!r} comes twice", node.start_mark)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def load_rules(directory: Path = SHIPPED_RULES) -> RuleSet:
    """The rules of a directory, checked.

    Args:
        directory: holds `rule-set.yaml`, `links.yaml`, the rule files and `messages/`; the shipped one by default.

    Raises:
        BrokenRules: a file is missing, is not YAML, or says something that a rule may not say.
    """
    manifest = _read(directory / MANIFEST, Manifest)
    files = {path.name: _read(path, RuleFile) for path in _rule_files(directory)}
    catalogues = {path.name: _read(path, Catalogue) for path in sorted((directory / MESSAGES).glob("*.yaml"))}
    origin = _origins(files) | {entry.language: f"{MESSAGES}/{name}" for name, entry in catalogues.items()}
    rules = RuleSet(
        reference=ModelReference(name=manifest.name, version=f"{manifest.version}+{_edition(files)}"),
        populations={part.id: part for file in files.values() for part in file.populations},
        definitions={part.id: part for file in files.values() for part in file.definitions},
        rules=tuple(rule for file in files.values() for rule in file.rules),
        contraindications=tuple(rule for file in files.values() for rule in file.contraindications),
        consults=tuple(consult for file in files.values() for consult in file.consults),
        links=_read(directory / LINKS, Links),
        catalogues=tuple(catalogues.values()),
        origin=origin,
    )
    faults = list(faults_of(rules))
    if faults:
        raise BrokenRules(faults)
    return rules


def _edition(files: dict[str, RuleFile]) -> str:
    """Eight characters that change with any edit of a rule, layout and comments aside."""
    content = "".join(file.model_dump_json(by_alias=True, exclude={"sources"}) for file in files.values())
    return hashlib.sha256(content.encode()).hexdigest()[:8]


def _rule_files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.glob("*.yaml") if path.name not in (MANIFEST, LINKS))


def _read(path: Path, model: type[Model]) -> Model:
    try:
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=_UniqueKeys)  # noqa: S506 (a safe loader)
    except OSError as error:
        raise BrokenRules([Fault(path.name, "-", "-", f"cannot be read: {error.strerror}")]) from error
    except yaml.YAMLError as error:
        raise BrokenRules([Fault(path.name, "-", "-", f"is not YAML: {' '.join(str(error).split())}")]) from error
    try:
        return model.model_validate(content)
    except ValidationError as error:
        raise BrokenRules([_fault(path.name, content, detail) for detail in error.errors()]) from error


def _fault(file: str, content: Any, detail: Any) -> Fault:
    """A validation error by the id of the rule it is in rather than by its number in the list."""
    place: list[str | int] = list(detail["loc"])
    rule = "-"
    if len(place) >= 2 and isinstance(place[1], int):
        entry = content[place[0]][place[1]]
        rule = str(entry.get("id", f"{place[0]} number {place[1] + 1}")) if isinstance(entry, dict) else str(entry)
        place = place[2:]
    return Fault(file, rule, ".".join(map(str, place)) or "-", detail["msg"].removeprefix("Value error, "))


def _origins(files: dict[str, RuleFile]) -> dict[str, str]:
    """The file of each id; an id that comes twice is an error wherever it is."""
    origins: dict[str, str] = {}
    for name, file in files.items():
        for part in _identified(file):
            if part.id in origins:
                raise BrokenRules([Fault(name, part.id, "id", f"is already taken in {origins[part.id]}")])
            origins[part.id] = name
    return origins


def _identified(file: RuleFile) -> Iterator[Population | Definition | Rule | Contraindication | ConsultRule]:
    for group in (file.populations, file.definitions, file.rules, file.contraindications, file.consults):
        yield from group
