"""Grades on their way from nbgrader to the LMS.

``totals`` says who gets how many points (``coursedir.progress`` what waits for grading), ``plans``
compares that with what was sent before, ``columns`` finds the LMS's column, and ``sending``
is the job that sends: ``tasks`` through a ``crew`` of threads, written down by ``ledger``.
"""

from kore.service.grades.plans import preview
from kore.service.grades.sending import send

__all__ = ["preview", "send"]
