"""What was acknowledged while services were killed is there afterwards: `make bench ARGS=resilience`, small."""

import pytest

from bench.resilience import trial


@pytest.mark.long
def test_nothing_acknowledged_is_lost_changed_or_made_twice(tmp_path):
    found = trial(tmp_path, total=12, clients=4, kill_every_s=2)
    assert found.faults == []
    assert found.kills >= 1
    assert len(found.answers) == found.stored == 12
