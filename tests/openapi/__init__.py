"""The OpenAPI document as tools of others see it; `make check-openapi` installs them."""
