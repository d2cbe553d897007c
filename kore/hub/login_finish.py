"""Finishes a login: signs the person in, and anyone else out of this browser.

This is a step of its own because the LMS's answer is a post from another site, with which browsers
send no ``SameSite=Lax`` cookie. Only after a redirect does the hub see who was signed in before,
and can end that person's session.
"""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy
from jupyterhub import orm
from jupyterhub.handlers.base import SESSION_COOKIE_NAME
from jupyterhub.utils import url_path_join
from tornado.httputil import url_concat

from kore.hub import pending_logins
from kore.hub.handlers import SEE_OTHER, PageHandler
from kore.hub.pending_logins import VerifiedLaunch
from kore.hub.reasons import Reason
from kore.hub.redirects import find_inner_path
from kore.hub.refusals import Refusal
from kore.shared.lti.claims import Launch, clean_text
from kore.shared.roles import Role


class LoginFinishHandler(PageHandler):
    """Step 3 of a launch."""

    _new_session_id = ""

    async def get(self) -> None:
        """Sign the person in, sign out anyone else, and redirect to the person's page."""
        state = str(self.get_query_argument("state", ""))
        try:
            verified = self._take(state)
            user = await self.login_user(verified)
            if user is None:
                raise _not_allowed(verified)
        except Refusal as refusal:
            self.refuse(refusal)
            return
        self.authenticator.notify_kore(user.orm_user, verified, self.base_url)
        self.set_header("Cache-Control", "no-store")
        self.redirect(self._next_page(user, verified.launch), status=SEE_OTHER)

    def _take(self, state: str) -> VerifiedLaunch:
        if not pending_logins.is_state(state):
            raise Refusal(Reason.BY_HAND, "the URL that finishes a login was opened by hand")
        if self.find_login(state) is None:
            raise Refusal(Reason.OTHER_BROWSER, "this browser did not start the verified login")
        self.clear_login(state)
        verified: VerifiedLaunch | None = self.authenticator.pending_logins.take(state)
        if verified is None:
            raise Refusal(Reason.USED_TWICE, "the verified login was used before or came too late")
        return verified

    def set_login_cookie(self, user: Any) -> None:
        """Sign in, and first sign out anyone else in this browser."""
        ended = self._end_other_sessions(user)
        # Permissions of tokens are cached by session: another person needs a new one.
        current = "" if ended else super().get_session_cookie()
        self._new_session_id = current or uuid.uuid4().hex
        super().set_login_cookie(user)
        self._set_session_cookie()

    def get_session_cookie(self) -> str | None:
        """Return the session's id: the new one when this login sets it."""
        session_id: str | None = self._new_session_id or super().get_session_cookie()
        return session_id

    def _end_other_sessions(self, user: Any) -> bool:
        """End sessions of other people in this browser. Return whether there were any.

        Services and servers recognise a browser by OAuth tokens that outlive the hub's cookie:
        unless these are revoked, the browser still acts as the previous person. The browser
        may have lost that session's id, so this revokes all tokens of the previous person in
        any browser: elsewhere that costs a silent redirect.
        """
        previous, session = self.current_user, self.get_cookie(SESSION_COOKIE_NAME)
        changes = previous is not None and previous.id != user.id
        if not changes and not session:
            return False
        revoked = 0
        for kind in (orm.APIToken, orm.OAuthCode):
            theirs = kind.session_id == session if session else sqlalchemy.false()
            if changes:
                theirs |= (kind.user_id == previous.id) & kind.session_id.is_not(None)
            for row in self.db.query(kind).filter(theirs, kind.user_id != user.id):
                self.db.delete(row)
                revoked += 1
        if revoked:
            self.db.commit()
        return changes or revoked > 0

    def _set_session_cookie(self) -> None:
        """Let the session's id live as long as the tokens that belong to it.

        The hub lets browsers forget it when they close, and could then not revoke the tokens
        at a logout.
        """
        options = {
            "httponly": True,
            "secure": self.origin[0] == "https",
            **self.settings.get("cookie_options", {}),
            **({"domain": self.domain} if self.subdomain_host else {}),
        }
        self.set_cookie(
            SESSION_COOKIE_NAME,
            self._new_session_id,
            path=self.base_url,
            expires_days=self.cookie_max_age_days,
            **options,
        )

    def _next_page(self, user: Any, launch: Launch) -> str:
        if launch.role is Role.INSTRUCTOR:
            return str(url_path_join(self.base_url, "services/kore/launch", launch.course_id))
        own = url_path_join(user.url, "lab")
        page = (
            find_inner_path(launch.target_link_uri, host=self.origin[1], base_url=self.base_url)
            or own
        )
        server = url_path_join(self.base_url, "user", user.escaped_name, "/")
        if user.spawner.ready or not (page == own or page.startswith(server)):
            return str(page)
        return str(url_concat(url_path_join(self.hub.base_url, "spawn"), {"next": page}))


def _not_allowed(verified: VerifiedLaunch) -> Refusal:
    refusal = Refusal(Reason.NOT_ALLOWED, "the hub's configuration blocks this person")
    refusal.sub = clean_text(verified.launch.sub)
    refusal.return_url = verified.launch.return_url
    refusal.home_url = verified.platform.home_url
    return refusal
