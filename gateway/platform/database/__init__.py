"""Engine, session and migrations; with the stores the only package that knows SQLAlchemy."""
