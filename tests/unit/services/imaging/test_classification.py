from pathlib import Path

import cv2
import numpy as np
import pytest
from pydantic import ValidationError

import services.imaging
from services.imaging.classification import TOO_LITTLE, finding, ratios_of
from services.imaging.gate import check_anatomy, check_not_white, check_readable
from services.imaging.network import CONTENTS, Anatomy, Look, classes_of
from services.imaging.regions import bone_box, bone_regions, column_tiles, doubled, dxa_tiles
from services.imaging.settings import Settings
from services.imaging.upright import clear, correction, joined, joined_tone, quarters
from shared.contracts.base import ModelReference
from shared.contracts.findings import LikelihoodRatio, StandAlone
from shared.contracts.models import ModelCard
from shared.problems import ImageRefused
from shared.radiograph import Radiograph
from shared.radiograph.upright import Correction, corrected
from shared.settings import wrong_settings

MODEL = ModelReference(name="m", version="1")


def anatomy(**shares):
    assert set(shares) <= set(CONTENTS)
    return Anatomy(np.array([shares.get(content, 0.0) for content in CONTENTS]))


def found(bone, why_not=None, **shares):
    return finding(anatomy(**shares), np.array(bone), why_not, Correction(), MODEL)


def radiograph(pixels, size=(400, 400)):
    return Radiograph(np.asarray(pixels, np.uint8), "png", size)


def test_the_classes_are_anatomy_times_bone_and_sum_to_one():
    answer = found([0.2, 0.3, 0.5], knee=0.6, spine_dxa=0.2, chest=0.2)
    assert answer.probabilities.knee_osteoporosis == pytest.approx(0.75 * 0.5)
    assert answer.probabilities.spine_osteoporosis == pytest.approx(0.25 * 0.5)
    assert sum(answer.probabilities.model_dump().values()) == pytest.approx(1)


def test_knowing_the_site_does_not_make_osteoporosis():
    assert found([0.9, 0.05, 0.05], spine_dxa=1.0).label == "normal"
    assert found([0.05, 0.05, 0.9], spine_dxa=1.0).label == "spine_osteoporosis"
    assert found([0.05, 0.05, 0.9], knee=1.0).label == "knee_osteoporosis"


POSSIBLE = "Possible low bone density, seen at the {}. A radiograph cannot tell; bone density is measured by DXA."


def test_osteoporosis_that_leads_without_a_majority_is_no_lack_of_signs():
    answer = found([0.29, 0.29, 0.42], knee=1.0)
    assert (answer.label, answer.appearance) == ("normal", "low_bone_mass")
    assert answer.summary == POSSIBLE.format("knee")


def test_leading_osteopenia_is_told_as_possible_low_bone_density():
    answer = found([0.2, 0.7, 0.1], knee=1.0)
    assert (answer.label, answer.appearance) == ("normal", "low_bone_mass")
    assert answer.summary == POSSIBLE.format("knee")
    assert found([0.2, 0.7, 0.1], spine_dxa=1.0).summary == POSSIBLE.format("spine")


@pytest.mark.parametrize("site", ["knee", "spine_dxa"])
@pytest.mark.parametrize(
    "bone", [[0.1, 0.1, 0.8], [0.2, 0.7, 0.1], [0.8, 0.1, 0.1], [0.3, 0.22, 0.48], [0.4, 0.4, 0.2]]
)
def test_the_words_neither_find_osteoporosis_nor_rule_it_out(bone, site):
    answer = found(bone, **{site: 1.0})
    assert "osteoporosis" not in answer.summary.lower()
    assert "DXA" in answer.summary or "cannot rule it out" in answer.summary
    assert answer.summary.startswith("Possible low bone density") == answer.possibly_low


def test_what_the_film_alone_says_follows_the_prevalence_by_the_odds():
    said = StandAlone.at(0.8, 0.2)  # odds 4 at one half; 4 x 1/4 at one in five
    assert (said.probability, said.prevalence) == (pytest.approx(0.5), 0.2)
    assert StandAlone.at(0.8, 0.5).probability == pytest.approx(0.8)
    assert StandAlone.at(1.0, 0.01).probability == 1


def test_the_prevalence_moves_nothing_but_what_the_film_alone_says():
    bone = np.array([0.1, 0.1, 0.8])
    rare, even = (finding(anatomy(knee=1.0), bone, None, Correction(), MODEL, None, share) for share in (0.1, 0.5))
    assert rare.stand_alone.probability < even.stand_alone.probability == pytest.approx(0.8)
    assert rare.model_copy(update={"stand_alone": None}) == even.model_copy(update={"stand_alone": None})


def test_an_indeterminate_reading_has_no_probability_of_its_own():
    bone = np.array([0.1, 0.1, 0.8])
    assert finding(anatomy(knee=1.0), bone, "Cut off.", Correction(), MODEL, None, 0.1).stand_alone is None


