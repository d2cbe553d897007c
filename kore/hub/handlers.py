"""The three steps of a launch through the hub, and the pages that take its place.

1. The LMS sends the browser here to begin (OpenID Connect core, section 4); we send it on to
   the LMS's authorization endpoint with a state and a nonce.
2. The LMS lets the browser post an id_token, which is verified.
3. The browser comes in by a plain redirect to ourselves: ``kore.hub.login_finish``.
"""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

from jupyterhub.handlers.base import BaseHandler
from jupyterhub.handlers.login import LoginHandler
from jupyterhub.utils import url_path_join
from tornado.httputil import url_concat

from kore.hub import pages, pending_logins, tokens
from kore.hub.pending_logins import VerifiedLaunch
from kore.hub.platforms import Platform
from kore.hub.refusals import SIGN_IN, Reason, Refusal, Words, new_reference, shown
from kore.shared.lti.claims import ClaimError, Launch, clean_text, clean_url

_MAX_ARGUMENT = 4096
SEE_OTHER = 303
_BAD_REQUEST, _METHOD_NOT_ALLOWED, _SERVER_ERROR = 400, 405, 500


class PageHandler(BaseHandler):  # type: ignore[misc]
    """A handler whose every failure is a page for a person."""

    allowed = "GET"

    def check_xsrf_cookie(self) -> None:
        """Let posts from other sites in: that is what a launch is. State and nonce guard it."""

    def show(self, words: Words, **parts: str) -> None:
        """Finish with a page."""
        page, policy = pages.render(words, **parts)
        self.set_status(words.status)
        own = self._headers.get("Content-Security-Policy", "")
        self.set_header("Content-Security-Policy", f"{own}; {policy}" if own else policy)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("X-Content-Type-Options", "nosniff")
        if words.status == _METHOD_NOT_ALLOWED:
            self.set_header("Allow", self.allowed)
        self.finish(page)

    def refuse(self, refusal: Refusal) -> None:
        """Finish with the page of a refusal; the log gets the reason."""
        reference = new_reference()
        self.log.warning("%s", refusal.log_line(reference))
        self.show(
            refusal.reason.value,
            reference=reference,
            back=self._way_back(refusal),
            lms_words=refusal.lms_words,
        )

    def _way_back(self, refusal: Refusal) -> str:
        home = refusal.home_url or self.authenticator.home_url
        return refusal.return_url or clean_url(home) or ""

    def write_error(self, status_code: int, **_: Any) -> None:
        """Answer what was not foreseen with a page as well (the hub logs the trace)."""
        if status_code == _METHOD_NOT_ALLOWED:
            self.refuse(Refusal(Reason.METHOD, f"{self.request.method} is not for this address"))
        elif _BAD_REQUEST <= status_code < _SERVER_ERROR:
            self.refuse(Refusal(Reason.MALFORMED, "the request cannot be read"))
        else:
            self.db.rollback()
            self.refuse(Refusal(Reason.BROKEN, "an error inside the hub, see the trace above"))

    @property
    def origin(self) -> tuple[str, str]:
        """Scheme and host as the browser sees them."""
        public = self.public_url
        if public:
            return public.scheme, public.netloc
        return self.authenticator.get_uri_scheme(self.request), self.request.host

    @property
    def _cookie_reach(self) -> dict[str, Any]:
        """How a login's cookie travels: below ours, and along with posts from the LMS's site.

        Over http, ``SameSite=None`` is not to be had. Leaving the attribute out then reaches
        further than ``Lax``: browsers send a cookie this young with a post from another site.
        """
        reach: dict[str, Any] = {"path": url_path_join(self.hub.base_url, "lti13/")}
        if self.origin[0] == "https":
            reach |= {"secure": True, "samesite": "None"}
        return reach

    def begun_login(self, state: str) -> Platform | None:
        """Return the platform of a login that this browser began, None if it did not."""
        value = self.get_secure_cookie(
            pending_logins.cookie_name(state), max_age_days=pending_logins.LIFETIME / 86400
        )
        registration = pending_logins.read_cookie(value, state)
        return self.authenticator.platform(*registration) if registration else None

    def end_login(self, state: str) -> None:
        """Take the cookie of a login back."""
        self.clear_cookie(pending_logins.cookie_name(state), **self._cookie_reach)


