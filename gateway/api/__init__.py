"""The REST API: HTTP in and out, thin. It calls the same use cases as the pages and decides nothing."""
