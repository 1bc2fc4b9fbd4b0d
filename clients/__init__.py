"""Clients of the API, made of its OpenAPI document."""
