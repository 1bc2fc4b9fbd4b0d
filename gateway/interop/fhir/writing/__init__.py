"""An assessment as FHIR resources."""
