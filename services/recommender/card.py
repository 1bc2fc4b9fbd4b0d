"""The rule set's card."""

from services.recommender.rule_set import RuleSet
from shared.contracts.models import ModelCard


def card(rules: RuleSet) -> ModelCard:
    """What stands behind the recommendations: how many rules, from where, and how many wait for a clinician."""
    statements = [statement for statement in rules.statements() if statement.enabled]
    return ModelCard(
        name=rules.reference.name,
        version=rules.reference.version,
        service="recommender",
        summary="Rules that name what a clinician should consider next, each with its reason, source and review.",
        intended_use="Decision support for clinicians who can read the basis of each item. It names drug classes only.",
        excluded_use="Children, pregnancy, emergencies, cancer in bone; use as a prescription or without a clinician.",
        licence="Apache-2.0; the guidelines are restated, not copied, and belong to their authors",
        data=sorted({f"{statement.citation.guideline} ({statement.citation.year})" for statement in statements}),
        metrics={
            "rules": len(rules.rules),
            "limits of drug classes": len(rules.contraindications),
            "consult rules": len(rules.consults),
            "definitions": len(rules.definitions),
            "house judgements": sum(part.state == "house" for part in statements),
            "needs clinician sign-off": sum(part.state == "needs clinician sign-off" for part in statements),
            "signed by a clinician": sum(part.state == "signed by a clinician" for part in statements),
            "with a citation": len(statements),
        },
        limits=[
            "No clinician has signed these rules yet unless the items say so; each item shows its review status.",
            "FRAX thresholds of the US and the UK only; a site may set its own for India or other countries.",
            "Only what the record says is known; the answer is as complete as the record.",
            "The translations are machine-made until a person has reviewed them.",
        ],
        trained="Not trained: written by hand. `trabecula rules check` reports its state.",
    )
