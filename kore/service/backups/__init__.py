"""Backups of courses: created, stored, listed, read and deleted."""
