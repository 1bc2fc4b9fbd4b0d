"""CDS Hooks 2.0.1: cards for a clinician's record system, from what the record system sends. Nothing here decides."""
