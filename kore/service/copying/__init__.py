"""Assignments and problems of courses: found, previewed, and copied from one into another."""
