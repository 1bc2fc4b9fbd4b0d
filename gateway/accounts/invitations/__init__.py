"""Places for staff, and for patients whom the hospital knows already."""
