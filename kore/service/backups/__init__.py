"""Backups of courses: taken, kept, looked into, and brought back."""
