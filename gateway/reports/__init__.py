"""The report of an assessment as PDF: one page for the patient, one for the clinician."""
