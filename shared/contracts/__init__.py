"""The pydantic models that travel between rooms; nothing else crosses a wall."""
