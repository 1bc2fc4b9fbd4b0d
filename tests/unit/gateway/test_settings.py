import stat
import sys

import pytest
from pydantic import ValidationError

from gateway.settings import GatewaySettings, kept_secret


def test_secrets_are_made_once_and_kept_for_their_owner_only(settings):
    first = settings.token_key()
    assert len(first) >= 32
    assert settings.token_key() == first
    assert settings.internal_key() != first
    if sys.platform != "win32":
        assert stat.S_IMODE((settings.state_dir / "token_secret").stat().st_mode) == 0o600


def test_a_secret_from_the_environment_comes_first(monkeypatch, tmp_path):
    monkeypatch.setenv("TRABECULA_TOKEN_SECRET", "x" * 40)
    settings = GatewaySettings(state_dir=tmp_path, _env_file=None)
    assert settings.token_key() == "x" * 40
    assert "xxxx" not in repr(settings)
    assert not list(tmp_path.iterdir())


def test_a_short_secret_is_refused(monkeypatch):
    monkeypatch.setenv("TRABECULA_INTERNAL_SECRET", "short")
    with pytest.raises(ValidationError, match="internal_secret"):
        GatewaySettings(_env_file=None)


def test_all_four_services_have_to_be_named(monkeypatch):
    monkeypatch.setenv("TRABECULA_SERVICES", '{"imaging": "http://imaging:8000"}')
    with pytest.raises(ValidationError, match="imaging, staging, clinical, recommender"):
        GatewaySettings(_env_file=None)


def test_two_processes_agree_on_a_secret(tmp_path):
    assert kept_secret(tmp_path / "deep" / "s") == kept_secret(tmp_path / "deep" / "s")
