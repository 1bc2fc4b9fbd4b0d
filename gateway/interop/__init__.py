"""Translations of an assessment for other systems, and of their records for us. Nothing here scores or decides."""