@pytest.mark.parametrize("share", ["0", "1", "-0.1", "often"])
def test_a_prevalence_is_a_share_above_0_and_below_1(share):
    with pytest.raises(ValidationError) as wrong:
        Settings(internal_secret="0" * 48, osteoporosis_prevalence=share, _env_file=None)
    assert "TRABECULA_OSTEOPOROSIS_PREVALENCE" in wrong_settings(wrong.value)


RATIO = LikelihoodRatio(value=2.0, low=1.1, high=3.7, patients=157, basis="one collection")


def test_what_a_reading_adds_to_the_record_goes_with_knees_alone():
    bone = np.array([0.1, 0.1, 0.8])
    knee = finding(anatomy(knee=1.0), bone, None, Correction(), MODEL, {"knee": RATIO})
    spine = finding(anatomy(spine_dxa=1.0), bone, None, Correction(), MODEL, {"knee": RATIO})
    assert knee.likelihood_ratio == RATIO
    assert spine.likelihood_ratio is None
    assert found([0.1, 0.1, 0.8], knee=1.0).likelihood_ratio is None


def test_the_shipped_card_says_what_a_knees_reading_adds_and_nothing_of_spines():
    card = ModelCard.model_validate_json((Path(services.imaging.__file__).parent / "model" / "card.json").read_bytes())
    ratios = ratios_of(card)
    assert set(ratios) == {"knee"}
    assert ratios["knee"].low < ratios["knee"].value < ratios["knee"].high
    assert "not DXA" in ratios["knee"].basis
    assert ratios_of(card.model_copy(update={"metrics": {}})) == {}


def test_a_picture_that_shows_too_little_is_indeterminate_whatever_the_readout_says():
    spine = found([0.0, 0.0, 1.0], why_not=TOO_LITTLE["spine"], spine_radiograph=1.0)
    knee = found([0.0, 0.0, 1.0], why_not=TOO_LITTLE["knee"], knee=1.0)
    assert spine.indeterminate
    assert knee.indeterminate
    assert "uncut" in spine.summary
    assert "thigh bone" in knee.summary
    assert "DXA is advised" in knee.summary


def test_a_narrow_lead_is_indeterminate():
    assert found([0.3, 0.22, 0.48], knee=1.0).indeterminate
    assert not found([0.1, 0.2, 0.7], knee=1.0).indeterminate


def test_log_odds_of_worse_and_worst_become_three_classes():
    assert classes_of(np.array([0.0, -100.0])) == pytest.approx([0.5, 0.5, 0.0])
    assert classes_of(np.array([2.0, 0.0])).sum() == pytest.approx(1)
    assert classes_of(np.array([[100.0, 100.0], [-100.0, -100.0]])) == pytest.approx(np.array([[0, 0, 1], [1, 0, 0]]))


class NoJoint:
    def score(self, inputs):
        return {name: np.zeros((1, 64, 64, 1), np.float32) for name in ("heat", "width")}


def test_each_kind_of_picture_has_its_regions():
    column = np.zeros((300, 200), np.uint8)
    column[20:260, 80:140] = 180
    dxa = bone_regions(column, anatomy(spine_dxa=1.0), NoJoint())
    cut_out = bone_regions(column, anatomy(spine_cut_out=1.0), NoJoint())
    uncut = bone_regions(column, anatomy(spine_radiograph=1.0), NoJoint())
    knee = bone_regions(column, anatomy(knee=1.0), NoJoint())
    assert (dxa.site, len(dxa.boxes), dxa.enough) == ("spine_dxa", 3, True)
    assert (cut_out.site, cut_out.boxes[0], len(cut_out.boxes)) == ("spine_cut_out", (80, 20, 60, 60), 4)
    assert not uncut.enough
    assert (knee.site, knee.boxes, knee.enough) == ("knee", [(0, 0, 200, 300)], False)
    assert [crop.shape for crop in cut_out.crops(column)] == [(60, 60)] * 4


