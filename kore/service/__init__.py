"""Kore itself: the Flask service with its jobs, database, and LTI services."""
