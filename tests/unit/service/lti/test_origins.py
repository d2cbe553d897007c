"""Which URLs are at a platform's hosts."""

from __future__ import annotations

import pytest

from kore.service.lti.origins import TrustedOrigins

MOODLE = TrustedOrigins("https://lms.example", "https://lms.example/mod/lti/token.php")
CANVAS = TrustedOrigins(
    "https://canvas.instructure.com",
    "https://sso.canvaslms.com/login/oauth2/token",
    ["https://sso.canvaslms.com/api/lti/authorize_redirect", "canvas.example.edu"],
)
LOCAL = TrustedOrigins(
    "http://127.0.0.1:9000", "http://127.0.0.1:9000/token", ["*.example.org:8443"]
)


@pytest.mark.parametrize(
    ("origins", "url"),
    [
        (MOODLE, "https://lms.example/mod/lti/services.php/2/lineitems/5/lineitem?type_id=1"),
        (MOODLE, "https://LMS.example:443/x"),
        (CANVAS, "https://school.instructure.com/api/lti/courses/1/line_items/2"),
        (CANVAS, "https://sso.canvaslms.com/api/lti/courses/1/line_items"),
        (CANVAS, "https://canvas.example.edu/api/lti/courses/1/line_items"),
        (LOCAL, "http://127.0.0.1:9000/lineitems"),
        (LOCAL, "https://a.b.example.org:8443/x"),
    ],
)
def test_services_at_the_platforms_hosts_are_trusted(origins, url):
    """Moodle's and Canvas's layouts, and hosts that an administrator named."""
    assert url in origins


@pytest.mark.parametrize(
    ("origins", "url"),
    [
        (MOODLE, "https://evil.example/x"),
        (MOODLE, "http://lms.example/x"),
        (MOODLE, "https://lms.example:8443/x"),
        (MOODLE, "https://lms.example.evil.example/x"),
        (MOODLE, "https://a.lms.example/x"),
        (MOODLE, "https://school.instructure.com/x"),
        (MOODLE, "https://lms.example@evil.example/x"),
        (MOODLE, "https://evil.example\\@lms.example/x"),
        (MOODLE, "https://evil.example#@lms.example/x"),
        (MOODLE, "ftp://lms.example/x"),
        (MOODLE, ""),
        (CANVAS, "https://instructure.com.evil.example/x"),
        (CANVAS, "https://evilinstructure.com/x"),
        (CANVAS, "http://school.instructure.com/x"),
        (LOCAL, "http://127.0.0.1:9001/lineitems"),
        (LOCAL, "https://example.org:8443/x"),
    ],
)
def test_other_hosts_ports_and_schemes_are_not(origins, url):
    """Neither another host, port or scheme, nor a URL that two parsers read differently."""
    assert url not in origins
