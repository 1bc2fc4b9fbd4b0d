"""The joint space of a knee: how wide it is in each tibiofemoral compartment. A measurement, never a grade."""

from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.base import Contract

# Without the knee's side nobody can say which compartment is medial: they are then named as they lie in the picture.
Compartment = Literal["medial", "lateral", "left_in_picture", "right_in_picture"]
# Closed: a program can rely on it. docs/reference/joint-space.md says when each comes.
JointSpaceWithheld = Literal["joint_cut", "joint_uncertain", "few_pixels", "blurred", "heavy_compression"]
WidthWithheld = Literal["edges_unclear", "too_narrow"]
SpacingPlane = Literal["patient", "detector", "unstated"]


class CompartmentWidth(Contract):
    """The minimal joint space width of one compartment, or why there is none."""

    compartment: Compartment
    ratio: Annotated[
        float | None, Field(ge=0, le=1, description="Minimal width over the width of the tibial plateau")
    ] = None
    width_mm: Annotated[
        float | None, Field(ge=0, description="Minimal width; null where the file gives no distance of its pixels")
    ] = None
    withheld: Annotated[
        WidthWithheld | None,
        Field(description="`too_narrow`: narrower than can be measured, or the bones touch"),
    ] = None


class JointSpace(Contract):
    """Both compartments of one knee, measured in the picture as it was read. No grade and no rule rests on it."""

    compartments: Annotated[list[CompartmentWidth], Field(max_length=2, description="Medial first, where known")] = []
    narrower: Annotated[
        Compartment | Literal["neither"] | None,
        Field(description="`neither`: they differ by less than the measurement repeats; null where one is withheld"),
    ] = None
    spacing_plane: Annotated[
        SpacingPlane | None,
        Field(description="Where the millimetres hold: `detector` widths are magnified; null without millimetres"),
    ] = None
    withheld: Annotated[JointSpaceWithheld | None, Field(description="Why nothing was measured")] = None
