"""Several versions of a package in one service: each loaded once, the two used last kept."""

import threading

import pytest

from shared.manifest import DamagedModel
from shared.problems import ServiceUnavailable
from shared.versions import Versions


@pytest.fixture
def loads():
    return []


@pytest.fixture
def versions(loads):
    def load(version):
        loads.append(version)
        if version == "bad":
            raise DamagedModel("it is damaged")
        return f"network {version}"

    return Versions("own network", "1", load)


def test_the_settings_own_version_is_never_loaded_again(versions, loads):
    assert versions.of("") == versions.of("1") == "own network"
    assert loads == []


def test_another_is_loaded_once_and_the_two_used_last_are_kept(versions, loads):
    for version in ("2", "3", "2", "4", "2", "3"):
        assert versions.of(version) == f"network {version}"
    assert loads == ["2", "3", "4", "3"]


def test_what_may_not_be_loaded_is_unavailable_and_tried_again(versions, loads):
    for _ in range(2):
        with pytest.raises(ServiceUnavailable, match="it is damaged"):
            versions.of("bad")
    assert loads == ["bad", "bad"]
    with pytest.raises(ServiceUnavailable, match="version 1 alone"):
        Versions("own", "1", None).of("2")


def test_threads_that_ask_at_once_load_it_once(versions, loads):
    threads = [threading.Thread(target=versions.of, args=("2",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == ["2"]
