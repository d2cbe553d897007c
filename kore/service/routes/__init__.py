"""Kore's routes. Each names its guard, validates, calls one function, and renders."""
