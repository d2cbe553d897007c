"""Alembic's scripts, and what they need."""
