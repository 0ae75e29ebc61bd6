# SPDX-License-Identifier: Apache-2.0
"""Tokens: the vendor's shell script as it stands, and what scripts in Python do."""

import base64
import json
import os
import pathlib
import subprocess
import time

import pytest
import requests
from oauthlib.oauth2 import BackendApplicationClient, InvalidClientError, LegacyApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session

from cyral_support import FIELDS

TOKEN = "https://localhost:8000/v1/users/oidc/token"


def shell(script, authority, **environment):
    """What a script prints that trusts the authority."""
    environment = {**os.environ, "CURL_CA_BUNDLE": str(authority / "ca.pem"), **environment}
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], env=environment,
                          capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def published_scripts():
    """The script and the refresh call of the vendor's page."""
    shared = os.environ.get("DURWARD_SHARED")
    if not shared:
        pytest.skip("DURWARD_SHARED is not set")
    page = (pathlib.Path(shared) / "seeds" / "cyral.txt").read_text(encoding="utf-8")
    start, end = page.index("export CYRAL_CONTROL_PLANE"), page.index("echo $SIDECARS | jq")
    script = page[start:end] + "echo $SIDECARS | jq"
    return script, page[page.rindex('curl -X "POST"'):]


def test_the_published_script_runs_as_it_stands(api, authority, sidecar):
    script, _ = published_scripts()
    filled = {
        "<Insert your Cyral control plane URL here>": "localhost",
        "<Insert your client id here>": api.client_id,
        "<Insert your client secret here>": api.client_secret,
    }
    for placeholder, value in filled.items():
        assert placeholder in script
        script = script.replace(placeholder, value)
    printed = json.loads(shell(script, authority))
    assert sidecar in [row["id"] for row in printed]


def test_the_published_refresh_call_runs(api, authority):
    _, call = published_scripts()
    call = call.replace("{CP URL}", "localhost")
    for placeholder, value in {
        "<...refresh token here...>": api.granted["refresh_token"],
        "<...client id here...>": api.client_id,
        "<...client secret here...>": api.client_secret,
    }.items():
        call = call.replace(placeholder, value)
    granted = json.loads(shell(call, authority))
    assert set(granted) == FIELDS
    assert granted["session_state"] == api.granted["session_state"]


def test_a_script_with_curl_and_jq(api, authority):
    script = """
    token=$(curl -sf -X POST "https://localhost:8000/v1/users/oidc/token" \
        -d grant_type=client_credentials -d "clientId=$ID" -d "clientSecret=$SECRET" \
        | jq -er .access_token)
    curl -sf "https://localhost:8000/v1/repos" -H "authorization: bearer $token" | jq -c .repos
    """
    printed = shell(script, authority, ID=api.client_id, SECRET=api.client_secret)
    assert isinstance(json.loads(printed), list)


def claims(token):
    """What a token says."""
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_the_answer_has_texts_for_numbers(api):
    answer = api.grant(grant_type="client_credentials")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    granted = answer.json()
    assert set(granted) == FIELDS and all(isinstance(value, str) for value in granted.values())
    assert (granted["expires_in"], granted["refresh_expires_in"]) == ("300", "36000")
    assert (granted["token_type"], granted["scope"]) == ("bearer", "email profile")
    said = claims(granted["access_token"])
    assert said["exp"] - said["iat"] == 300 and said["azp"] == api.client_id
    assert abs(said["iat"] - time.time()) < 120


def test_refresh_tokens_are_used_again_and_again(api):
    first = api.granted["refresh_token"]
    seen = set()
    for _ in range(3):
        granted = api.grant(grant_type="refresh_token", refresh_token=first).json()
        seen.add(granted["access_token"])
        headers = {"authorization": f"Bearer {granted['access_token']}"}
        answer = requests.get("https://localhost:8000/v1/sidecars", headers=headers,
                              verify=api.authority, timeout=30)
        assert answer.status_code == 200
    assert len(seen) == 3


