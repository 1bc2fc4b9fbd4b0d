"""What was tried for the bone readouts and what each try gave, for the card.

AUC of osteoporosis against normal, out of fold by patient, means over repeated splits into five folds. The readouts
that are shipped were chosen from these, so the best of them are somewhat too good.
"""

TRIED: dict[str, str] = {
    "knees, joint crop, last layer, logistic": "0.59",
    "knees, joint crop, last layer, T-score": "0.55 to 0.63",
    "knees, joint crop, middle layers, T-score": "0.45 to 0.62",
    "knees, tibia or femur alone, any layer": "0.42 to 0.64",
    "knees, frame of 1.5 joint crops, last layer, T-score": "0.63 to 0.70",
    "knees, frame of 2 joint crops, last layer, T-score": "0.69; 0.75 with moved and mirrored frames to learn from",
    "knees, frame of 2 joint crops, middle layers, T-score": "0.67; 0.71 with moved and mirrored frames",
    "knees, frame of 2 joint crops, both, T-score": "0.70; 0.76 with moved and mirrored frames",
    "knees, the same with the contrast equalised (CLAHE)": "0.68",
    "knees, the same, backbone pretrained on knee_kl": "0.60",
    "knees, whole picture, last layer, T-score": "0.71 without CLAHE, 0.66 with",
    "knees, the same with the side markers (R, L) painted out": "0.73 against 0.77 with them, on the same six splits",
    "spine DXA, whole picture, last layer": "0.88",
    "spine DXA, whole picture, middle layers": "0.95",
    "spine DXA, three tiles, last layer": "0.87 to 0.93",
    "spine DXA, three tiles, middle layers": "0.97 to 0.98",
    "spine DXA, three tiles, middle layers, backbone pretrained on knee_kl": "0.98",
    "cut-out spines, whole picture, last layer": "0.84, which sees the size of the cut-out too",
    "cut-out spines, column as one picture, last layer": "0.71 to 0.75",
    "cut-out spines, column as one picture, middle layers": "0.80 to 0.84",
    "cut-out spines, tiles, last layer": "0.84",
    "cut-out spines, tiles, last and middle layers": "0.86 to 0.87",
    "cut-out spines, the same, backbone pretrained on knee_kl": "0.72",
    "uncut spines, a column segmenter on the frozen features, learned on spine_masked pasted softly over spine_view": (
        "Dice 0.84 (median 0.89) on 26 composites of unseen patients; of 15 real uncut spines it finds the column in "
        "none: it has learned to see the pasting, so uncut spines stay indeterminate"
    ),
}

# Share of knees and spines, each turned all four ways and inverted or not, whose turn is found; out of fold by patient.
TRIED_FOR_THE_TURN: dict[str, str] = {
    "last layer, mean of the whole picture": "0.845",
    "last layer at nine places, 400 components": "0.969",
    "last layer at nine places, 800 components": "0.975",
    "the same, four looks joined": "0.982",
}

# What tells a picture of another kind, each with the share of the fitting kinds that it refuses, a kind never seen by
# what judges it, at the limit that keeps every labelled knee and spine (two tiny cut-outs of one patient left out).
TRIED_FOR_THE_GATE: dict[str, str] = {
    "the anatomy head of 0.3.0, which learned 42 photographs": "0.50",
    "distance to the class means (Mahalanobis), 60, 150 or 300 components": "0.04 to 0.12",
    "distance from the subspace of the known pictures, 60, 150 or 300 components": "0.15 to 0.37",
    "both distances": "0.12 to 0.23",
    "the anatomy head with drawn kinds to learn from": "0.997; with any of the distances beside it, 0.997",
}

# What the head of 0.3.0 made of the same pictures; it had learned from `spine_view` and not from the others.
GATE_OF_0_3_0: dict[str, dict[str, int]] = {
    "spine_view": {"pictures": 270, "refused": 0, "taken_for_cut_out": 0},
    "spine_view_fullsize": {"pictures": 270, "refused": 29, "taken_for_cut_out": 43},
    "spine_landmarks": {"pictures": 481, "refused": 113, "taken_for_cut_out": 90},
    "knee_kl_india": {"pictures": 930, "refused": 3, "taken_for_cut_out": 0},
    "all crops of knee_kl": {"pictures": 6604, "refused": 2, "taken_for_cut_out": 0},
}
