"""FHIR resources of a hospital system as a clinical record, with a list of what was used and what was not, and why."""
