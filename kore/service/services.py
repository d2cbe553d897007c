"""What a request or a job works with, made once in each process."""

from __future__ import annotations

from dataclasses import dataclass

from kore.host import CourseFolders, open_course_folders
from kore.service.db.engine import Database, open_database
from kore.service.hubapi import HubApi
from kore.service.lti.keys import KeyStore
from kore.service.lti.services import Platforms
from kore.service.settings import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """Database, hub, host and platforms, and the keys by which platforms know Kore."""

    settings: Settings
    db: Database
    hub: HubApi
    host: CourseFolders
    keys: KeyStore
    lti: Platforms


def open_services(settings: Settings) -> Services:
    """Open everything that the settings name; make what is missing in the state directory."""
    settings.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    keys = KeyStore(settings.state_dir / "keys")
    return Services(
        settings=settings,
        db=open_database(settings.database_url),
        hub=HubApi(settings.api_url, settings.api_token),
        host=open_course_folders(
            homes=settings.homes,
            exchange=settings.exchange,
            accounts=settings.accounts,
            kind=settings.host,
        ),
        keys=keys,
        lti=Platforms(keys, limit=settings.platform_requests),
    )
