# SPDX-License-Identifier: Apache-2.0
"""Starting a client, its errors, and whether all its documents are valid."""

import os
import pathlib
import subprocess
import sys

import pytest

SHARED = os.environ.get("DURWARD_SHARED")
VALIDATOR = "reference/opencti/tools/pycti_validate.py"


def test_health_check(api):
    assert api.health_check() is True


def test_a_wrong_token_is_an_error_of_the_client_s_kind(connect_with):
    with pytest.raises(ValueError):
        connect_with("7d4d6c1e-5c5d-4b7e-9d2a-0b0a7f1f3c11")


def test_errors_have_the_name_and_status_that_the_client_reads(intel, api):
    body = {"query": "{ about { version } }"}
    answer = api.session.post(intel.url + "/graphql", json=body, timeout=30, headers={})
    content = answer.json()
    assert answer.status_code == 200
    assert content["errors"][0]["extensions"]["code"] == "AUTH_REQUIRED"
    assert content["errors"][0]["name"] == "AUTH_REQUIRED"


def test_me_and_users(intel, api):
    me = api.user.me()
    assert me["user_email"] == intel.credentials["admin"]["email"]
    assert me["user_email"] in {user["user_email"] for user in api.user.list()}


def test_vocabulary_categories_are_asked_before_an_import(api):
    reply = api.query("{ vocabularyCategories { key fields { key required multiple } } }")
    assert isinstance(reply["data"]["vocabularyCategories"], list)


def test_what_is_not_supported_says_so(api):
    with pytest.raises(ValueError, match="UNSUPPORTED_ERROR"):
        api.query("{ settings { id } }")


@pytest.mark.skipif(not SHARED, reason="needs DURWARD_SHARED for the validator of documents")
def test_all_documents_of_the_client_are_valid(intel):
    tool = pathlib.Path(SHARED) / VALIDATOR
    token = intel.credentials["opencti"]["token"]
    words = [sys.executable, str(tool), "--url", intel.url + "/opencti/graphql", "--token", token]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=False)
    # One document of the client is not GraphQL; no server can accept it.
    assert "VALID 410 of 411" in done.stdout, (done.stdout + done.stderr)[-2000:]
