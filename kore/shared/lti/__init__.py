"""LTI 1.3 launches as hub and service both read them: claims, identity, roles."""
