"""What a clinic should look at: follow-ups that are due or overdue, and patients who got worse."""
