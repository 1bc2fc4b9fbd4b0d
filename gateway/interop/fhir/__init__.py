"""HL7 FHIR R4 (4.0.1): an assessment as resources, and resources as a clinical record. Plain dictionaries, no HTTP."""
