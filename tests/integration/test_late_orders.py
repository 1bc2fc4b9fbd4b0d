"""An order that comes after its film stands with the result as if it had come before; another patient's never does."""

import pytest

from gateway.assessing.results import HL7
from gateway.assessing.routing import OF_ORDERED_RESULTS, add_destination, remove_destination
from gateway.interop.hl7.destinations import Hl7Destination
from tests.films import file_of, film, pushed
from tests.integration.test_films_come_in import ended, of_patient, routing
from tests.integration.test_hl7_in import basis_of, routed, site
from tests.integration.test_hl7_out import at_least
from tests.mllp import connected, fields, order, order_system, verdict


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return site(tmp_path_factory.mktemp("late"))


async def received(api, admin, count, number, accession):
    """The assessment of a film that came in, as the `count`-th of all."""
    await api.post("/dicom-web/studies", **pushed(file_of(film(number, AccessionNumber=accession))))
    await ended(admin, "done", count)
    return (await of_patient(api, number))[0]["id"]


async def trail_of(admin, assessment_id):
    lines = (await admin.get("/v1/audit", params={"subject": assessment_id, "limit": 50})).json()["items"]
    return [(one["actor"], one["outcome"]) for one in lines if one["action"] == "order joined"]


async def placers(api, assessment_id):
    orders, _ = await basis_of(api, assessment_id)
    kinds = [{one["type"]["coding"][0]["code"]: one["value"] for one in found["identifier"]} for found in orders]
    return [kind["PLAC"] for kind in kinds]


async def test_a_late_order_joins_its_films_and_nobody_elses(settings, api, admin):
    sender = "hl7:RIS|HOSPITAL"
    async with order_system(["AA"]) as (port, came), routed(settings), connected(settings.hl7_port) as send:
        to = Hl7Destination(host="127.0.0.1", port=port)
        await add_destination(settings, HL7, "ris", OF_ORDERED_RESULTS, to.model_dump(mode="json"))
        made = await received(api, admin, 1, "MRN-400", "ACC-400")
        first = await at_least(came, 1)
        assert fields(first, "OBR", 2) == [""]
        assert await placers(api, made) == []
        # It goes out again under its order, once, however often the order is told.
        late = order("MRN-400", "ACC-400", control_id="f1")
        for text in (late, late, order("MRN-400", "ACC-400", control_id="f2")):
            assert verdict(await send(text))[0] == "AA"
        second = await at_least(came, 2)
        assert (fields(second, "OBR", 2), fields(second, "OBR", 3)) == (["P-77"], ["F-88"])
        assert await placers(api, made) == ["P-77"]
        assert await trail_of(admin, made) == [(sender, "done")]
        # What the order system changes is changed; what it cancels stays as it was done.
        for text in (
            order("MRN-400", "ACC-400", "XO", control_id="f3").replace("P-77", "P-78"),
            order("MRN-400", "ACC-400", "CA", control_id="f4"),
        ):
            assert verdict(await send(text))[0] == "AA"
        third = await at_least(came, 3)
        assert fields(third, "OBR", 2) == ["P-78"]
        assert await placers(api, made) == ["P-78"]
        # Somebody else's order under a film's accession number is not joined, and a person can see that it was not.
        others = await received(api, admin, 2, "MRN-401", "ACC-401")
        wrong = order("MRN-SOMEBODY", "ACC-401", control_id="f5")
        for _ in range(2):
            assert verdict(await send(wrong))[0] == "AA"
        assert await placers(api, others) == []
        assert set(await trail_of(admin, others)) == {(sender, "refused")}
        assert (await routing(admin))["turned_away"]["hl7_other_patient"] == 1
        await at_least(came, 4)  # the other film's own
        assert len(came) == 4
    await remove_destination(settings, "ris")
