"""The `trabecula` command: running, access, upkeep, the rules, FHIR and the audit trail."""

from gateway.cli.main import app, main

__all__ = ["app", "main"]
