"""Grades on their way from nbgrader to the LMS.

``totals`` adds up how many points each student gets, ``plans`` compares that with what was
sent before, ``line_items`` finds the LMS's gradebook column, and ``sending`` is the job that
sends: ``tasks`` through a ``worker_pool`` of threads, recorded by ``progress``.
"""

from kore.service.grades.plans import preview
from kore.service.grades.sending import send

__all__ = ["preview", "send"]
