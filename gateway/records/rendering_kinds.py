"""The renderings of a radiograph: the de-identified preview, and each network's heat map over it."""

import base64
import datetime as dt
from collections.abc import Mapping
from typing import Literal, get_args

from shared.contracts.findings import ClassifyAnswer, Rendering, StageAnswer

RenderingKind = Literal["preview", "imaging", "staging"]
HeatMap = Literal["imaging", "staging"]
KINDS: tuple[RenderingKind, ...] = get_args(RenderingKind)


def renderings_of(classified: ClassifyAnswer | None, staged: StageAnswer | None) -> dict[str, Rendering]:
    """The renderings that came with the services' answers, by kind."""
    sent = {
        "preview": classified.preview if classified else None,
        "imaging": classified.heatmap if classified else None,
        "staging": staged.heatmap if staged else None,
    }
    return {kind: rendering for kind, rendering in sent.items() if rendering}


def png_bytes(renderings: Mapping[str, Rendering]) -> dict[str, bytes]:
    """The PNGs themselves, by kind."""
    return {kind: base64.b64decode(rendering.png_base64) for kind, rendering in renderings.items()}


def why_not(
    kind: RenderingKind, had_image: bool, made_at: dt.datetime, kept: bool, days: int, now: dt.datetime
) -> tuple[str, str]:
    """Why a rendering is not there: a code, and the words with the cure.

    Args:
        kind: which rendering was asked for.
        had_image: whether the assessment has a finding of a radiograph.
        made_at: when the assessment was made.
        kept: whether the site keeps renderings now.
        days: for how long it does.
        now: the time.
    """
    if not had_image:
        return "no_radiograph", "The assessment was made without a radiograph, so there is no picture of one."
    if not kept:
        return (
            "not_kept",
            "This site does not keep pictures. Set TRABECULA_STORE_RENDERINGS=true, start again and assess the "
            "radiograph anew; they are then kept encrypted.",
        )
    if now - made_at >= dt.timedelta(days=days):
        return "expired", f"Pictures are deleted after {days} days. Assess the radiograph anew to see one."
    if kind == "preview":
        return "not_kept", "No picture was kept when this assessment was made. Assess the radiograph anew to see one."
    return (
        "no_heat_map",
        f"The {kind} model gave no heat map for this radiograph, or none was kept when it was assessed.",
    )
