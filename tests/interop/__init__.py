"""FHIR as validators of others see it; `make check-interop` installs them."""
