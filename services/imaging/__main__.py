"""`python -m services.imaging --port N`: this service alone, as its container starts it."""

from services.imaging.app import create_app
from services.imaging.settings import Settings
from shared.serving import start_service

if __name__ == "__main__":
    start_service("imaging", Settings, create_app)
