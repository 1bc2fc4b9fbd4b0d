"""`python -m services.staging --port N`: this service alone, as its container starts it."""

from services.staging.app import create_app
from services.staging.settings import Settings
from shared.serving import start_service

if __name__ == "__main__":
    start_service("staging", Settings, create_app)
