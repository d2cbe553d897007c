"""A tool that knows one activity of the embedded LMS and speaks to its grade services."""

from __future__ import annotations

import datetime as dt
import json

CONTAINER = "application/vnd.ims.lis.v2.lineitemcontainer+json"
ITEM = "application/vnd.ims.lis.v2.lineitem+json"
SCORE = "application/vnd.ims.lis.v1.score+json"
RESULTS = "application/vnd.ims.lis.v2.resultcontainer+json"
AGS = "https://purl.imsglobal.org/spec/lti-ags/claim/endpoint"
START = dt.datetime(2026, 1, 1, 12, 0, 0, 250_000, dt.UTC)


class GradeTool:
    """A tool with a token for everything, and the addresses of one activity."""

    def __init__(self, lms, activity="roots"):
        self.lms = lms
        self.http = lms.tool.session(lms)
        claim = lms.claims("tilda", activity)[AGS]
        self.items = claim["lineitems"]
        self.item = claim.get("lineitem", "")

    def sub(self, slug):
        return self.lms.claims(slug, "roots")["sub"]

    def below(self, part, item=None):
        path, mark, query = (item or self.item).partition("?")
        return f"{path}/{part}{mark}{query}"

    def score(self, user="zoe", at=0.0, item=None, **changes):
        body = {
            "userId": self.sub(user) if user else None,
            "timestamp": (START + dt.timedelta(seconds=at)).isoformat(timespec="milliseconds"),
            "scoreGiven": 8,
            "scoreMaximum": 10,
            "activityProgress": "Completed",
            "gradingProgress": "FullyGraded",
            **changes,
        }
        body = {name: value for name, value in body.items() if value is not None}
        return self.http.post(
            self.below("scores", item),
            data=json.dumps(body),
            headers={"Content-Type": SCORE},
            timeout=5,
        )

    def results(self, **params):
        return self.http.get(
            self.below("results"), params=params, headers={"Accept": RESULTS}, timeout=5
        )

    def list(self, **params):
        return self.http.get(self.items, params=params, headers={"Accept": CONTAINER}, timeout=5)

    def make(self, **changes):
        body = {"label": "Total", "scoreMaximum": 50, **changes}
        return self.http.post(
            self.items, data=json.dumps(body), headers={"Content-Type": ITEM}, timeout=5
        )

    def put(self, url, body):
        return self.http.put(url, data=json.dumps(body), headers={"Content-Type": ITEM}, timeout=5)
