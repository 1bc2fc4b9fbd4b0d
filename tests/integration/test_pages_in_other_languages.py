"""A result in Hindi and Kannada: every sentence is in that language, or is marked as the English one that it is."""

import json
import re
from html.parser import HTMLParser

import pytest

from gateway.settings import GatewaySettings
from shared.contracts.language import LANGUAGES
from shared.radiograph.phantom import as_jpeg, knee
from tests.conftest import open_gateway, shared_services
from tests.integration.people import administrator_of, browser_of
from tests.pdf import text_of

# Two Latin words in a row are names and abbreviations; three are a sentence, unless they are these.
RUN = re.compile(r"[A-Za-z]{2,}(?:[ ,]+[A-Za-z]{2,}){2,}")
NAMES = {"Trabecula"}
RECORDS = {
    "rich": {
        "age": 82, "gender": "female", "weight_kg": 150, "height_cm": 160, "menopause_age": 64,
        "calcium_mg_per_day": 9000,
        "prior_fractures": [{"site": "vertebra", "age": 76}, {"site": "wrist", "age": 70, "low_trauma": True}],
        "t_scores": [
            {"site": "lumbar_spine", "value": 1.9, "date": "2019-06-01"},
            {"site": "total_hip", "value": -2.6, "date": "2019-06-01"},
        ],
        "medications": ["denosumab", "glucocorticoids"], "glucocorticoid_mg_per_day": 7.5, "glucocorticoid_months": 12,
        "denosumab_last_dose_months_ago": 9, "medical_conditions": ["chronic_kidney_disease"], "egfr_ml_per_min": 33,
        "frax_major": 25, "frax_country": "uk", "back_pain": True, "neurological_signs": True,
    },
    "man": {"age": 57, "gender": "male", "weight_kg": 88, "menopausal_status": "postmenopausal", "frax_major": 22},
    "open": {"age": 61, "gender": "other", "weight_kg": 70, "z_scores": [{"site": "total_hip", "value": -2.4}]},
    "young": {"age": 31, "gender": "female", "t_scores": [{"site": "calcaneus", "value": -1, "method": "ultrasound"}]},
}  # fmt: skip


class Unmarked(HTMLParser):
    """The text of a page without what is marked as English, and without scripts."""

    VOID = frozenset({"meta", "link", "img", "input", "br", "hr", "circle", "rect", "line", "polyline", "path", "use"})

    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in self.VOID:
            self.open.append((tag, ("lang", "en") in attrs or tag in ("script", "style")))

    def handle_endtag(self, tag):
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if not any(skipped for _, skipped in self.open):
            self.text.append(data)


def english_in(text):
    return sorted({run for run in RUN.findall(" ".join(text.split())) if not set(run.split()) & NAMES})


@pytest.fixture(scope="module")
async def site(tmp_path_factory):
    """An administrator's browser and a result of each record, the first with a knee."""
    settings = GatewaySettings(state_dir=tmp_path_factory.mktemp("languages"), logins_per_minute=1000, _env_file=None)
    async with open_gateway(settings, shared_services()) as api:
        admin = await administrator_of(settings, api, "root@here.example")
        made = {}
        for name, record in RECORDS.items():
            files = {"clinical": (None, json.dumps(record)), "patient_number": (None, f"MRN-{name}")}
            if name == "rich":
                files["image"] = ("knee.jpg", as_jpeg(knee(bone_density=0.7, size=(1200, 1000))))
            answer = await admin.post("/v1/assessments", files=files)
            assert answer.status_code == 201, answer.text
            made[name] = answer.json()["id"]
        browser = await browser_of(api, "root@here.example", accept="text/html")
        yield browser, admin, made
        await browser.aclose()
        await admin.aclose()


@pytest.mark.parametrize("name", RECORDS)
@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
async def test_a_clinicians_result_has_no_unmarked_english(site, language, name):
    browser, _, made = site
    await browser.get(f"/language/{language}", params={"next": "/work-list"})
    page = Unmarked()
    page.feed((await browser.get(f"/assessments/{made[name]}")).text)
    text = "".join(page.text)
    assert len(text) > 1000
    found = english_in(text)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("name", RECORDS)
async def test_a_patients_paper_has_english_only_beside_a_translation(site, name):
    browser, _, made = site
    query = {"audience": "patient", "language": "hi"}
    answer = await browser.get(f"/assessments/{made[name]}/report.pdf", params=query)
    if answer.headers.get("content-language") == "en":
        pytest.skip("no font for Hindi is on this machine (apt install fonts-noto-core)")
    assert "does not diagnose" not in text_of(answer.content)


async def test_a_program_gets_each_sentence_with_its_key_in_the_language_that_it_asks_for(site):
    _, program, made = site
    address = f"/v1/assessments/{made['rich']}"
    answer = (await program.get(address)).json()
    by_query = (await program.get(f"{address}/sentences", params={"language": "hi"})).json()
    by_header = (await program.get(f"{address}/sentences", headers={"Accept-Language": "hi-IN,en;q=0.5"})).json()
    english = (await program.get(f"{address}/sentences")).json()
    assert by_query == by_header
    assert (by_query["language"], english["language"]) == ("hi", "en")
    listed = {one["prose"]: one for one in by_query["sentences"]}
    assert {*answer["combined"]["basis"], answer["clinical"]["conclusion"], answer["disclaimer"]} <= listed.keys()
    assert all(one["messages"] and not one["is_english"] for one in listed.values())
    keys = {message["key"]: message["params"] for one in listed.values() for message in one["messages"]}
    assert keys["record.old_scan"].keys() == {"date", "years"}
    assert [one["text"] for one in english["sentences"]] == [one["prose"] for one in english["sentences"]]
