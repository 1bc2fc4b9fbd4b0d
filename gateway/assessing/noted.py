"""What the operator's commands note in the state folder: when the last backup was made, and when one was last tried."""

import datetime as dt
import json
from typing import Any, Literal

from gateway.platform.clock import now
from gateway.platform.owner_only import replace_file
from gateway.settings import GatewaySettings

Noted = Literal["last_backup", "last_restore_drill"]


def note(settings: GatewaySettings, what: Noted, **about: Any) -> None:
    """Note that something was done now, and what there is to say about it."""
    replace_file(settings.state_dir / what, json.dumps({"at": now().isoformat(), **about}))


def noted(settings: GatewaySettings, what: Noted) -> dict[str, Any] | None:
    """What was noted last, with `at` as a time; null where nothing was."""
    try:
        found = json.loads((settings.state_dir / what).read_text())
        return {**found, "at": dt.datetime.fromisoformat(found["at"])}
    except (OSError, ValueError, KeyError, TypeError):
        return None