def test_oauthlib_gets_a_token_with_basic_and_with_a_form(api):
    for more in [
        {"client_secret": api.client_secret},
        {"auth": HTTPBasicAuth(api.client_id, api.client_secret)},
        {"client_secret": api.client_secret, "include_client_id": True},
    ]:
        session = OAuth2Session(client=BackendApplicationClient(client_id=api.client_id))
        token = session.fetch_token(TOKEN, client_id=api.client_id, verify=api.authority, **more)
        assert token["expires_at"] > time.time()
        answer = session.get("https://localhost:8000/v1/sidecars", verify=api.authority)
        assert answer.status_code == 200


def test_oauthlib_refreshes(api):
    session = OAuth2Session(api.client_id, token=dict(api.granted))
    fresh = session.refresh_token(TOKEN, verify=api.authority, client_id=api.client_id,
                                  client_secret=api.client_secret)
    assert fresh["access_token"] != api.granted["access_token"]


def test_oauthlib_understands_refusals(api):
    session = OAuth2Session(client=BackendApplicationClient(client_id=api.client_id))
    with pytest.raises(InvalidClientError):
        session.fetch_token(TOKEN, client_id=api.client_id, client_secret="no",
                            verify=api.authority)
    session = OAuth2Session(client=LegacyApplicationClient(client_id=api.client_id))
    with pytest.raises(Exception) as caught:
        session.fetch_token(TOKEN, username="a", password="b", client_id=api.client_id,
                            client_secret=api.client_secret, verify=api.authority)
    assert caught.value.error == "unauthorized_client"


@pytest.mark.parametrize(
    ("form", "status", "code"),
    [
        ({"grant_type": ""}, 400, "invalid_request"),
        ({"grant_type": "magic"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials", "client_secret": "no"}, 401, "invalid_client"),
        ({"grant_type": "client_credentials", "client_id": "no"}, 401, "invalid_client"),
        ({"grant_type": "refresh_token"}, 400, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "no"}, 400, "invalid_grant"),
    ],
)
def test_refusals(api, form, status, code):
    answer = api.grant(**form)
    assert (answer.status_code, answer.json()["error"]) == (status, code)
    assert answer.headers["cache-control"] == "no-store"


def test_an_access_token_is_no_refresh_token_and_the_other_way_round(api):
    answer = api.grant(grant_type="refresh_token", refresh_token=api.token)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")
    headers = {"authorization": f"Bearer {api.granted['refresh_token']}"}
    answer = requests.get("https://localhost:8000/v1/sidecars", headers=headers,
                          verify=api.authority, timeout=30)
    assert answer.status_code == 401 and answer.json()["code"] == 16


def test_a_refresh_token_is_its_clients_own(api, client):
    other = client("View Users")
    answer = other.grant(grant_type="refresh_token", refresh_token=api.granted["refresh_token"])
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_grant")


def test_rotation_ends_the_secret_and_all_tokens_at_once(api, client):
    made = client("View Sidecars and Repositories", name="rotated")
    made.get("/v1/sidecars")
    path = f"/v1/users/serviceAccounts/{made.client_id}"
    rotated = api.post(path + "/rotateSecret")
    assert rotated["clientId"] == made.client_id
    assert rotated["clientSecret"] != made.client_secret
    made.get("/v1/sidecars", status=401)
    refresh = made.granted["refresh_token"]
    assert made.grant(grant_type="client_credentials").status_code == 401
    made.client_secret = rotated["clientSecret"]
    answer = made.grant(grant_type="refresh_token", refresh_token=refresh)
    assert answer.json()["error"] == "invalid_grant"
    made.renew()
    made.get("/v1/sidecars")
    api.delete(path)
    made.get("/v1/sidecars", status=401)
    assert made.grant(grant_type="client_credentials").json()["error"] == "invalid_client"


def test_every_address_serves_the_same(plane, api):
    for url in (plane.url, plane.url.replace("https://", "http://")):
        answer = requests.get(url + "/v1/sidecars", timeout=30, verify=api.authority,
                              headers={"authorization": f"Bearer {api.token}"})
        assert answer.status_code == 200
