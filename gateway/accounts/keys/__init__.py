"""Hospital systems and their API keys."""
