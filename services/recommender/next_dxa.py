"""The one interval of an answer: when bone density should be measured next."""

from collections.abc import Sequence

from services.recommender.rule_evaluation import RuleEvaluation
from services.recommender.schema import Rule
from shared.clinic.intervals import DUE_NOW, IntervalBasis
from shared.contracts.recommendation import NextDxa

DXA_GROUP = "dxa"
BASIS: dict[IntervalBasis, str] = {
    "treated": "on a bone drug",
    "fast_loss": "bone may be lost fast",
    "low_score": "the T-score lies near or under the threshold",
    "old_age": "from the age of 80",
    "five_years": "nothing on record calls for a sooner scan",
    "in_doubt": "a T-score on record is in doubt",
    "out_of_date": "the scan on record is out of date",
}


def next_dxa(evaluation: RuleEvaluation, fired: Sequence[Rule]) -> NextDxa | None:
    """When the next scan is due; null where density is not measured (children, pregnancy, cancer in bone) or asked for.

    Args:
        evaluation: the case.
        fired: the rules that speak, the first of each group.
    """
    if not evaluation.evaluator.defined("density_is_followed").truth:
        return None
    scan = evaluation.case.next_scan
    if scan is not None:
        return NextDxa(after_months=round(scan.after, 1), by_months=round(scan.by, 1), basis=BASIS[scan.basis])
    if not any(rule.output.group == DXA_GROUP for rule in fired):
        return None
    return NextDxa(after_months=0.0, by_months=DUE_NOW, basis="no scan on record")
