"""What the weights may be used for: no file and no head without a row, and the cards say what the table says."""

from pathlib import Path

import pytest

from services.imaging.network import OPEN_ANATOMY_OUTPUT, OUTPUTS, SITES
from shared.contracts.models import ModelCard
from shared.inference.onnx import OnnxScorer
from shared.weights import IMAGING, RESEARCH_ONLY, SETS, SHIPPED, RestrictedWeights, as_used, uses_of
from tests.weights import card_of

ROOT = Path(__file__).parents[3]
ONNX = sorted(file.relative_to(ROOT).as_posix() for file in [*ROOT.glob("*/*/model/*.onnx")])
CARDS = sorted(file.relative_to(ROOT).as_posix() for file in ROOT.glob("*/*/model/card*.json"))


def outputs_of(file):
    return {output.name for output in OnnxScorer(ROOT / file)._session.get_outputs()}


def test_every_shipped_weights_file_has_a_row():
    assert len(ONNX) >= 5
    assert {part.file for part in SHIPPED} == set(ONNX)


@pytest.mark.parametrize("file", [file for file in ONNX if "clinical" not in file])
def test_every_output_of_a_network_belongs_to_a_row(file):
    named = {output for part in SHIPPED if part.file == file for output in part.outputs}
    assert named == outputs_of(file)


def test_every_readout_and_head_of_the_imaging_network_has_a_row_of_its_own():
    names = [part.name for part in SHIPPED if part.file == IMAGING]
    heads = [output for output in OUTPUTS if output not in ("bone", "heat")]
    assert sorted(names) == sorted([*heads, OPEN_ANATOMY_OUTPUT, *(f"bone_{site}" for site in SITES)])


def test_what_learned_from_pictures_without_a_licence_is_for_research_only():
    assert {"spine_dxa", "spine_masked", "spine_landmarks", "lifestyle"} == set(RESEARCH_ONLY)
    closed = {part.name for part in SHIPPED if part.use.research_only}
    assert closed == {
        "anatomy", "turn", "inverted", "bone_spine_dxa", "bone_spine_cut_out", "knee_joints", "lifestyle",
    }  # fmt: skip
    assert {name for part in SHIPPED for name in part.learned_from} <= set(SETS)


@pytest.mark.parametrize("name", CARDS)
def test_a_shipped_card_says_what_the_table_says(name):
    card = ModelCard.model_validate_json((ROOT / name).read_bytes())
    rows = {use.part: use for use in uses_of(*{part.file for part in SHIPPED})}
    assert card.weights, "make weights-on-cards"
    assert [rows[use.part] for use in card.weights] == card.weights, "make weights-on-cards"


def test_an_open_installation_refuses_a_package_that_does_not_say_what_it_learned_from():
    card = card_of("services/imaging/model").model_copy(update={"weights": []})
    assert as_used(card, models_open=False) == card
    with pytest.raises(RestrictedWeights, match="TRABECULA_MODELS_OPEN: the card of imaging-"):
        as_used(card, models_open=True)
