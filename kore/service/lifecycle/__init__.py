"""Destructive changes to a whole course: restore, reset and delete, and what they require."""
