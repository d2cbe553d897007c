"""nbgrader's exchange over Kore: by HTTP instead of through a shared folder.

An nbgrader configuration names the classes for its ``ExchangeFactory`` (``FACTORY``). The hub's
token in the environment is all that identifies the caller; Kore decides who may see what. This
runs in people's and courses' servers, not in the service.
"""

from __future__ import annotations

FACTORY = {
    "exchange": "kore.singleuser.exchange.base.Exchange",
    "list": "kore.singleuser.exchange.listing.ExchangeList",
    "release_assignment": "kore.singleuser.exchange.release_assignment.ExchangeReleaseAssignment",
    "fetch_assignment": "kore.singleuser.exchange.fetch_assignment.ExchangeFetchAssignment",
    "submit": "kore.singleuser.exchange.submit.ExchangeSubmit",
    "collect": "kore.singleuser.exchange.collect.ExchangeCollect",
    "release_feedback": "kore.singleuser.exchange.release_feedback.ExchangeReleaseFeedback",
    "fetch_feedback": "kore.singleuser.exchange.fetch_feedback.ExchangeFetchFeedback",
}
"""Traits of nbgrader's ``ExchangeFactory``, with the classes of this package for them."""
