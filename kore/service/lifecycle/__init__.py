"""Destructive changes to a whole course: reset, delete, restore, and what must hold before."""
