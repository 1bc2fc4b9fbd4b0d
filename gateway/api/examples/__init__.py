"""What the OpenAPI page shows."""