def test_the_regions_geometry():
    assert doubled((10, 20, 30, 40)) == (-5, 0, 60, 80)
    assert dxa_tiles(np.zeros((200, 100), np.uint8)) == [(25, top, 50, 100) for top in (0, 50, 100)]
    assert bone_box(np.zeros((50, 60), np.uint8)) == (0, 0, 60, 50)
    wide = np.zeros((100, 400), np.uint8)
    wide[40:60, 10:390] = 200
    tiles = column_tiles(wide)
    assert len(tiles) == 6
    assert (tiles[0][0], tiles[-1][0] + tiles[-1][2]) == (10, 390)


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
@pytest.mark.parametrize("inverted", [True, False])
def test_what_was_turned_and_inverted_is_put_right(degrees, inverted):
    right = np.arange(12, dtype=np.uint8).reshape(3, 4)
    sent = np.rot90(255 - right if inverted else right, -degrees // 90)
    turn = np.eye(4)[degrees // 90]
    lies = correction(Look(anatomy(knee=1.0), turn, float(inverted)))
    assert (lies.turned_degrees, lies.inverted) == (degrees, inverted)
    upright = corrected(Radiograph(sent, "png", sent.shape[::-1], pixel_spacing_mm=(1.0, 2.0)), lies)
    assert (upright.pixels == right).all()
    assert upright.original_size == (4, 3)
    assert upright.pixel_spacing_mm == ((2.0, 1.0) if degrees in (90, 270) else (1.0, 2.0))


@pytest.mark.parametrize(
    ("turn", "found"),
    [
        ((1, 0, 0, 0), 0),
        ((0.04, 0.96, 0, 0), 1),
        ((0.1, 0.9, 0, 0), None),
        ((0.2, 0.8, 0, 0), 0),
        ((0.05, 0.5, 0.45, 0), None),
        ((0, 0, 0.03, 0.97), 3),
    ],
)
def test_only_a_sure_turn_is_believed_and_only_much_doubt_refused(turn, found):
    assert quarters(np.array(turn)) == found


def looks_at(turned, sureness, inverted=0.0):
    """What four looks say at a picture that was turned by so many quarters, each look turning it one further."""
    rest = (1 - sureness) / 3
    return [
        Look(anatomy(knee=1.0), np.roll(np.array([sureness, rest, rest, rest]), turned + step), inverted)
        for step in range(4)
    ]


@pytest.mark.parametrize("turned", range(4))
def test_four_looks_that_agree_are_surer_than_one(turned):
    joint = joined(looks_at(turned, 0.7))
    assert joint.turn.argmax() == turned
    assert 0.7 < joint.turn.max() < 0.95
    assert joint.turn.sum() == pytest.approx(1)
    assert quarters(joined(looks_at(turned, 0.9)).turn) == turned


def test_looks_that_contradict_each_other_are_unclear():
    """Each look takes the picture for upright as it comes, whichever way it was turned before."""
    joint = joined([Look(anatomy(knee=1.0), np.array([0.97, 0.01, 0.01, 0.01]), 0.5)] * 4)
    assert joint.turn == pytest.approx(np.full(4, 0.25))


def test_one_look_is_enough_only_where_turn_and_tone_are_clear():
    assert clear(looks_at(0, 0.9)[0])
    assert clear(looks_at(0, 0.9, inverted=0.97)[0])
    assert not clear(looks_at(0, 0.9, inverted=0.6)[0])
    assert not clear(looks_at(1, 0.9)[0])
    assert joined_tone(np.array([0.9, 0.9, 0.5, 0.99])) > 0.9


def test_an_unclear_way_to_lie_is_refused_and_what_is_no_knee_by_the_gate():
    with pytest.raises(ImageRefused) as caught:
        correction(Look(anatomy(knee=1.0), np.array([0.05, 0.65, 0.3, 0.0]), 0.0))
    assert caught.value.members["reason"] == "orientation"
    with pytest.raises(ImageRefused) as caught:
        correction(Look(anatomy(chest=1.0), np.array([0.05, 0.65, 0.3, 0.0]), 0.0))
    assert caught.value.members["reason"] == "chest"


@pytest.mark.parametrize("content", ["chest", "hip", "limb", "knee_implant", "not_radiograph"])
def test_other_pictures_are_refused_with_their_reason(content):
    with pytest.raises(ImageRefused) as caught:
        check_anatomy(anatomy(knee=0.3, **{content: 0.7}))
    assert caught.value.members["reason"] == content
    check_anatomy(anatomy(knee=0.6, **{content: 0.4}))


RAMP = np.tile(np.arange(200, dtype=np.uint8), (200, 1))
SHARP = np.clip(RAMP + np.random.default_rng(0).normal(0, 12, RAMP.shape), 0, 255)


@pytest.mark.parametrize(
    ("pixels", "size", "reason"),
    [
        (np.full((200, 200), 77), (200, 200), "blank"),
        (SHARP, (159, 400), "too_small"),
        (cv2.GaussianBlur(SHARP.astype(np.uint8), (0, 0), 6), (200, 200), "blurred"),
    ],
)
def test_what_holds_too_little_is_refused(pixels, size, reason):
    with pytest.raises(ImageRefused) as caught:
        check_readable(radiograph(pixels, size))
    assert caught.value.members["reason"] == reason


def test_a_white_page_is_refused():
    with pytest.raises(ImageRefused) as caught:
        check_not_white(radiograph(np.where(np.arange(200) % 8 < 6, 255, SHARP), (200, 200)))
    assert caught.value.members["reason"] == "mostly_white"


def test_what_is_small_but_readable_passes():
    check_readable(radiograph(SHARP, size=(160, 160)))
