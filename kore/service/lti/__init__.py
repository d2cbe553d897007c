"""LTI 1.3 Advantage, the tool's side: the only part of Kore that knows an LMS.

``claims``, ``roles`` and ``identity`` read a launch, ``keys`` signs, ``http`` is the
careful way out, ``tokens`` and ``ags`` are the LMS's services, ``services`` keeps one set
of them for each platform.
"""
