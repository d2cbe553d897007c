"""The last step of a launch: the person comes in, and whoever was here before is out.

A step of its own, by a plain redirect, because the LMS's answer is a post from another site:
browsers send no ``SameSite=Lax`` cookie with it. Only here is visible who was signed in
before, and only here can that person's session be ended.
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
from kore.hub.redirects import inner_path
from kore.hub.refusals import Reason, Refusal
from kore.shared.lti.claims import Launch, clean_text
from kore.shared.roles import Role


class EnterHandler(PageHandler):
    """Step 3 of a launch."""

    async def get(self) -> None:
        """Sign the person in, end the session of whoever was here before, and go on."""
        state = str(self.get_query_argument("state", ""))
        try:
            verified = self._take(state)
            user = await self.login_user(verified)
            if user is None:
                raise _not_allowed(verified)
        except Refusal as refusal:
            self.refuse(refusal)
            return
        self.authenticator.announce(user.orm_user, verified, self.base_url)
        self.set_header("Cache-Control", "no-store")
        self.redirect(self._next(user, verified.launch), status=SEE_OTHER)

    def _take(self, state: str) -> VerifiedLaunch:
        if not pending_logins.is_state(state):
            raise Refusal(Reason.BY_HAND, "the address that ends a login was opened by hand")
        if self.begun_login(state) is None:
            raise Refusal(Reason.OTHER_BROWSER, "the verified login was not begun in this browser")
        self.end_login(state)
        verified: VerifiedLaunch | None = self.authenticator.logins.take(state)
        if verified is None:
            raise Refusal(Reason.USED_TWICE, "the verified login was used already, or too late")
        return verified

    def set_login_cookie(self, user: Any) -> None:
        """Sign in, and first sign out whoever else this browser still knows."""
        if self._part_from_others(user):
            # Whoever caches what a token may do caches it by session.
            self._session_id = uuid.uuid4().hex
        else:
            self._session_id = self.get_session_cookie() or uuid.uuid4().hex
        super().set_login_cookie(user)
        self._keep_session()

    def _part_from_others(self, user: Any) -> bool:
        """End the session of anybody else in this browser. Return whether there was one.

        Services and servers know a browser by OAuth tokens that outlive the hub's cookie:
        unless these are revoked, they still take it for the person before. Which of that
        person's tokens this browser holds is not certain, as it may have lost a session's
        id, so all those go that any browser holds: elsewhere it costs a silent redirect.
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

    def _keep_session(self) -> None:
        """Let the session's id live as long as the tokens that belong to it.

        The hub lets browsers forget it when they close, and could then revoke none of them
        at a logout.
        """
        domain = {"domain": self.domain} if self.subdomain_host else {}
        self._set_cookie(
            SESSION_COOKIE_NAME,
            self._session_id,
            encrypted=False,
            path=self.base_url,
            expires_days=self.cookie_max_age_days,
            **domain,
        )

    def _next(self, user: Any, launch: Launch) -> str:
        if launch.role is Role.INSTRUCTOR:
            return str(url_path_join(self.base_url, "services/kore/launch", launch.course_id))
        own = url_path_join(user.url, "lab")
        place = (
            inner_path(launch.target_link_uri, host=self.origin[1], base_url=self.base_url) or own
        )
        server = url_path_join(self.base_url, "user", user.escaped_name, "/")
        if user.spawner.ready or not (place == own or place.startswith(server)):
            return str(place)
        return str(url_concat(url_path_join(self.hub.base_url, "spawn"), {"next": place}))


def _not_allowed(verified: VerifiedLaunch) -> Refusal:
    refusal = Refusal(Reason.NOT_ALLOWED, "the hub's configuration does not let this person in")
    refusal.sub = clean_text(verified.launch.sub)
    refusal.return_url = verified.launch.return_url
    refusal.home_url = verified.platform.home_url
    return refusal
