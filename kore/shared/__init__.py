"""Shared by all processes of Kore: ids, names, roles, launch claims, file helpers.

Imports nothing else of Kore.
"""
