"""What the schema of one file cannot see: that names exist, and that no rule breaks the rules about rules."""

from collections.abc import Iterator
from typing import NamedTuple

from services.recommender.conditions import AllOf, AnyOf, Condition, Defined, Not, OnRecord, Test
from services.recommender.finding_facts import REGISTRY
from services.recommender.rule_set import RuleSet
from services.recommender.schema import ConsultRule, Contraindication, Due, Rule, Statement
from shared.contracts.record import ClinicalRecord

# A network's or a risk model's output leads to a DXA referral, a stage to care of the knee: never to a drug.
NEVER_BEHIND_A_DRUG = frozenset(
    {"image_bone", "kl_grade", "knee_grade_uncertain", "clinical_category", "screening_score_refers"}
)


class Fault(NamedTuple):
    """One thing wrong with the rules."""

    file: str
    rule: str
    field: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}: {self.rule}: {self.field}: {self.message}"


def parts_of(condition: Condition) -> Iterator[Condition]:
    """A condition and everything inside it, definitions left closed."""
    yield condition
    match condition:
        case AllOf(all=parts) | AnyOf(any=parts):
            for part in parts:
                yield from parts_of(part)
        case Not(not_=part) | OnRecord(on_record=part):
            yield from parts_of(part)


def opened(condition: Condition, rules: RuleSet, seen: frozenset[str] = frozenset()) -> Iterator[Condition]:
    """A condition with its definitions opened; one that refers to itself is opened once."""
    for part in parts_of(condition):
        yield part
        if isinstance(part, Defined) and part.definition in rules.conditions and part.definition not in seen:
            yield from opened(rules.conditions[part.definition], rules, seen | {part.definition})


def faults_of(rules: RuleSet) -> Iterator[Fault]:
    """Every fault of a rule set, in the order of its files."""
    for population in rules.populations.values():
        for message in _condition_faults(population.id, population.condition, rules):
            yield Fault(rules.origin[population.id], population.id, "condition", message)
    for statement in rules.statements():
        for field, message in _statement_faults(statement, rules):
            yield Fault(rules.origin[statement.id], statement.id, field, message)
    for catalogue in rules.catalogues:
        yield from _catalogue_faults(catalogue.language, rules)


def _statement_faults(statement: Statement, rules: RuleSet) -> Iterator[tuple[str, str]]:
    for message in _condition_faults(statement.id, statement.condition, rules):
        yield "condition", message
    if not _may_need_drug_statuses(statement):
        asked = {part.fact for part in opened(statement.condition, rules) if isinstance(part, Test)}
        for name in sorted(asked & {fact.name for fact in REGISTRY.values() if fact.needs_drug_statuses}):
            yield "condition", f"{name} is known only once the drug classes are resolved"
    if isinstance(statement, (Rule, ConsultRule)) and statement.population not in rules.populations:
        yield "population", f"there is no population {statement.population!r}"
    if isinstance(statement, Rule):
        yield from _rule_faults(statement, rules)
    if isinstance(statement, Contraindication):
        yield from _contraindication_faults(statement, rules)


def _may_need_drug_statuses(statement: Statement) -> bool:
    """Whether a statement is evaluated after the drug classes: consult rules, and rules for anything but a drug."""
    return isinstance(statement, ConsultRule) or (isinstance(statement, Rule) and statement.output.kind != "medication")


def _rule_faults(rule: Rule, rules: RuleSet) -> Iterator[tuple[str, str]]:
    if rule.guidance is not None and rule.guidance not in rules.links.guidance:
        yield "guidance", f"links.yaml has no page {rule.guidance!r}"
    for name in sorted(rule.output.placeholders):
        if name not in REGISTRY or REGISTRY[name].kind != "number":
            yield "output.text", f"{{{name}}} is not a number that is known of a case"
    elapsed = rule.output.due.elapsed if isinstance(rule.output.due, Due) else None
    if elapsed is not None and (elapsed not in REGISTRY or REGISTRY[elapsed].kind != "number"):
        yield "output.due", f"{elapsed!r} is not a number that is known of a case"
    yield from (("output.checks", message) for message in _unknown_fields(rule.output.checks))
    if rule.output.kind == "medication":
        asked = {part.fact for part in opened(rule.condition, rules) if isinstance(part, Test)}
        for name in sorted(asked & NEVER_BEHIND_A_DRUG):
            yield "condition", f"{name} may not lead to a drug class"


def _contraindication_faults(contraindication: Contraindication, rules: RuleSet) -> Iterator[tuple[str, str]]:
    if any(isinstance(part, OnRecord) for part in opened(contraindication.condition, rules)):
        yield "condition", "a limit may not use on_record: unknown has to stay unknown"
    yield from (("checks", message) for message in _unknown_fields(contraindication.checks))
    if contraindication.effect == "check" and not contraindication.checks:
        yield "checks", "a limit that asks for a check has to name the fields to check"


def _unknown_fields(names: list[str]) -> Iterator[str]:
    yield from (f"the record has no field {name!r}" for name in names if name not in ClinicalRecord.model_fields)


def _condition_faults(owner: str, condition: Condition, rules: RuleSet) -> Iterator[str]:
    for part in parts_of(condition):
        if isinstance(part, Defined) and part.definition not in rules.conditions:
            yield f"there is no definition {part.definition!r}"
        if isinstance(part, Test):
            yield from _test_faults(part)
    if any(isinstance(part, Defined) and part.definition == owner for part in opened(condition, rules)):
        yield "it refers to itself"


def _test_faults(test: Test) -> Iterator[str]:
    fact = REGISTRY.get(test.fact)
    if fact is None:
        yield f"there is no fact {test.fact!r}"
    elif test.kind == "numeric" and fact.kind != "number":
        yield f"{test.fact} is not a number"
    elif test.kind == "is" and (fact.kind == "number" or isinstance(test.is_, bool) != (fact.kind == "yes_no")):
        yield f"{test.fact} cannot be compared with {test.is_!r}"
    elif fact.kind == "word":
        asked = test.in_ or ([test.is_] if isinstance(test.is_, str) else [])
        yield from (f"{test.fact} is never {word!r}" for word in asked if word not in fact.values)
    elif test.kind == "in":
        yield f"{test.fact} is not a word"


def _catalogue_faults(language: str, rules: RuleSet) -> Iterator[Fault]:
    catalogue = next(entry for entry in rules.catalogues if entry.language == language)
    texts = {rule.id: rule.output.placeholders for rule in rules.rules} | {entry.id: set() for entry in rules.consults}
    for rule_id, message in catalogue.messages.items():
        if rule_id not in texts:
            yield Fault(rules.origin[language], rule_id, "messages", "there is no such rule")
        elif message.placeholders - texts[rule_id]:
            yield Fault(rules.origin[language], rule_id, "messages", "it quotes a number that the English does not")
