"""Engine, session and migrations; with the repositories the only room that knows SQLAlchemy."""
