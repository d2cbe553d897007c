"""Assignments and problems of courses: found, looked at, and copied from one into another."""
