"""The pictures that the heads learn from: whole radiographs for anatomy, joints and columns for bone."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from services.imaging.network import BONE_CLASSES, CONTENTS, Content
from shared.inference.onnx import OnnxScorer
from shared.radiograph.intake import decode
from shared.radiograph.joints import MODEL, find_knees, joint_crop
from shared.radiograph.prepare import NETWORK_SIZE, GrayPixels, equalised, squared
from shared.training.data import read_table
from shared.training.run import Run

TABLES: dict[str, Content | None] = {
    "knee_bone": "knee",
    "knee_kl": "knee",
    "spine_dxa": "spine_dxa",
    "spine_masked": "spine_cut_out",
    "spine_view": "spine_radiograph",
    "other": None,  # by its own label
}
OTHER_CONTENTS: dict[str, Content] = {
    "chest": "chest", "hip": "hip", "limb": "limb", "knee_implant": "knee_implant", "fundus": "not_radiograph",
    "photo": "not_radiograph",
}  # fmt: skip
BONE_TABLES = ("knee_bone", "spine_dxa", "spine_masked")
# A ready-made crop is a knee too, but six thousand of them would drown the rest.
CROPS = 500
NO_LABEL = -1


@dataclass(frozen=True)
class Cases:
    """One row a picture.

    Args:
        pixels: uint8 (count, 224, 224), equalised.
        content: index into `CONTENTS`, or -1 for a joint that was cut out of a radiograph.
        bone: index into `BONE_CLASSES`, or -1 where the picture has no bone label or is not what the head looks at.
        source: which radiograph the picture belongs to: `table/file`.
        table: the set it came from.
        group: the patient, or the group of near-duplicates.
    """

    pixels: npt.NDArray[np.uint8]
    content: npt.NDArray[np.int64]
    bone: npt.NDArray[np.int64]
    source: npt.NDArray[np.str_]
    table: npt.NDArray[np.str_]
    group: npt.NDArray[np.str_]

    def describe(self) -> str:
        contents = Counter(CONTENTS[index] for index in self.content if index != NO_LABEL)
        bones = Counter(BONE_CLASSES[index] for index in self.bone if index != NO_LABEL)
        return f"{len(self.pixels)} pictures; anatomy {dict(contents)}; bone {dict(bones)}"


def read_cases(run: Run) -> Cases:
    """Every picture of the tables that are not excluded."""
    joints = OnnxScorer(MODEL)
    rows: list[tuple[GrayPixels, int, int, str, str, str]] = []
    for table in TABLES:
        if table in run.exclude:
            continue
        limit = min(CROPS, run.limit or CROPS) if table == "knee_kl" else run.limit
        for record in read_table(run.data, table, limit).to_dict("records"):
            rows.extend(_pictures(run.data, table, record, joints))
    columns = list(zip(*rows, strict=True))
    return Cases(np.stack(columns[0]), *(np.array(column) for column in columns[1:]))


def _pictures(
    data: Path, table: str, record: dict[str, str], joints: OnnxScorer
) -> list[tuple[GrayPixels, int, int, str, str, str]]:
    """The whole radiograph and, of a knee with a bone label, its joints: those are what the bone head sees."""
    source = f"{table}/{record['file']}"
    group = str(record.get("group") or record.get("patient") or source)
    content = TABLES[table] or OTHER_CONTENTS[record["label"]]
    bone = BONE_CLASSES.index(record["label"]) if table in BONE_TABLES else NO_LABEL
    pixels = decode((data / record["file"]).read_bytes()).pixels
    whole_bone = bone if table.startswith("spine") else NO_LABEL
    pictures = [(pixels, CONTENTS.index(content), whole_bone)]
    if table == "knee_bone":
        pictures += [(joint_crop(pixels, knee.box), NO_LABEL, bone) for knee in find_knees(pixels, joints)]
    return [
        (equalised(squared(picture, NETWORK_SIZE)), where, what, source, table, f"{table}/{group}")
        for picture, where, what in pictures
    ]


def summary(cases: Cases) -> pd.DataFrame:
    """Radiographs a table and a bone class, each counted once."""
    labelled = cases.bone != NO_LABEL
    frame = pd.DataFrame({"table": cases.table, "source": cases.source, "bone": cases.bone})[labelled]
    return frame.drop_duplicates("source").groupby(["table", "bone"]).size().unstack(fill_value=0)
