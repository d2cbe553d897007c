"""Runs in people's and courses' own servers: exchange plug-in, formgrader, autograding.

Imports only ``kore.shared`` and ``kore.executor.protocol`` of Kore.
"""
