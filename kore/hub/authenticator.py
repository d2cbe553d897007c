"""Signing people in from an LMS: what the hub's configuration names, and who they are here.

The protocol's steps are in ``kore.hub.handlers`` and ``kore.hub.login_finish``, the checks in
``kore.hub.tokens``.
"""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import Any

from jupyterhub.utils import maybe_future, url_path_join
from ltiauthenticator.lti13.auth import LTI13Authenticator
from traitlets import Any as AnyTrait
from traitlets import Float, Unicode, default
from traitlets import Set as SetTrait

from kore.hub import handlers, login_finish
from kore.hub.keysets import KeySets
from kore.hub.launches import LaunchAnnouncer
from kore.hub.machine import CourseAccounts
from kore.hub.pending_logins import Logins, VerifiedLaunch
from kore.hub.platforms import Platform, find_platform
from kore.hub.tokens import Times
from kore.shared.lti.identity import derive_user_name


class KoreAuthenticator(LTI13Authenticator):  # type: ignore[misc]
    """LTI 1.3 for one LMS, configured as ``c.LTI13Authenticator``."""

    login_service = "your LMS"

    access_token_url = Unicode(
        config=True, help="Where the LMS gives out access tokens: needed to send grades."
    )
    deployment_ids = SetTrait(
        trait=Unicode(),
        config=True,
        help="Deployments that may launch. Empty: each one of the configured client ids.",
    )
    lms_url = Unicode(
        config=True,
        help="""
        Where error pages send people when the launch names no place: the LMS's front page.
        Empty: the issuer.
        """,
    )
    leeway = Float(
        10, min=0, config=True, help="By how many seconds the clocks of hub and LMS may differ."
    )
    max_age = Float(600, min=1, config=True, help="How many seconds old an id_token may be.")
    kore_url = Unicode(
        config=True,
        help="Kore's internal address, without a path. Empty: nobody is told of launches.",
    )
    course_accounts: CourseAccounts | None = AnyTrait(
        config=True, help="Makes accounts of courses on this machine. None: they need no account."
    )
    launch_token = Unicode(config=True, help="API token of the hub service that tells Kore.")

    @default("allow_all")  # type: ignore[untyped-decorator]
    def _allow_all_default(self) -> bool:
        # Whom the LMS sends is welcome: it is the LMS that knows who takes part.
        return True

    @cached_property
    def platforms(self) -> tuple[Platform, ...]:
        """The registrations of this hub in LMSs, one for each client id."""
        return tuple(
            Platform(
                issuer=self.issuer,
                client_id=client_id,
                authorize_url=self.authorize_url,
                jwks_url=self.jwks_endpoint,
                token_url=self.access_token_url,
                deployment_ids=frozenset(self.deployment_ids),
                home_url=self.lms_url or self.issuer,
            )
            for client_id in sorted(self.client_id)
        )

    @property
    def home_url(self) -> str:
        """The LMS's front page where only one is configured, else ""."""
        homes = {platform.home_url for platform in self.platforms}
        return homes.pop() if len(homes) == 1 else ""

    def platform(self, issuer: str, client_id: str) -> Platform:
        """Return the registration for a login. Raises ``Refusal``."""
        return find_platform(self.platforms, issuer, client_id)

    @cached_property
    def key_sets(self) -> KeySets:
        """The LMSs' public keys."""
        return KeySets(self.log)

    @cached_property
    def logins(self) -> Logins:
        """Logins that are used up or under way."""
        return Logins()

    @cached_property
    def times(self) -> Times:
        """Limits on the times in a token."""
        return Times(leeway=self.leeway, max_age=self.max_age)

    _announcer: LaunchAnnouncer | None = None

    def announce(self, user: Any, verified: VerifiedLaunch, base_url: str) -> None:
        """Tell Kore of a launch by one of the hub's users, in the background.

        ``base_url`` is the path of all we serve.
        """
        if not self.kore_url:
            return
        if self._announcer is None:
            url = url_path_join(self.kore_url, base_url, "services/kore/launches")
            self._announcer = LaunchAnnouncer(url, self.launch_token, self.log)
        self._announcer.announce(user.name, user.created, dict(verified), verified.platform)

    async def authenticate(self, handler: Any, data: Any = None) -> dict[str, Any] | None:  # noqa: ARG002
        """Return who launched. Anything but a launch that was verified is nobody."""
        if not isinstance(data, VerifiedLaunch):
            return None
        launch = data.launch
        name = derive_user_name(launch.sub, launch.issuer, namespace=data.platform.namespace)
        return {"name": name, "auth_state": dict(data)}

    async def add_user(self, user: Any) -> None:
        """Make the account that a user needs. The hub calls this for every user when it starts."""
        await maybe_future(super().add_user(user))
        if self.course_accounts is not None:
            await asyncio.to_thread(self.course_accounts.add_user, user.name)

    async def delete_user(self, user: Any) -> None:
        """Remove the account that a user had."""
        await maybe_future(super().delete_user(user))
        if self.course_accounts is not None:
            await asyncio.to_thread(self.course_accounts.delete_user, user.name)

    def enter_url(self, base_url: str) -> str:
        """Return where the browser goes with a verified launch."""
        return str(url_path_join(base_url, "lti13", "enter"))

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:  # noqa: ARG002
        """Return what the hub serves for us; it asks these before its own."""
        return [
            (self.login_url(""), handlers.LoginInitHandler),
            (self.callback_url(""), handlers.CallbackHandler),
            (self.enter_url(""), login_finish.EnterHandler),
            (self.config_json_url(""), self.config_handler),
            ("/login", handlers.SignInHandler),
        ]
