"""Sentences that earlier versions stored, read as the messages that they were."""

from __future__ import annotations

import pytest

from kore.service.db.migrations.sentences import read_sentence
from kore.shared.messages import message, plain


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Released Week 1: intro", message("audit.release", assignment="Week 1: intro")),
        (
            "Released Week 1: intro: The archive is damaged: a header's checksum is wrong.",
            message(
                "audit.refused",
                action=message("audit.release", assignment="Week 1: intro"),
                reason=message("archive.checksum"),
            ),
        ),
        (
            "Deleted the backup of 2026-11-25 17:01 UTC",
            message("audit.backup_delete", at="2026-11-25T17:01:00+00:00"),
        ),
        ("The backup is made: 1.5 MB", message("backup.created", size=1_500_000)),
        (
            "The name \u201ca:b\u201d is hidden: it begins with a dot.",
            message("archive.bad_name", file="a:b", fault=message("name_fault.hidden")),
        ),
        ("Nobody ever said this.", plain("Nobody ever said this.")),
    ],
)
def test_a_stored_sentence_is_read_as_its_message(sentence, expected):
    """With the parameters that it had; text that no pattern fits is kept as it is."""
    assert read_sentence(sentence) == expected
