"""`python -m services.clinical --port N`: this service alone, as its container starts it."""

from services.clinical.app import create_app
from services.clinical.settings import Settings
from shared.serving import start_service

if __name__ == "__main__":
    start_service("clinical", Settings, create_app)
