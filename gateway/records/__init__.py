"""What is stored about patients, typed: assessments, renderings, measurements, alerts, batches, and trends."""
