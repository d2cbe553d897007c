"""Why a launch is refused: what the person is told, and what the log says.

One entry a cause. The words of the page are fixed; the detail that goes with a refusal is
for the log alone, since it holds text from outside.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from enum import Enum, unique

_AGAIN = "Go back to your course in the LMS and open the activity again."
_ADMIN = "If it happens again, tell the people who run this service"


@dataclass(frozen=True)
class Words:
    """HTTP status (RFC 9110), and the page: heading, what happened, what to do."""

    status: int
    heading: str
    happened: str
    remedy: tuple[str, ...]


def _again(check: str) -> tuple[str, str]:
    return (_AGAIN, f"{_ADMIN}. They should check {check}.")


@unique
class Reason(Enum):
    """The causes. The name in lower case is what the log calls it."""

    # Before anything has begun.
    BY_HAND = Words(
        400,
        "Open Jupyter from your course",
        "This address is where your learning management system sends you. It cannot be "
        "opened by hand.",
        ("Go to your course in the LMS and click the Jupyter activity there.",),
    )
    METHOD = Words(
        405,
        "Open Jupyter from your course",
        "This address only takes what your learning management system sends. Reloading or "
        "bookmarking it does not work.",
        ("Go to your course in the LMS and click the Jupyter activity there.",),
    )
    INCOMPLETE_START = Words(
        400,
        "Your LMS began the sign-in incompletely",
        "Something that is needed to sign you in was missing from its request.",
        _again("how the tool is registered in the LMS (initiate login URL, tool URL)"),
    )
    UNKNOWN_ISSUER = Words(
        401,
        "This LMS is not connected here",
        "The sign-in came from a learning management system that this Jupyter service does "
        "not know.",
        (
            "Make sure that you opened the activity in the right LMS.",
            f"{_ADMIN}. They should compare the issuer in the LMS's tool settings with the "
            "configuration here, character by character.",
        ),
    )
    UNKNOWN_CLIENT = Words(
        401,
        "This LMS is not connected here",
        "The LMS is known, but not the registration (client id) that it named.",
        (
            _AGAIN,
            f"{_ADMIN}. They should compare the client id in the LMS's tool settings with "
            "the configuration here.",
        ),
    )
    # What the browser brings back.
    PLATFORM_ERROR = Words(
        403,
        "Your LMS did not sign you in",
        "It answered with an error instead of saying who you are.",
        (
            "Sign in to the LMS, go to your course and open the activity again.",
            f"{_ADMIN}. They should check the tool's settings in the LMS.",
        ),
    )
    NO_STATE = Words(
        400,
        "The sign-in came back incomplete",
        "The LMS did not return the mark (state) that tells which sign-in this is.",
        _again("the tool's redirect URI in the LMS"),
    )
    OTHER_BROWSER = Words(
        403,
        "This sign-in was not begun here",
        "It was begun in another browser, it took longer than ten minutes, or this browser "
        "keeps no cookies for this site.",
        (
            _AGAIN,
            "If that does not help, allow cookies for this site, or let the activity open in "
            "a new window instead of inside the LMS's page.",
        ),
    )
    USED_TWICE = Words(
        403,
        "This sign-in was used already",
        "Each sign-in works once. That happens when a page is reloaded or when you go back.",
        (_AGAIN,),
    )
    NO_TOKEN = Words(
        400,
        "The sign-in came back incomplete",
        "The LMS did not say who you are (there was no id_token).",
        _again("the tool's redirect URI in the LMS"),
    )
    # The token itself.
    MALFORMED = Words(
        400,
        "The sign-in could not be read",
        "What the LMS sent is not a valid token.",
        _again("that the LMS speaks LTI 1.3"),
    )
    UNSIGNED = Words(
        401,
        "The sign-in is not signed",
        "The LMS must sign what it says about you, and this was not signed.",
        _again("that the LMS signs with RS256"),
    )
    ALGORITHM = Words(
        401,
        "The sign-in is signed in a way that is not accepted",
        "Only signatures of the kind RS256 are accepted.",
        _again("that the LMS signs with RS256"),
    )
    UNKNOWN_KEY = Words(
        401,
        "The sign-in's signature could not be checked",
        "It was made with a key that the LMS does not publish.",
        (
            "Wait half a minute, then open the activity in your course again.",
            f"{_ADMIN}. They should check the address of the LMS's key set (JWKS) in the "
            "configuration here.",
        ),
    )
    KEYS_UNREACHABLE = Words(
        503,
        "Your LMS could not be asked for its keys",
        "Without them, nobody can be signed in. The LMS may be busy or restarting.",
        (
            "Wait a minute, then open the activity in your course again.",
            f"{_ADMIN}. They should check that this service reaches the address of the LMS's "
            "key set (JWKS).",
        ),
    )
    SIGNATURE = Words(
        401,
        "The sign-in's signature is wrong",
        "It does not belong to the LMS, or it was changed on its way.",
        _again("the address of the LMS's key set (JWKS) in the configuration here"),
    )
    ISSUER = Words(
        401,
        "The sign-in comes from another LMS",
        "It was begun by one learning management system and answered by another.",
        _again("the issuer in the configuration here"),
    )
    AUDIENCE = Words(
        401,
        "The sign-in is meant for another service",
        "The LMS issued it for a different tool.",
        _again("the client id in the configuration here"),
    )
    AUTHORIZED_PARTY = Words(
        401,
        "The sign-in is meant for another service",
        "Several tools are named in it, and the one that may use it is not this one.",
        _again("the client id in the configuration here"),
    )
    EXPIRED = Words(
        401,
        "The sign-in took too long",
        "What the LMS says about you is valid for a short time only, and that time is over.",
        _again("that the clocks of the LMS and of this service agree"),
    )
    TOO_OLD = Words(
        401,
        "The sign-in took too long",
        "The LMS wrote it too long ago.",
        _again("that the clocks of the LMS and of this service agree"),
    )
    FUTURE = Words(
        401,
        "The clocks do not agree",
        "By the clock of this service, the LMS signed you in at a time that is still to come.",
        _again("that the clocks of the LMS and of this service agree"),
    )
    NO_NONCE = Words(
        401,
        "The sign-in came back incomplete",
        "The mark that makes it usable only once (nonce) is missing.",
        _again("that the LMS speaks LTI 1.3"),
    )
    NONCE = Words(
        401,
        "The sign-in belongs to another one",
        "It does not carry the mark (nonce) that this browser was given.",
        (_AGAIN,),
    )
    # What it says.
    VERSION = Words(
        400,
        "This version of LTI is not supported",
        "The LMS must use LTI 1.3.",
        _again("that the tool is set up as LTI 1.3 in the LMS"),
    )
    DEEP_LINKING = Words(
        422,
        "Choosing content is not offered yet",
        "The LMS asked this service for a list of content to choose from (deep linking).",
        (
            "Close this page and save the activity without choosing content: opening it "
            "starts Jupyter.",
        ),
    )
    MESSAGE_TYPE = Words(
        400,
        "The LMS asked for something that is not offered",
        "This service opens activities of a course, and the LMS asked for something else.",
        _again("which kind of placement is set up in the LMS"),
    )
    DEPLOYMENT = Words(
        403,
        "This deployment is not connected here",
        "The LMS is known, but not the place in it (deployment) where the tool was added.",
        (
            f"{_ADMIN.replace('If it happens again, tell', 'Tell')}. They should add the "
            "deployment id that the log names to the configuration, if it is theirs.",
        ),
    )
    NO_DEPLOYMENT = Words(
        400,
        "The sign-in came back incomplete",
        "The LMS did not say where the tool was added (deployment id).",
        _again("that the tool is set up as LTI 1.3 in the LMS"),
    )
    NO_RESOURCE_LINK = Words(
        400,
        "The LMS did not say which activity this is",
        "Jupyter has to be opened from an activity of a course.",
        (
            "Go to your course in the LMS and open a Jupyter activity there.",
            f"{_ADMIN}. They should check that the tool is added as an activity, not as a "
            "menu entry.",
        ),
    )
    NO_SUB = Words(
        400,
        "The LMS did not say who you are",
        "This service cannot be used anonymously.",
        (
            "Sign in to the LMS with your own account, go to your course and open the "
            "activity again.",
            f"{_ADMIN}. They should check the tool's privacy settings in the LMS.",
        ),
    )
    CLAIMS = Words(
        400,
        "The sign-in could not be used",
        "Something in what the LMS says about the activity is not valid.",
        _again("what the log says about this sign-in"),
    )
    NOT_ALLOWED = Words(
        403,
        "You are not allowed to use this service",
        "Your LMS signed you in, but your account is locked here.",
        ("Ask the people who run this service why.",),
    )
    # Not a launch.
    PASSWORD = Words(
        403,
        "Open Jupyter from your course",
        "Nobody signs in here with a name and a password.",
        ("Go to your course in the LMS and click the Jupyter activity there.",),
    )
    BROKEN = Words(
        500,
        "Something went wrong here",
        "It is not your fault.",
        (
            "Wait a minute, then open the activity in your course again.",
            "If it happens again, tell the people who run this service.",
        ),
    )


# The hub's sign-in page: not a launch, and nothing wrong either.
SIGN_IN = Words(
    200,
    "Open Jupyter from your course",
    "You are not signed in here. Your learning management system does that for you.",
    (
        "Go to your course in the LMS and click the Jupyter activity there.",
        "If you were working here before, your session has ended: your files are still there.",
    ),
)


class Refusal(Exception):
    """A launch that ends on a page.

    ``detail`` is one line for the log. ``sub``, ``return_url`` and ``lms_words`` are filled
    in once it is known that they come from the LMS (``return_url``, ``sub``: verified) or
    at least belong to a login that this browser began (``lms_words``).
    """

    def __init__(self, reason: Reason, detail: str = "", *, lms_words: str = "") -> None:
        super().__init__(detail or reason.name.lower())
        self.reason = reason
        self.detail = detail
        self.lms_words = lms_words
        self.sub = ""
        self.return_url: str | None = None
        self.home_url = ""

    def log_line(self, reference: str) -> str:
        """Return the one line that the log gets."""
        line = f"Launch refused [{reference}] {self.reason.name.lower()}"
        if self.detail:
            line += f": {self.detail}"
        return f"{line} (sub {shown(self.sub)})" if self.sub else line


def new_reference() -> str:
    """Return what page and log line share: short enough to be read out on the phone."""
    digits = secrets.token_hex(4).upper()
    return f"{digits[:4]}-{digits[4:]}"


def shown(value: object, limit: int = 100) -> str:
    """Return text from outside as the log may show it: one line, ASCII, in quotes, short."""
    text = value if isinstance(value, str) else repr(value)
    return ascii(text if len(text) <= limit else f"{text[:limit]}...")
