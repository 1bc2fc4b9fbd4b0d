"""Training of the joint finder."""
