"""Kore's state in a database: SQLite by default, PostgreSQL by URL.

``models`` has the tables, ``engine`` opens the database and brings it up to date.
"""
