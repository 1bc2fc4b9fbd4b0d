"""Everything that is stored about one patient, read together."""
