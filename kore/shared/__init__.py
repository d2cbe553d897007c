"""What every process of Kore knows: ids, names, roles, launch claims, file helpers.

Imports nothing else of Kore.
"""
