"""The pydantic models that travel between components; nothing else does."""
