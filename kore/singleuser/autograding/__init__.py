"""Autograding in a course's server, with students' code run by the executor.

``extension`` takes the service's requests, ``batch`` grades one submission after the other,
``preprocessor`` sends each notebook away to be run, ``outputs`` is what is believed of an
answer.
"""
