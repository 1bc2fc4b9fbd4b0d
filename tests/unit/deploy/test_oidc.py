"""The compose file for sign-in by a provider, against the settings that it sets."""

from pathlib import Path

import yaml

from gateway.settings import OIDC_NEEDS, GatewaySettings

FILE = yaml.safe_load((Path(__file__).parents[3] / "deploy" / "oidc.yml").read_text())


def test_everything_that_sign_in_needs_is_asked_for():
    gateway = FILE["services"]["gateway"]
    named = {
        name.removeprefix("TRABECULA_").lower() for name in (*gateway["environment"], *map(str.upper, FILE["secrets"]))
    }
    assert set(OIDC_NEEDS) <= named <= set(GatewaySettings.model_fields)
    for name in OIDC_NEEDS:
        value = gateway["environment"].get(f"TRABECULA_{name.upper()}", ":?")
        assert ":?" in value, f"{name} has to be said"
    assert "trabecula_oidc_client_secret" in gateway["secrets"], "and no secret stands in the environment"
