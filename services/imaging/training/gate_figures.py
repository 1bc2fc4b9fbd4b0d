"""What the gate reads and what it refuses: every radiograph, out of fold, and drawn kinds that it never saw."""

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services.imaging.classification import classify
from services.imaging.gate import UNKNOWN, is_unusual
from services.imaging.network import CONTENTS, OTHER, SPINE, Anatomy
from services.imaging.regions import is_cut_out
from services.imaging.training.cases import Case
from services.imaging.training.unknown.kinds import held_out
from shared.contracts.base import ModelReference
from shared.inference.onnx import OnnxScorer
from shared.problems import ImageRefused
from shared.radiograph import Radiograph
from shared.radiograph.joints import MODEL
from shared.radiograph.prepare import GrayPixels
from shared.training.evaluate import Interval, accuracy, with_interval

Numbers = npt.NDArray[np.float64]
# Normal quantile of a 95 % interval.
QUANTILE = 1.96
NOT_REFUSED = "read"


def gate(cases: list[Case], anatomy: Numbers) -> dict[str, Any]:
    """Knee against spine, and shares refused by content.

    Args:
        anatomy: (cases, contents) probabilities, out of fold.
    """
    content = np.array([case.content for case in cases])
    sites = content < OTHER.start
    knee = anatomy[:, 0] >= anatomy[:, SPINE].sum(axis=1)
    groups = np.array([case.group for case in cases])
    refused = anatomy[:, OTHER].sum(axis=1) >= UNKNOWN
    always = np.full(len(cases), True)
    return {
        "anatomy_accuracy_knee_against_spine": with_interval(accuracy, groups[sites], knee[sites], content[sites] == 0),
        "refused_of_knees_and_spines": with_interval(accuracy, groups[sites], refused[sites], always[sites]),
        "refused_of_others": with_interval(accuracy, groups[~sites], refused[~sites], always[~sites]),
        **{
            f"refused_{CONTENTS[number]}": round(float(refused[content == number].mean()), 4)
            for number in np.unique(content)
        },
    }


def by_table(cases: list[Case], anatomy: Numbers) -> dict[str, dict[str, int]]:
    """How many pictures of each table are read as what, by the service's rules; `cut_out`: the bone is read."""
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    for case, probabilities in zip(cases, anatomy, strict=True):
        rows[case.table][read_as(case.pixels, Anatomy(probabilities))] += 1
        rows[case.table]["unusual"] += is_unusual(Anatomy(probabilities))
    columns = ("knee", "spine_dxa", "spine_cut_out", "spine_radiograph", "refused", "unusual")
    return {
        table: {"pictures": sum(row.values()) - row["unusual"], **{name: row[name] for name in columns}}
        for table, row in rows.items()
    }


def read_as(pixels: GrayPixels, anatomy: Anatomy) -> str:
    """A content that is read, or "refused"."""
    if anatomy.other >= UNKNOWN:
        return "refused"
    if anatomy.knee >= anatomy.spine:
        return "knee"
    kind = anatomy.likeliest_spine
    return "spine_radiograph" if kind == "spine_cut_out" and not is_cut_out(pixels) else kind


def unknown_figures(onnx: Path) -> dict[str, Any]:
    """The held-out drawn pictures through the whole gate of a network, by kind, with Wilson intervals."""
    network, finder = OnnxScorer(onnx), OnnxScorer(MODEL)
    reasons: dict[str, Counter[str]] = defaultdict(Counter)
    for kind, pixels in held_out():
        reasons[kind][reason(pixels, network, finder)] += 1
    pictures, read = sum(row.total() for row in reasons.values()), sum(row[NOT_REFUSED] for row in reasons.values())
    kinds = {
        kind: {
            "refused": wilson(row.total() - row[NOT_REFUSED], row.total()),
            "as_not_radiograph": row["not_radiograph"],
            "other_reasons": ", ".join(sorted(set(row) - {NOT_REFUSED, "not_radiograph"})),
        }
        for kind, row in reasons.items()
    }
    return {
        "unknown_pictures_held_out": {
            "pictures": pictures,
            "kinds": len(kinds),
            "refused": wilson(pictures - read, pictures),
            "as_not_radiograph": sum(row["not_radiograph"] for row in reasons.values()),
        },
        "unknown_pictures_by_kind": kinds,
    }


def reason(pixels: GrayPixels, network: OnnxScorer, finder: OnnxScorer) -> str:
    """Why the service refuses a picture, or `NOT_REFUSED`."""
    try:
        radiograph = Radiograph(pixels, "png", pixels.shape[::-1])
        classify(radiograph, network, finder, ModelReference(name="", version=""), {})
    except ImageRefused as refused:
        return str(refused.members.get("reason", "refused"))
    return NOT_REFUSED


def wilson(hits: int, of: int) -> Interval:
    """A share with its 95 % interval (Wilson 1927), which holds for shares near 0 and 1 and for few pictures."""
    share, weight = hits / of, QUANTILE**2 / of
    middle = (share + weight / 2) / (1 + weight)
    half = QUANTILE / (1 + weight) * np.sqrt(share * (1 - share) / of + weight / 4 / of)
    low, high = max(0.0, float(middle - half)), min(1.0, float(middle + half))
    return {"value": round(share, 4), "low": round(low, 4), "high": round(high, 4)}
