# SPDX-License-Identifier: Apache-2.0
"""The mistakes in the sample company are found by the queries that its README gives."""

import json
import pathlib

import pytest

COMPANY = pathlib.Path(__file__).resolve().parents[2] / "samples" / "company"
MISTAKES = json.loads((COMPANY / "mistakes.json").read_text(encoding="utf-8"))


def ordered(rows):
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake["title"])
def test_mistake_is_found(client, mistake):
    found = client.query_v1(mistake["query"])["data"]
    assert ordered(found) == ordered(mistake["rows"])


def test_the_readme_gives_the_same_queries():
    text = (COMPANY / "README.md").read_text(encoding="utf-8")
    for mistake in MISTAKES:
        assert mistake["query"] in text
