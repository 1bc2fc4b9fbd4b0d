"""Patients: who they are to the hospital, their keys, and what is known of them over time."""
