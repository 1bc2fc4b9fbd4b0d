"""A small typed client for Trabecula's API."""

from trabecula_client.api import Client
from trabecula_client.transport import Problem
from trabecula_client.webhooks import is_genuine

__all__ = ["Client", "Problem", "is_genuine"]
