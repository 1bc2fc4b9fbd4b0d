import stat
import sys

import pytest
from pydantic import ValidationError

from gateway.settings import GatewaySettings
from shared.contracts.policy import ClinicPolicy, FraxLine
from shared.kept_secrets import kept_secret
from shared.settings import wrong_settings


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


def test_a_site_says_how_it_reads_a_record(monkeypatch):
    assert GatewaySettings(_env_file=None).clinic_policy() == ClinicPolicy()
    monkeypatch.setenv("TRABECULA_POSTMENOPAUSAL_ASSUMED_FROM", "never")
    monkeypatch.setenv("TRABECULA_FRAX_THRESHOLDS", '{"india": {"major": 15, "hip": 4}, "unknown": {"major": 20}}')
    policy = GatewaySettings(_env_file=None).clinic_policy()
    assert policy.postmenopausal_from is None
    assert policy.frax_thresholds["india"] == FraxLine(major=15, hip=4)
    assert policy.frax_thresholds["unknown"].hip is None
    monkeypatch.setenv("TRABECULA_POSTMENOPAUSAL_ASSUMED_FROM", "60")
    assert GatewaySettings(_env_file=None).clinic_policy().postmenopausal_from == 60


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FRAX_THRESHOLDS", '{"atlantis": {"major": 15}}'),
        ("FRAX_THRESHOLDS", '{"india": {"major": 150}}'),
        ("POSTMENOPAUSAL_ASSUMED_FROM", "55"),
        ("EMERGENCY_NUMBER", "call us"),
    ],
)
def test_a_choice_that_there_is_not_is_refused(monkeypatch, name, value):
    monkeypatch.setenv(f"TRABECULA_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        GatewaySettings(_env_file=None)


PROVIDER = {
    "public_url": "https://trabecula.hospital.example",
    "oidc_issuer": "https://login.hospital.example",
    "oidc_client_id": "trabecula",
    "oidc_client_secret": "a secret of the tests",
    "oidc_roles": {"Radiology": "clinician"},
}


@pytest.mark.parametrize("missing", PROVIDER)
def test_half_a_provider_does_not_start(missing):
    assert GatewaySettings(**PROVIDER, _env_file=None).oidc_roles == {"Radiology": "clinician"}
    half = {name: value for name, value in PROVIDER.items() if name != missing}
    with pytest.raises(ValidationError, match=f"TRABECULA_{missing.upper()}"):
        GatewaySettings(**half, _env_file=None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("oidc_issuer", "http://login.hospital.example"),
        ("oidc_issuer", "https://login.hospital.example?tenant=1"),
        ("oidc_issuer", "https://user@login.hospital.example"),
        ("oidc_issuer", "login.hospital.example"),
        ("oidc_roles", {"Radiology": "patient"}),
        ("oidc_scopes", "profile email"),
    ],
)
def test_a_provider_that_cannot_be_trusted_does_not_start(name, value):
    with pytest.raises(ValidationError, match=name):
        GatewaySettings(**{**PROVIDER, name: value}, _env_file=None)


def test_people_come_back_from_a_provider_encrypted():
    plain = "http://trabecula.hospital.example"
    assert GatewaySettings(public_url=plain, _env_file=None).public_url == plain, "for links alone it may do"
    with pytest.raises(ValidationError, match="TRABECULA_PUBLIC_URL"):
        GatewaySettings(**{**PROVIDER, "public_url": plain}, _env_file=None)


def test_a_provider_on_this_machine_needs_no_encryption():
    local = {**PROVIDER, "oidc_issuer": "http://127.0.0.1:5000", "public_url": "http://localhost:8080"}
    assert GatewaySettings(**local, _env_file=None).oidc_issuer == "http://127.0.0.1:5000"


def test_a_time_zone_that_is_none_is_one_clear_line_at_the_start(monkeypatch, tmp_path):
    monkeypatch.setenv("TRABECULA_TIME_ZONE", "Asia/Kolkata")
    assert str(GatewaySettings(state_dir=tmp_path, _env_file=None).zone()) == "Asia/Kolkata"
    for wrong in ("Asia/Atlantis", "../etc/passwd", ""):
        monkeypatch.setenv("TRABECULA_TIME_ZONE", wrong)
        with pytest.raises(ValidationError) as refused:
            GatewaySettings(state_dir=tmp_path, _env_file=None)
        (line,) = wrong_settings(refused.value).splitlines()
        assert "TRABECULA_TIME_ZONE" in line
        assert "Asia/Kolkata" in line
