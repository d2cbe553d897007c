"""Ananke: the manager of Jupyter hubs for teaching, and its demo on one machine."""

__version__ = "0.6.0.dev0"
