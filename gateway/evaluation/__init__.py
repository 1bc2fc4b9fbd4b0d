"""A site's own evaluation: its films and its truth, read by its own services, and the report of how good they are."""
