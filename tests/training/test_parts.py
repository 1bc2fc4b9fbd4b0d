"""The parts that the trainings share."""

import numpy as np
import pytest
from scipy.special import softmax

from services.imaging.training.card import ratio_called, ratio_not_called
from shared.contracts.models import Evidence, ModelCard
from shared.radiograph.phantom import knee
from shared.radiograph.prepare import equalised
from shared.training.acquisition import Acquisition
from shared.training.augment import Augmentation
from shared.training.calibrate import calibrate, calibrate_ordinal
from shared.training.data import prepared, split_by_patient, without_duplicates
from shared.training.distance import fit_distance
from shared.training.evaluate import accuracy, calibration_error, quadratic_kappa, recalls, with_interval
from shared.training.fit import Batches
from shared.training.history import with_version
from shared.training.page import page

pytestmark = pytest.mark.training


def test_no_patient_is_in_two_parts_and_the_shares_are_kept():
    random = np.random.default_rng(0)
    patients = [f"p{number}" for number in random.integers(0, 400, 1000)]
    grades = random.integers(0, 5, 1000)
    split = split_by_patient(patients, grades.tolist(), seed=1)
    parts = [{patients[row] for row in rows} for rows in (split.train, split.validation, split.test)]
    assert len(parts[0] | parts[1] | parts[2]) == sum(len(part) for part in parts)
    assert sorted(np.concatenate([split.train, split.validation, split.test])) == list(range(1000))
    assert [len(part) / len(set(patients)) for part in parts] == pytest.approx([0.7, 0.2, 0.1], abs=0.03)
    again = split_by_patient(patients, grades.tolist(), seed=1)
    assert (again.test == split.test).all()


def test_the_second_copy_of_a_picture_is_left_out():
    pictures = np.arange(4 * 9, dtype=np.uint8).reshape(4, 3, 3)
    pictures[2] = pictures[0]
    assert without_duplicates(pictures).tolist() == [0, 1, 3]


def test_training_sees_what_serving_sees(data):
    from shared.radiograph.intake import decode
    from shared.radiograph.prepare import network_input

    file = next((data / "knees").iterdir()).read_bytes()
    assert (network_input(decode(file).pixels)[0, :, :, 0] * 255).round() == pytest.approx(prepared(file))


def test_calibration_mends_overconfidence():
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, 4000)
    logits = np.eye(3)[truth] + random.normal(0, 1, (4000, 3))
    found = calibrate(logits * 5, truth)
    assert found.scale == pytest.approx(0.2, rel=0.15)
    before, after = softmax(logits * 5, axis=1), softmax(found.apply(logits * 5), axis=1)
    assert calibration_error(after, truth) < 0.03 < calibration_error(before, truth)


def test_ordinal_calibration_finds_the_cut_offs_for_the_group_it_is_meant_for():
    random = np.random.default_rng(0)
    scores = random.normal(0, 1, 20000)
    latent = 2 * scores + random.logistic(0, 1, 20000)
    classes = (latent > -1).astype(int) + (latent > 3)
    own_shares = np.bincount(classes) / len(classes)
    slope, offsets = calibrate_ordinal(scores, classes, own_shares)
    assert slope == pytest.approx(2, abs=0.1)
    assert offsets == pytest.approx([1, -3], abs=0.15)
    _, balanced = calibrate_ordinal(scores, classes, np.array([0.25, 0.25, 0.5]))
    assert balanced[1] > offsets[1] + 0.5


def test_a_comparison_is_one_table_with_a_column_a_figure():
    card = ModelCard(
        name="n", version="1", service="s", summary="", intended_use="", excluded_use="", licence="", data=[],
        limits=[], trained="",
        metrics={"comparison": {"one": {"kappa": 0.5, "accuracy": 0.61}, "two": {"kappa": 0.75, "accuracy": 0.7}}},
    )  # fmt: skip
    assert "| | kappa | accuracy |\n|---|---|---|\n| one | 0.5 | 0.61 |\n| two | 0.75 | 0.7 |" in page(card)


def test_figures_against_hand_counts():
    truth, said = np.array([0, 0, 1, 2]), np.array([0, 1, 1, 2])
    assert accuracy(truth, said) == 0.75
    assert recalls(truth, said, 4) == [0.5, 1.0, 1.0, 0.0]
    assert quadratic_kappa(truth, truth) == 1
    assert quadratic_kappa(truth, said) == pytest.approx(0.8)


def test_the_interval_resamples_patients_and_not_pictures():
    truth = np.tile([0, 1], 50)
    said = truth.copy()
    said[:50] = 1 - said[:50]
    one_each = with_interval(accuracy, [str(number) for number in range(100)], truth, said)
    two_in_all = with_interval(accuracy, ["a"] * 50 + ["b"] * 50, truth, said)
    assert one_each["value"] == two_in_all["value"] == 0.5
    assert two_in_all["low"] == 0
    assert one_each["low"] > 0.35


