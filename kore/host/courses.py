"""Courses' folders as Kore's service uses them."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from pathlib import Path

from kore.host.account_numbers import Accounts
from kore.host.errors import HostError
from kore.host.layout import Layout
from kore.host.ownership import give_file, give_tree


class CourseFolders(Layout, ABC):
    """Courses' folders: how they come, to which account they belong, and how they go.

    ``accounts`` are those that Kore, as root, gives files to; None where nothing has to
    change hands: one account owns everything, or access lists let everyone in.
    """

    def __init__(
        self,
        *,
        homes: Path,
        exchange: Path,
        people: Path | None = None,
        accounts: Accounts | None = None,
    ) -> None:
        super().__init__(homes=homes, exchange=exchange, people=people)
        self._accounts = accounts

    @abstractmethod
    def prepare_course(self, course_id: str) -> Path:
        """Return a course's directory, with everything that its server needs in place.

        May be called again at any time, by several processes at once, and after a kill
        between any two steps: it then completes what is missing. Raises HostError.
        """

    @abstractmethod
    def remove_course(self, course_id: str) -> None:
        """Make sure that a course has no home any more. The hub has deleted its user before.

        May be called again. Raises HostError.
        """

    def hand_over(self, user: str) -> None:
        """Give what Kore made in a home to the account that the home belongs to."""
        if self._accounts is not None:
            give_tree(self.home(user), self._accounts.of(user), from_uid=os.geteuid())

    def hand_over_file(self, course_id: str, path: str) -> None:
        """Give one file of a course to its account; ``path`` is relative to the course's root."""
        if self._accounts is not None:
            give_file(self.course_root(course_id), path, self._accounts.of(course_id))


class HubMadeFolders(CourseFolders):
    """Courses' folders in a container: the hub, which is root, makes and removes them.

    Access control lists let Kore's own account at them: ``kore.host.systemd_accounts``.
    """

    def prepare_course(self, course_id: str) -> Path:
        """Return the course directory. Raises HostError where the hub did not make it."""
        root = self.course_root(course_id)
        if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
            raise HostError(
                f"{root} does not exist, or Kore has no access to it: the hub creates it when "
                "it adds the course's user, and the hub's log says what went wrong"
            )
        return root

    def remove_course(self, course_id: str) -> None:
        """Check that the hub put the home aside when it deleted the course's user."""
        home = self.home(course_id)
        if home.exists():
            raise HostError(
                f"{home} still exists: the hub moves it away when it deletes the course's "
                "user, and the hub's log says what went wrong"
            )
