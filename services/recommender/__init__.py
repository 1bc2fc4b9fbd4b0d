"""The recommender: rules as data that a clinician can read, check and sign.

The command line uses `rules_check(directory)` and `explain(request)`; the service uses `load_rules` and `recommend`.
"""

from services.recommender.explain import Explanation, RulesReport, explain, rules_check
from services.recommender.facts import Fact
from services.recommender.finding_facts import REGISTRY
from services.recommender.load import SHIPPED_RULES, BrokenRules, load_rules
from services.recommender.recommend import recommend

__all__ = [
    "REGISTRY",
    "SHIPPED_RULES",
    "BrokenRules",
    "Explanation",
    "Fact",
    "RulesReport",
    "explain",
    "load_rules",
    "recommend",
    "rules_check",
]
