"""Courses: how they come to be, how they are set up, and how their people see them.

``launches`` records what an LMS sends, ``provision`` sets courses up in the hub and in
nbgrader, ``listing`` shows them.
"""
