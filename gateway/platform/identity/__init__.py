"""People, hospital systems, their credentials and what these may do."""