class LoginInitHandler(PageHandler):
    """Step 1: third-party initiated login (LTI 1.3 core, 4.1)."""

    allowed = "GET, POST"

    def get(self) -> None:
        """Send the browser to the LMS that began the login, to be told who it is."""
        try:
            self._begin()
        except Refusal as refusal:
            self.refuse(refusal)

    def post(self) -> None:
        """Do as for GET: platforms use either."""
        self.get()

    def _begin(self) -> None:
        issuer, login_hint = self._argument("iss"), self._argument("login_hint")
        if not issuer and not login_hint:
            raise Refusal(Reason.BY_HAND, "the address to begin a login was opened by hand")
        for name, value in (("iss", issuer), ("login_hint", login_hint)):
            if not value:
                raise Refusal(Reason.INCOMPLETE_START, f"the login was begun without {name}")
        target = self._argument("target_link_uri")
        if clean_url(target) is None:
            raise Refusal(
                Reason.INCOMPLETE_START,
                f"the login was begun with target_link_uri {shown(target)}, no http(s) URL",
            )
        platform = self.authenticator.platform(issuer, self._argument("client_id"))
        state = pending_logins.new_state()
        scheme, host = self.origin
        question = {
            "response_type": "id_token",
            "response_mode": "form_post",
            "scope": "openid",
            "prompt": "none",
            "client_id": platform.client_id,
            "redirect_uri": f"{scheme}://{host}{self.authenticator.callback_url(self.hub.base_url)}",
            "login_hint": login_hint,
            "state": state,
            "nonce": pending_logins.nonce_of(state, self.settings["cookie_secret"]),
        }
        if message_hint := self._argument("lti_message_hint"):
            question["lti_message_hint"] = message_hint
        self._give_up_oldest()
        self._set_cookie(
            pending_logins.cookie_name(state),
            pending_logins.cookie_value(state, platform),
            expires_days=None,
            max_age=pending_logins.LIFETIME,
            **self._cookie_reach,
        )
        self.set_header("Cache-Control", "no-store")
        self.redirect(url_concat(platform.authorize_url, question), status=SEE_OTHER)

    def _argument(self, name: str) -> str:
        value = str(self.get_argument(name, "", strip=False))
        if len(value) > _MAX_ARGUMENT:
            raise Refusal(
                Reason.INCOMPLETE_START, f"the login was begun with {len(value)} digits of {name}"
            )
        return value

    def _give_up_oldest(self) -> None:
        """Keep the request headers of a browser bounded that begins and never ends logins."""
        begun = [name for name in self.cookies if name.startswith(pending_logins.COOKIE_PREFIX)]
        for name in begun[: max(0, len(begun) - pending_logins.MAX_IN_BROWSER + 1)]:
            self.clear_cookie(name, **self._cookie_reach)


class CallbackHandler(PageHandler):
    """Step 2: the LMS's answer (OpenID Connect core, 3.2.2.5, as a form post)."""

    allowed = "POST"

    async def post(self) -> None:
        """Verify the answer and send the browser on to the last step."""
        state = str(self.get_body_argument("state", ""))
        try:
            verified = await self._verified(state)
        except Refusal as refusal:
            if pending_logins.is_state(state):
                self.end_login(state)
            self.refuse(refusal)
            return
        self.authenticator.logins.hold(state, verified)
        self.set_header("Cache-Control", "no-store")
        enter = self.authenticator.enter_url(self.hub.base_url)
        self.redirect(f"{enter}?{urlencode({'state': state})}", status=SEE_OTHER)

    async def _verified(self, state: str) -> VerifiedLaunch:
        error = self._error()
        if not state:
            said = f" (the LMS answered with the error {shown(error, 60)})" if error else ""
            raise Refusal(Reason.NO_STATE, f"the LMS's answer has no state{said}")
        if not pending_logins.is_state(state):
            raise Refusal(Reason.NO_STATE, "the LMS's answer has a state that is not ours")
        platform = self.begun_login(state)
        if platform is None:
            if self.authenticator.logins.is_used(state):
                raise Refusal(Reason.USED_TWICE, "the id_token's login was used already")
            raise Refusal(
                Reason.OTHER_BROWSER, "the state belongs to no login begun in this browser"
            )
        if not self.authenticator.logins.use(state):
            raise Refusal(Reason.USED_TWICE, "the id_token's login was used already")
        try:
            if error:
                raise self._platform_error(error)
            return await self._launch(state, platform)
        except Refusal as refusal:
            refusal.home_url = platform.home_url
            raise

    def _error(self) -> str:
        return clean_text(self.get_body_argument("error", ""), 100)

    def _platform_error(self, error: str) -> Refusal:
        said = clean_text(self.get_body_argument("error_description", ""), 300)
        return Refusal(
            Reason.PLATFORM_ERROR,
            f"the LMS answered with the error {shown(error)}"
            + (f": {shown(said, 300)}" if said else ""),
            lms_words=said or error,
        )

    async def _launch(self, state: str, platform: Platform) -> VerifiedLaunch:
        token = str(self.get_body_argument("id_token", ""))
        if not token:
            raise Refusal(Reason.NO_TOKEN, "the LMS's answer has no id_token")
        kid = tokens.key_id(token)
        key = await self.authenticator.key_sets.key(platform.jwks_url, kid)
        claims = tokens.verified_claims(token, key)
        try:
            tokens.check_claims(
                claims,
                platform,
                nonce=pending_logins.nonce_of(state, self.settings["cookie_secret"]),
                now=time.time(),
                times=self.authenticator.times,
            )
            launch = self._read(claims, platform)
        except Refusal as refusal:
            presentation = claims.get(tokens.LTI + "launch_presentation")
            if isinstance(presentation, dict):
                refusal.return_url = clean_url(presentation.get("return_url"))
            refusal.sub = clean_text(claims.get("sub"))
            raise
        return VerifiedLaunch(claims, launch, platform)

    def _read(self, claims: dict[str, Any], platform: Platform) -> Launch:
        try:
            return Launch.from_claims(claims, client_id=platform.client_id)
        except ClaimError as error:
            raise Refusal(Reason.CLAIMS, f"a claim is not valid: {shown(str(error))}") from error


class SignInHandler(PageHandler, LoginHandler):  # type: ignore[misc]
    """The hub's own sign-in page: it explains, since only an LMS signs people in."""

    async def get(self) -> None:
        """Send people on who are signed in; tell others how to come in."""
        if self.current_user:
            await LoginHandler.get(self)
            return
        self.show(SIGN_IN, back=clean_url(self.authenticator.home_url) or "")

    async def post(self) -> None:
        """Refuse forms: whatever they say, it is not an LMS that says it."""
        self.refuse(Refusal(Reason.PASSWORD, "a form was sent to the sign-in page"))
