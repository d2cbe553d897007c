"""The hub's authenticator: settings of the LMS, and which hub user a launch belongs to.

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
from traitlets import List as ListTrait
from traitlets import Set as SetTrait

from kore.hub import handlers, login_finish
from kore.hub.keysets import KeySets
from kore.hub.launch_notifier import LaunchNotifier
from kore.hub.machine import CourseAccounts
from kore.hub.pending_logins import PendingLogins, VerifiedLaunch
from kore.hub.platforms import Platform, find_platform
from kore.hub.tokens import TimeLimits
from kore.shared.lti.identity import derive_user_name


class KoreAuthenticator(LTI13Authenticator):  # type: ignore[misc]
    """LTI 1.3 for one LMS, configured as ``c.LTI13Authenticator``."""

    login_service = "your LMS"

    access_token_url = Unicode(
        config=True, help="URL where the LMS issues access tokens, to send grades."
    )
    deployment_ids = SetTrait(
        trait=Unicode(),
        config=True,
        help="Deployment ids that may launch. Empty: all deployments of the client ids.",
    )
    lms_url = Unicode(
        config=True,
        help="""
        Where error pages send people if the launch names no URL: the LMS's front page.
        Empty: the issuer.
        """,
    )
    service_hosts = ListTrait(
        trait=Unicode(),
        config=True,
        help="""
        Hosts to which Kore may send access tokens and scores, besides those of the URLs above:
        ``lms.example.org``, ``*.example.org`` for all hosts below it, with a port where it is
        not 443.
        """,
    )
    leeway = Float(
        10, min=0, config=True, help="By how many seconds the clocks of hub and LMS may differ."
    )
    max_age = Float(600, min=1, config=True, help="How many seconds old an id_token may be.")
    kore_url = Unicode(
        config=True,
        help="Kore's internal URL, without a path. Empty: there is no Kore to notify of launches.",
    )
    course_accounts: CourseAccounts | None = AnyTrait(
        config=True, help="Makes accounts of courses on this machine. None: they need no account."
    )
    launch_token = Unicode(
        config=True, help="API token of the hub service that notifies Kore of launches."
    )

    @default("allow_all")  # type: ignore[untyped-decorator]
    def _allow_all_default(self) -> bool:
        # The LMS decides who takes part.
        return True

    @cached_property
    def platforms(self) -> tuple[Platform, ...]:
        """This hub's registrations in LMSs, one for each client id."""
        return tuple(
            Platform(
                issuer=self.issuer,
                client_id=client_id,
                authorize_url=self.authorize_url,
                jwks_url=self.jwks_endpoint,
                token_url=self.access_token_url,
                deployment_ids=frozenset(self.deployment_ids),
                home_url=self.lms_url or self.issuer,
                service_hosts=tuple(self.service_hosts),
            )
            for client_id in sorted(self.client_id)
        )

    @property
    def home_url(self) -> str:
        """The LMS's front page if only one is configured, else ""."""
        homes = {platform.home_url for platform in self.platforms}
        return homes.pop() if len(homes) == 1 else ""

    def find_platform(self, issuer: str, client_id: str) -> Platform:
        """Return the registration for a login. Raises ``Refusal``."""
        return find_platform(self.platforms, issuer, client_id)

    @cached_property
    def key_sets(self) -> KeySets:
        """The LMSs' public keys."""
        return KeySets(self.log)

    @cached_property
    def pending_logins(self) -> PendingLogins:
        """Logins that are in progress or were used."""
        return PendingLogins()

    @cached_property
    def time_limits(self) -> TimeLimits:
        """Limits on the times in a token."""
        return TimeLimits(leeway=self.leeway, max_age=self.max_age)

    _notifier: LaunchNotifier | None = None

    def notify_kore(self, user: Any, verified: VerifiedLaunch, base_url: str) -> None:
        """Notify Kore of a launch by one of the hub's users, in the background.

        ``base_url`` is the path below which the hub and its services are.
        """
        if not self.kore_url:
            return
        if self._notifier is None:
            url = url_path_join(self.kore_url, base_url, "services/kore/launches")
            self._notifier = LaunchNotifier(url, self.launch_token, self.log)
        self._notifier.notify(user.name, user.created, dict(verified), verified.platform)

    async def authenticate(self, handler: Any, data: Any = None) -> dict[str, Any] | None:  # noqa: ARG002
        """Return the user of a verified launch; None for anything else."""
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

    def finish_url(self, base_url: str) -> str:
        """Return the URL of the last step of a login."""
        return str(url_path_join(base_url, "lti13", "enter"))

    def get_handlers(self, app: Any) -> list[tuple[str, type]]:  # noqa: ARG002
        """Return the URLs of our handlers, which take precedence over the hub's own."""
        return [
            (self.login_url(""), handlers.LoginStartHandler),
            (self.callback_url(""), handlers.CallbackHandler),
            (self.finish_url(""), login_finish.LoginFinishHandler),
            (self.config_json_url(""), self.config_handler),
            ("/login", handlers.SignInHandler),
        ]
