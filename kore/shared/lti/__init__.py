"""Reads LTI 1.3 launches, for the hub and the service: claims, identity, roles."""
