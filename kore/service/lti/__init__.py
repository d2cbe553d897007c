"""LTI 1.3 Advantage, the tool's side: the only part of the service that talks to an LMS.

``keys`` signs, ``client`` sends requests (``throttle`` limits them), ``tokens`` and ``ags``
are the LMS's services, and ``services`` keeps them for each platform. It knows neither courses
nor the database. ``kore.shared.lti`` reads launches.
"""
