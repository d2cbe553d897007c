"""Results and scores: whether one became the other."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from kore.service.lti.ags_models import Result, Score


@given(st.floats(0, 1000), st.floats(0.5, 1000), st.sampled_from([1.0, 10.0, 100.0]))
def test_score_is_recognised_on_any_scale(given, maximum, scale):
    """A rescaled, rounded or clamped result matches its score; another one does not."""
    score = Score("1", given, maximum, datetime(2026, 1, 1, 12, tzinfo=UTC))
    kept = round(min(given * scale / maximum, scale), 5)
    assert Result(kept, scale).matches(score)
    assert not Result(kept + 0.001, scale).matches(score) or given > maximum
