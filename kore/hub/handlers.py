"""Handles the steps of a launch, and shows pages when it fails.

1. The LMS sends the browser here to start a login (OpenID Connect core, section 4); it is
   redirected to the LMS's authorization endpoint with a state and a nonce.
2. The LMS lets the browser post an id_token, which is verified.
3. The browser follows a redirect to the last step: ``kore.hub.login_finish``.
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
from kore.hub.reasons import PageText, Reason
from kore.hub.refusals import Refusal, new_reference, quote_untrusted
from kore.shared.lti.claims import ClaimError, Launch, clean_text, clean_url

_MAX_ARGUMENT = 4096
SEE_OTHER = 303
_BAD_REQUEST, _METHOD_NOT_ALLOWED, _SERVER_ERROR = 400, 405, 500


class PageHandler(BaseHandler):  # type: ignore[misc]
    """A handler that answers every failure with a page for people."""

    allowed = "GET"

    def check_xsrf_cookie(self) -> None:
        """Accept posts from other sites, as a launch is one. State and nonce protect it."""

    def show_page(self, text: PageText, **parts: str) -> None:
        """Finish with a page."""
        page, policy = pages.render_page(text, **parts)
        self.set_status(text.status)
        headers = self.settings.get("headers", {})
        own = headers.get("Content-Security-Policy", self.content_security_policy)
        self.set_header("Content-Security-Policy", f"{own}; {policy}" if own else policy)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Referrer-Policy", "no-referrer")
        self.set_header("X-Content-Type-Options", "nosniff")
        if text.status == _METHOD_NOT_ALLOWED:
            self.set_header("Allow", self.allowed)
        self.finish(page)

    def refuse(self, refusal: Refusal) -> None:
        """Finish with the page of a refusal, and log the reason."""
        reference = new_reference()
        self.log.warning("%s", refusal.log_line(reference))
        self.show_page(
            refusal.reason.value,
            reference=reference,
            back=self._return_url(refusal),
            lms_message=refusal.lms_message,
        )

    def _return_url(self, refusal: Refusal) -> str:
        home = refusal.home_url or self.authenticator.home_url
        return refusal.return_url or clean_url(home) or ""

    def write_error(self, status_code: int, **_: Any) -> None:
        """Answer unexpected errors with a page as well (the hub logs the traceback)."""
        if status_code == _METHOD_NOT_ALLOWED:
            self.refuse(Refusal(Reason.METHOD, f"this URL does not accept {self.request.method}"))
        elif _BAD_REQUEST <= status_code < _SERVER_ERROR:
            self.refuse(Refusal(Reason.MALFORMED, "cannot read the request"))
        else:
            self.db.rollback()
            self.refuse(Refusal(Reason.BROKEN, "an error in the hub, see the traceback above"))

    @property
    def origin(self) -> tuple[str, str]:
        """Scheme and host by which the browser reached the hub."""
        public = self.public_url
        if public:
            return public.scheme, public.netloc
        return self.authenticator.get_uri_scheme(self.request), self.request.host

    @property
    def _cookie_attributes(self) -> dict[str, Any]:
        """Attributes of a login's cookie: browsers must send it with posts from the LMS's site.

        Over http, ``SameSite=None`` is impossible. Omitting the attribute is then better than
        ``Lax``: browsers send a cookie this young with a post from another site.
        """
        attributes: dict[str, Any] = {"path": url_path_join(self.hub.base_url, "lti13/")}
        if self.origin[0] == "https":
            attributes |= {"secure": True, "samesite": "None"}
        return attributes

    def find_login(self, state: str) -> Platform | None:
        """Return the platform of a login that this browser started, None if it did not."""
        value = self.get_signed_cookie(
            pending_logins.cookie_name(state), max_age_days=pending_logins.LIFETIME / 86400
        )
        registration = pending_logins.read_cookie(value, state)
        return self.authenticator.find_platform(*registration) if registration else None

    def clear_login(self, state: str) -> None:
        """Remove the cookie of a login."""
        self.clear_cookie(pending_logins.cookie_name(state), **self._cookie_attributes)


class LoginStartHandler(PageHandler):
    """Step 1: third-party initiated login (LTI 1.3 core, 4.1)."""

    allowed = "GET, POST"

    def get(self) -> None:
        """Send the browser to the LMS that started the login, to learn who it is."""
        try:
            self._start()
        except Refusal as refusal:
            self.refuse(refusal)

    def post(self) -> None:
        """Do the same as for GET: platforms use either."""
        self.get()

    def _start(self) -> None:
        issuer, login_hint = self._argument("iss"), self._argument("login_hint")
        if not issuer and not login_hint:
            raise Refusal(Reason.BY_HAND, "the URL that starts a login was opened by hand")
        for name, value in (("iss", issuer), ("login_hint", login_hint)):
            if not value:
                raise Refusal(
                    Reason.INCOMPLETE_START, f"the request to start a login has no {name}"
                )
        target = self._argument("target_link_uri")
        if clean_url(target) is None:
            raise Refusal(
                Reason.INCOMPLETE_START,
                f"target_link_uri {quote_untrusted(target)} is not an http(s) URL",
            )
        platform = self.authenticator.find_platform(issuer, self._argument("client_id"))
        state = pending_logins.new_state()
        scheme, host = self.origin
        query = {
            "response_type": "id_token",
            "response_mode": "form_post",
            "scope": "openid",
            "prompt": "none",
            "client_id": platform.client_id,
            "redirect_uri": f"{scheme}://{host}{self.authenticator.callback_url(self.hub.base_url)}",
            "login_hint": login_hint,
            "state": state,
            "nonce": pending_logins.derive_nonce(state, self.settings["cookie_secret"]),
        }
        if message_hint := self._argument("lti_message_hint"):
            query["lti_message_hint"] = message_hint
        self._drop_oldest_cookies()
        self.set_signed_cookie(
            pending_logins.cookie_name(state),
            pending_logins.write_cookie(state, platform),
            expires_days=None,
            max_age=pending_logins.LIFETIME,
            httponly=True,
            **{**self.settings.get("cookie_options", {}), **self._cookie_attributes},
        )
        self.set_header("Cache-Control", "no-store")
        self.redirect(url_concat(platform.authorize_url, query), status=SEE_OTHER)

    def _argument(self, name: str) -> str:
        value = str(self.get_argument(name, "", strip=False))
        if len(value) > _MAX_ARGUMENT:
            raise Refusal(Reason.INCOMPLETE_START, f"{name} has {len(value)} characters")
        return value

    def _drop_oldest_cookies(self) -> None:
        """Limit the cookies of a browser that starts logins and never finishes them."""
        started = [name for name in self.cookies if name.startswith(pending_logins.COOKIE_PREFIX)]
        for name in started[: max(0, len(started) - pending_logins.MAX_IN_BROWSER + 1)]:
            self.clear_cookie(name, **self._cookie_attributes)


class CallbackHandler(PageHandler):
    """Step 2: the LMS's answer (OpenID Connect core, 3.2.2.5, as a form post)."""

    allowed = "POST"

    async def post(self) -> None:
        """Verify the answer and redirect the browser to the last step."""
        state = str(self.get_body_argument("state", ""))
        try:
            verified = await self._verify(state)
        except Refusal as refusal:
            if pending_logins.is_state(state):
                self.clear_login(state)
            self.refuse(refusal)
            return
        self.authenticator.pending_logins.hold(state, verified)
        self.set_header("Cache-Control", "no-store")
        finish = self.authenticator.finish_url(self.hub.base_url)
        self.redirect(f"{finish}?{urlencode({'state': state})}", status=SEE_OTHER)

    async def _verify(self, state: str) -> VerifiedLaunch:
        error = self._read_error()
        if not state:
            suffix = (
                f" (the LMS answered with the error {quote_untrusted(error, 60)})" if error else ""
            )
            raise Refusal(Reason.NO_STATE, f"the LMS's answer has no state{suffix}")
        if not pending_logins.is_state(state):
            raise Refusal(Reason.NO_STATE, "the LMS's answer has a state that is not ours")
        platform = self.find_login(state)
        if platform is None:
            if self.authenticator.pending_logins.is_used(state):
                raise Refusal(Reason.USED_TWICE, "the id_token's login was used before")
            raise Refusal(Reason.OTHER_BROWSER, "the state belongs to no login of this browser")
        if not self.authenticator.pending_logins.use(state):
            raise Refusal(Reason.USED_TWICE, "the id_token's login was used before")
        try:
            if error:
                raise self._lms_error(error)
            return await self._read_launch(state, platform)
        except Refusal as refusal:
            refusal.home_url = platform.home_url
            raise

    def _read_error(self) -> str:
        return clean_text(self.get_body_argument("error", ""), 100)

    def _lms_error(self, error: str) -> Refusal:
        description = clean_text(self.get_body_argument("error_description", ""), 300)
        return Refusal(
            Reason.PLATFORM_ERROR,
            f"the LMS answered with the error {quote_untrusted(error)}"
            + (f": {quote_untrusted(description, 300)}" if description else ""),
            lms_message=description or error,
        )

    async def _read_launch(self, state: str, platform: Platform) -> VerifiedLaunch:
        token = str(self.get_body_argument("id_token", ""))
        if not token:
            raise Refusal(Reason.NO_TOKEN, "the LMS's answer has no id_token")
        kid = tokens.read_key_id(token)
        key = await self.authenticator.key_sets.get_key(platform.jwks_url, kid)
        claims = tokens.verify_signature(token, key)
        try:
            tokens.check_claims(
                claims,
                platform,
                nonce=pending_logins.derive_nonce(state, self.settings["cookie_secret"]),
                now=time.time(),
                limits=self.authenticator.time_limits,
            )
            launch = self._parse(claims, platform)
        except Refusal as refusal:
            presentation = claims.get(tokens.LTI + "launch_presentation")
            if isinstance(presentation, dict):
                refusal.return_url = clean_url(presentation.get("return_url"))
            refusal.sub = clean_text(claims.get("sub"))
            raise
        return VerifiedLaunch(claims, launch, platform)

    def _parse(self, claims: dict[str, Any], platform: Platform) -> Launch:
        try:
            return Launch.from_claims(claims, client_id=platform.client_id)
        except ClaimError as error:
            raise Refusal(
                Reason.CLAIMS, f"a claim is invalid: {quote_untrusted(str(error))}"
            ) from error


class SignInHandler(PageHandler, LoginHandler):  # type: ignore[misc]
    """The hub's own sign-in page, which explains that only an LMS signs people in."""

    async def get(self) -> None:
        """Redirect people who are signed in; tell others how to sign in."""
        if self.current_user:
            await LoginHandler.get(self)
            return
        self.show_page(pages.SIGN_IN, back=clean_url(self.authenticator.home_url) or "")

    async def post(self) -> None:
        """Refuse forms: only an LMS signs people in."""
        self.refuse(Refusal(Reason.PASSWORD, "a form was sent to the sign-in page"))