def test_augmentation_keeps_size_and_repeats_with_its_seed():
    picture = np.random.default_rng(0).integers(0, 255, (224, 224), dtype=np.uint8)
    only, two = (Augmentation().apply(picture, 160, np.random.default_rng(7)) for _ in range(2))
    assert only.shape == (160, 160)
    assert (only == two).all()
    still = Augmentation(0, 0, 0, 0, 0, 0).apply(picture, 224, np.random.default_rng(7))
    assert (still == picture).all()
    mirrored = Augmentation(0, 0, 0, 0, 1, 0).apply(picture, 224, np.random.default_rng(7))
    assert (mirrored == picture[:, ::-1]).all()


def test_another_acquisition_repeats_with_its_seed_and_still_shows_the_same_knee():
    picture = knee(seed=1, size=(224, 224))
    one, again, other = (Acquisition().apply(picture, 160, np.random.default_rng(seed)) for seed in (3, 3, 4))
    assert one.shape == (160, 160)
    assert (one == again).all()
    assert (one != other).any()
    still = Acquisition(rotation_degrees=0, zoom=0, shift=0, stretch=0)
    alike = [likeness(still.apply(picture, 224, np.random.default_rng(seed)), equalised(picture)) for seed in range(20)]
    assert np.median(alike) > 0.8


def likeness(one, two):
    """Correlation of two pictures, whichever of the two mirror images fits better."""
    return max(abs(np.corrcoef(one.ravel(), turned.ravel())[0, 1]) for turned in (two, two[:, ::-1]))


def test_the_distance_is_what_known_pictures_have_beside_their_directions():
    random = np.random.default_rng(0)
    mixing = random.normal(0, 1, (10, 40))
    known, others = (random.normal(0, 1, (3000, 10)) @ mixing + random.normal(0, 0.1, (3000, 40)) for _ in range(2))
    distance = fit_distance(known, [others])
    assert (distance.of(others) > 1).mean() == pytest.approx(0.02, abs=0.001)
    far = others + 3 * random.normal(0, 1, (1, 10)) @ mixing  # but along known directions
    assert (distance.of(far) > 1).mean() < 0.05
    strangers = random.normal(0, 1, (100, 40))
    assert (distance.of(strangers) > 1).all()
    assert (fit_distance(known, [others, strangers]).of(strangers) > 1).mean() == pytest.approx(0.02, abs=0.01)


def test_mixed_pictures_carry_mixed_targets():
    pixels = np.stack([np.zeros((32, 32), np.uint8), np.full((32, 32), 255, np.uint8)])
    targets = np.eye(2, dtype=np.float32)
    still = Augmentation(0, 0, 0, 0, 0, 0)
    batches = Batches(pixels, targets, np.ones(2), size=32, batch=64, length=64, augmentation=still, mixed=1.0)
    inputs, mixed = batches[0]
    assert inputs.mean(axis=(1, 2, 3)) == pytest.approx(mixed[:, 1], abs=1e-5)
    assert ((mixed > 0) & (mixed < 1)).any()
    assert mixed.sum(axis=1) == pytest.approx(1)


def card_of(version: str, metrics: dict, **given) -> ModelCard:
    return ModelCard(
        name="n", version=version, service="s", summary="", intended_use="", excluded_use="", licence="", data=[],
        limits=[], trained="", metrics=metrics, **given,
    )  # fmt: skip


def test_a_card_keeps_its_versions_with_the_figures_of_each():
    first = with_version(
        card_of("1", {"kappa": 0.5, "within": {"auc": 0.6}}), "the first", ("kappa", "within.auc"), None
    )
    second = with_version(card_of("2", {"kappa": 0.7}), "better", ("kappa", "within.auc"), first)
    again = with_version(card_of("2", {"kappa": 0.8}), "better", ("kappa",), second)
    assert [one.version for one in again.versions] == ["2", "1"]
    assert [one.figures for one in second.versions] == [{"kappa": 0.7}, {"kappa": 0.5, "within: auc": 0.6}]
    shown = page(again)
    assert "| version | what changed | kappa | within: auc |" in shown
    assert "| 2 | better | 0.8 |  |\n| 1 | the first | 0.5 | 0.6 |" in shown


def test_a_card_says_in_one_place_how_far_its_figures_carry():
    evidence = Evidence(baselines={"chance": 0.5}, external={"elsewhere": {"auc": 0.6}}, not_measured=["Devices."])
    shown = page(card_of("1", {}, evidence=evidence))
    assert shown.index("## How far it carries") < shown.index("### Baselines") < shown.index("| elsewhere: auc | 0.6 |")
    assert "### Not measured\n\n- Devices." in shown


def test_the_likelihood_ratio_of_a_call_against_hand_counts():
    truth, called = np.array([True] * 4 + [False] * 8), np.array([True] * 3 + [False] + [True] * 2 + [False] * 6)
    assert ratio_called(truth, called) == pytest.approx(0.75 / 0.25)
    assert ratio_not_called(truth, called) == pytest.approx(0.25 / 0.75)
    with pytest.raises(ValueError, match="nobody"):
        ratio_called(truth, truth)
