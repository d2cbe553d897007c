"""nbgrader's exchange over Kore: work is handed out and in by HTTP, not through a shared folder.

An nbgrader configuration names the classes for its ``ExchangeFactory`` (``FACTORY``). They
know the caller by the hub's token in the environment and nothing else; who may see what is
Kore's to decide. Nothing here is part of the service: it runs in people's and courses'
servers and imports neither its database nor Flask.
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
"""Traits of nbgrader's ``ExchangeFactory`` and the classes here that take their places."""
