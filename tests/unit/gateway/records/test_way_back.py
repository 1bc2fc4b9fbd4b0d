"""Going back: whatever was put in use, it ends, and each step was in use once."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.records.way_back import before_last, way_back

VERSIONS = st.sampled_from([None, "a", "b", "c"])
BACK = st.just("back")


@given(st.lists(VERSIONS | BACK, max_size=30))
def test_what_is_read_from_the_changes_is_what_was_done(steps):
    way, changes = [None], []
    for step in steps:
        if step == "back":
            if len(way) == 1:
                continue
            way = way[:-1]
            changes.append((way[-1], before_last(way)))
        elif step != way[-1]:
            changes.append((step, way[-1]))
            way = [version for version in way if version != step] + [step]
        else:
            changes.append((step, before_last(way)))
        read = way_back(changes)
        assert (read[-1], before_last(read)) == (way[-1], before_last(way))
    assert len(set(way_back(changes))) == len(way_back(changes)) <= 4


def test_a_version_that_came_twice_is_one_step():
    assert way_back([("a", None), ("b", "a"), ("a", "b")]) == [None, "b", "a"]
    assert way_back([("a", None), ("b", "a"), ("a", "b"), ("b", None)]) == [None, "b"]


def test_what_changed_beside_the_version_is_no_step():
    assert way_back([("a", None), ("a", None), ("b", "a"), ("b", "a")]) == [None, "a", "b"]
