"""`python -m services.recommender --port N`: this service alone, as its container starts it."""

from services.recommender.app import create_app
from services.recommender.settings import Settings
from shared.serving import start_service

if __name__ == "__main__":
    start_service("recommender", Settings, create_app)
