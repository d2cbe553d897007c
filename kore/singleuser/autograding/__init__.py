"""Autograding in a course's server, with students' code run by the executor.

``extension`` accepts the service's requests, ``batch`` grades one submission after another,
``preprocessor`` sends each notebook to the executor, ``outputs`` validates its answer.
"""
