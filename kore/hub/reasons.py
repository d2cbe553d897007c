"""The reasons for refusing a launch, each with the page that a person sees.

The text of a page is fixed: details from outside go only to the log (``kore.hub.refusals``).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, unique

_TRY_AGAIN = "Go back to your course in the LMS and open the activity again."
OPEN_ACTIVITY = "Go to your course in the LMS and select the Jupyter activity."
_CONTACT = "If this happens again, contact the administrators of this service."


@dataclass(frozen=True)
class PageText:
    """A page: HTTP status (RFC 9110), heading, what happened, what to do."""

    status: int
    heading: str
    explanation: str
    steps: tuple[str, ...]


def _check(subject: str) -> tuple[str, str]:
    return (_TRY_AGAIN, f"{_CONTACT} They should check {subject}.")


@unique
class Reason(Enum):
    """The reasons. A reason's name in lower case is its code in the log."""

    # Before a login starts.
    BY_HAND = PageText(
        400,
        "Open Jupyter from your course",
        "This address is only for your learning management system (LMS). You cannot open it "
        "directly.",
        (OPEN_ACTIVITY,),
    )
    METHOD = PageText(
        405,
        "Open Jupyter from your course",
        "This address only accepts what your learning management system (LMS) sends. Reloading "
        "it or opening it from a bookmark does not work.",
        (OPEN_ACTIVITY,),
    )
    INCOMPLETE_START = PageText(
        400,
        "Your LMS sent an incomplete request",
        "The request lacks information that is needed to sign you in.",
        _check("how the tool is registered in the LMS (initiate login URL, tool URL)"),
    )
    UNKNOWN_ISSUER = PageText(
        401,
        "This LMS is not connected to this service",
        "The sign-in request came from a learning management system (LMS) that this Jupyter "
        "service does not know.",
        (
            "Check that you opened the activity in the right LMS.",
            f"{_CONTACT} They should compare the issuer in the LMS's tool settings with the "
            "configuration of this service, character by character.",
        ),
    )
    UNKNOWN_CLIENT = PageText(
        401,
        "This LMS is not connected to this service",
        "This service knows the LMS, but not the registration (client ID) in its request.",
        (
            _TRY_AGAIN,
            f"{_CONTACT} They should compare the client ID in the LMS's tool settings with the "
            "configuration of this service.",
        ),
    )
    # What the browser brings back.
    PLATFORM_ERROR = PageText(
        403,
        "Your LMS did not sign you in",
        "The LMS returned an error instead of saying who you are.",
        (
            "Sign in to the LMS, go to your course and open the activity again.",
            f"{_CONTACT} They should check the tool's settings in the LMS.",
        ),
    )
    NO_STATE = PageText(
        400,
        "Your LMS sent an incomplete answer",
        "The LMS did not return the value that identifies this sign-in (state).",
        _check("the tool's redirect URI in the LMS"),
    )
    OTHER_BROWSER = PageText(
        403,
        "This browser did not start this sign-in",
        "The sign-in was started in another browser, it took longer than ten minutes, or this "
        "browser does not accept cookies from this site.",
        (
            _TRY_AGAIN,
            "If that does not help, allow cookies for this site, or open the activity in a new "
            "window instead of inside the LMS's page.",
        ),
    )
    USED_TWICE = PageText(
        403,
        "This sign-in has already been used",
        "Each sign-in works only once. This happens when you reload a page or go back.",
        (_TRY_AGAIN,),
    )
    NO_TOKEN = PageText(
        400,
        "Your LMS sent an incomplete answer",
        "The LMS did not say who you are (the id_token is missing).",
        _check("the tool's redirect URI in the LMS"),
    )
    # The token itself.
    MALFORMED = PageText(
        400,
        "The sign-in could not be read",
        "The LMS did not send a valid token.",
        _check("that the LMS uses LTI 1.3"),
    )
    UNSIGNED = PageText(
        401,
        "The sign-in is not signed",
        "The LMS must sign what it says about you, but the signature is missing.",
        _check("that the LMS signs with RS256"),
    )
    ALGORITHM = PageText(
        401,
        "The sign-in has an unsupported signature",
        "This service only accepts RS256 signatures.",
        _check("that the LMS signs with RS256"),
    )
    UNKNOWN_KEY = PageText(
        401,
        "The signature could not be verified",
        "The sign-in was signed with a key that the LMS does not publish.",
        (
            "Wait half a minute, then open the activity in your course again.",
            f"{_CONTACT} They should check the URL of the LMS's key set (JWKS) in the "
            "configuration of this service.",
        ),
    )
    KEYS_UNREACHABLE = PageText(
        503,
        "Could not get the keys of your LMS",
        "Nobody can sign in without them. The LMS may be busy or restarting.",
        (
            "Wait a minute, then open the activity in your course again.",
            f"{_CONTACT} They should check that this service can reach the URL of the LMS's key "
            "set (JWKS).",
        ),
    )
    SIGNATURE = PageText(
        401,
        "The signature is wrong",
        "The sign-in does not come from the LMS, or it was changed on the way.",
        _check("the URL of the LMS's key set (JWKS) in the configuration of this service"),
    )
    ISSUER = PageText(
        401,
        "The sign-in comes from another LMS",
        "One learning management system (LMS) started the sign-in, and another one answered.",
        _check("the issuer in the configuration of this service"),
    )
    AUDIENCE = PageText(
        401,
        "The sign-in is for another service",
        "The LMS issued it for a different tool.",
        _check("the client ID in the configuration of this service"),
    )
    AUTHORIZED_PARTY = PageText(
        401,
        "The sign-in is for another service",
        "It names several tools, and this service is not the one that may use it.",
        _check("the client ID in the configuration of this service"),
    )
    EXPIRED = PageText(
        401,
        "The sign-in took too long",
        "The LMS's answer is valid only for a short time, and it has expired.",
        _check("that the clocks of the LMS and of this service agree"),
    )
    TOO_OLD = PageText(
        401,
        "The sign-in took too long",
        "The LMS wrote its answer too long ago.",
        _check("that the clocks of the LMS and of this service agree"),
    )
    FUTURE = PageText(
        401,
        "The clocks do not agree",
        "By the clock of this service, the LMS's answer comes from the future.",
        _check("that the clocks of the LMS and of this service agree"),
    )
    NO_NONCE = PageText(
        401,
        "Your LMS sent an incomplete answer",
        "The value that makes a sign-in usable only once (nonce) is missing.",
        _check("that the LMS uses LTI 1.3"),
    )
    NONCE = PageText(
        401,
        "The answer belongs to another sign-in",
        "It does not have the value that this browser was given (nonce).",
        (_TRY_AGAIN,),
    )
    # What the token says.
    VERSION = PageText(
        400,
        "This version of LTI is not supported",
        "The LMS must use LTI 1.3.",
        _check("that the tool is set up as LTI 1.3 in the LMS"),
    )
    DEEP_LINKING = PageText(
        422,
        "Choosing content is not supported yet",
        "The LMS asked this service for a list of content to choose from (deep linking).",
        (
            "Close this page and save the activity without choosing content. Opening the "
            "activity starts Jupyter.",
        ),
    )
    MESSAGE_TYPE = PageText(
        400,
        "The LMS asked for something that is not supported",
        "This service opens activities of a course, but the LMS asked for something else.",
        _check("the placement of the tool in the LMS"),
    )
    DEPLOYMENT = PageText(
        403,
        "This deployment is not connected to this service",
        "This service knows the LMS, but not the place in it where the tool was added "
        "(deployment).",
        (
            "Contact the administrators of this service. If the deployment is theirs, they "
            "should add its ID, which is in the log, to the configuration.",
        ),
    )
    NO_DEPLOYMENT = PageText(
        400,
        "Your LMS sent an incomplete answer",
        "The LMS did not say where the tool was added (deployment ID).",
        _check("that the tool is set up as LTI 1.3 in the LMS"),
    )
    NO_RESOURCE_LINK = PageText(
        400,
        "The LMS did not say which activity this is",
        "Jupyter must be opened from an activity of a course.",
        (
            "Go to your course in the LMS and open a Jupyter activity.",
            f"{_CONTACT} They should check that the tool is added as an activity, not as a menu "
            "item.",
        ),
    )
    NO_SUB = PageText(
        400,
        "The LMS did not say who you are",
        "You cannot use this service anonymously.",
        (
            "Sign in to the LMS with your own account, go to your course and open the activity "
            "again.",
            f"{_CONTACT} They should check the tool's privacy settings in the LMS.",
        ),
    )
    CLAIMS = PageText(
        400,
        "The sign-in could not be used",
        "The LMS sent invalid information about you or the activity.",
        _check("what the log says about this sign-in"),
    )
    NOT_ALLOWED = PageText(
        403,
        "You are not allowed to use this service",
        "Your LMS signed you in, but your account is blocked here.",
        ("Ask the administrators of this service for the reason.",),
    )
    # Not a launch.
    PASSWORD = PageText(
        403,
        "Open Jupyter from your course",
        "You cannot sign in here with a name and a password.",
        (OPEN_ACTIVITY,),
    )
    BROKEN = PageText(
        500,
        "Something went wrong",
        "An error occurred in this service. It is not your fault.",
        (
            "Wait a minute, then open the activity in your course again.",
            _CONTACT,
        ),
    )
