"""How a knee's joint space is worded, on the page and on paper alike: a measurement with its unit and its caveat."""

from gateway.platform.language import Translator
from shared.contracts.findings import Knee
from shared.contracts.joint_space import CompartmentWidth, JointSpace


def joint_space_line(t: Translator, knee: Knee) -> str | None:
    """Both compartments' widths and which is narrower, or why there are none; null where nobody measured."""
    space = knee.joint_space
    if space is None:
        return None
    if space.withheld:
        return f"{t('joint_space.title')}: {t('joint_space.withheld.' + space.withheld)}"
    widths = "; ".join(_width(t, width) for width in space.compartments)
    parts = [f"{t('joint_space.title')}: {widths}.", _narrower(t, space), _plane(t, space)]
    return " ".join(part for part in parts if part)


def joint_space_widths(t: Translator, knee: Knee) -> list[str]:
    """The widths that were measured, one a line and as short as a picture asks for."""
    found = [width for width in (knee.joint_space.compartments if knee.joint_space else []) if width.ratio is not None]
    return [_width(t, width) for width in found]


def joint_space_caveat(t: Translator, knees: list[Knee]) -> str | None:
    """What has to be known about the widths, once a radiograph; null where none was measured."""
    widths = [width for knee in knees if knee.joint_space for width in knee.joint_space.compartments]
    return t("joint_space.caveat") if any(width.ratio is not None for width in widths) else None


def _width(t: Translator, width: CompartmentWidth) -> str:
    name = t(f"joint_space.compartment.{width.compartment}")
    if width.ratio is None:
        return f"{name}: {t(f'joint_space.withheld.{width.withheld}')}"
    share = t("joint_space.share", percent=t.percent(width.ratio))
    if width.width_mm is None:
        return f"{name} {share}"
    return f"{name} {t('joint_space.mm', width=t.number(width.width_mm))} ({share})"


def _narrower(t: Translator, space: JointSpace) -> str | None:
    if space.narrower is None:
        return None
    if space.narrower == "neither":
        return t("joint_space.neither")
    return t("joint_space.narrower", compartment=t(f"joint_space.compartment.{space.narrower}"))


def _plane(t: Translator, space: JointSpace) -> str | None:
    """Where the millimetres hold, or that there are none."""
    if all(width.ratio is None for width in space.compartments):
        return None
    return t(f"joint_space.plane.{space.spacing_plane or 'none'}")
