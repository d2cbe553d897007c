"""nbgrader's course directory on disk: the only package that knows what lies in it.

A course's folder belongs to its teachers, and everything in it may be hostile.
"""
