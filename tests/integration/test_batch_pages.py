"""The pages of batches: films in, results out, and what is told of films and lists that do not fit together."""

import re

import pytest

from gateway.assessing.administration import create_administrator
from gateway.settings import GatewaySettings
from shared.radiograph.phantom import as_jpeg, knee
from tests.conftest import open_gateway, shared_services
from tests.integration.people import PASSWORD, browser_of

HEADING = "file,patient_number,age,gender"


@pytest.fixture(scope="module")
async def api(tmp_path_factory):
    settings = GatewaySettings(state_dir=tmp_path_factory.mktemp("batches"), _env_file=None)
    async with open_gateway(settings, shared_services()) as found:
        await create_administrator(settings, "root@here.example", PASSWORD, None)
        yield found


@pytest.fixture(scope="module")
async def browser(api):
    found = await browser_of(api, "root@here.example", accept="text/html")
    yield found
    await found.aclose()


@pytest.fixture(scope="module")
def film():
    return as_jpeg(knee(bone_density=0.7, size=(700, 550)))


async def send(browser, films, listed=None, key=""):
    files = [("films", (name, content)) for name, content in films.items()]
    if listed is not None:
        files.append(("list", ("list.csv", listed)))
    return await browser.post("/batches", data={"csrf": browser.headers["x-form"], "key": key}, files=files)


async def test_a_site_without_a_case_is_shown_its_first_steps(browser):
    page = (await browser.get("/work-list")).text
    assert "First steps" in page
    for address in ("/new", "/batches", "/administration/preflight", "/administration/keys"):
        assert f'<li><a href="{address}">' in page
    assert "First steps" not in (await browser.get("/work-list?show=emergency")).text, "a filter that finds nothing"


async def test_films_come_back_as_results_and_what_is_none_with_its_reason(api, browser, film):
    listed = f"{HEADING}\nright.jpg,MRN-7,67,female\nwords.jpg,,,\n"
    sent = await send(browser, {"right.jpg": film, "words.jpg": b"no picture"}, listed, "a key of the page")
    assert sent.status_code == 303, sent.text
    again = await send(browser, {"right.jpg": film, "words.jpg": b"no picture"}, listed, "a key of the page")
    assert again.headers["location"] == sent.headers["location"], "a second click made a second batch"
    address = sent.headers["location"]
    await api.get(f"/v1{address}/events", timeout=120)  # to its end
    page = (await browser.get(address)).text
    assert "data-open" not in page
    assert "Done: 1" in page
    assert "Not assessed: 1" in page
    assert "plain text" in re.search(r"words\.jpg</th>\s*<td.*?</td>", page, re.DOTALL)[0]
    result = re.search(r'href="(/assessments/[^"]+)"', page)[1]
    made = (await api.get(f"/v1{result}")).json()
    assert made["patient_number"] == "MRN-7"
    assert made["clinical"]["probability"] is not None
    assert address in (await browser.get("/batches")).text


@pytest.mark.parametrize(
    ("films", "listed", "told"),
    [
        ([], None, "Choose at least one film"),
        (["a.jpg"], f"{HEADING}\nb.jpg,,,\n", "Line 2 of the list names &#39;b.jpg&#39;, which was not chosen"),
        (["a.jpg", "b.jpg"], f"{HEADING}\na.jpg,,,\n", "&#39;b.jpg&#39; was chosen, and the list does not name it"),
        (["a.jpg"], f"{HEADING}\na.jpg,,,\na.jpg,,,\n", "names &#39;a.jpg&#39; more than once"),
        (["a.jpg"], f"{HEADING}\na.jpg,,670,female\n", "Line 2 of the list: age"),
        (["a.jpg"], f"{HEADING}\na.jpg,1\n", "line 2: it needs a"),
        (["a.jpg"], "", "The list is empty"),
        (["a.jpg"], "file\na.jpg\n".encode("utf-16"), "no text in UTF-8"),
    ],
)
async def test_what_does_not_fit_is_told_on_the_page_and_nothing_is_taken(api, browser, film, films, listed, told):
    before = (await api.get("/v1/batches")).json()["items"]
    answer = await send(browser, dict.fromkeys(films, film), listed)
    assert answer.status_code == 422
    assert told in answer.text
    assert (await api.get("/v1/batches")).json()["items"] == before
