"""The use cases: what people, hospital systems and the batch worker do. Nothing here knows HTTP."""
