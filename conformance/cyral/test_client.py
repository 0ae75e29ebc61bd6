# SPDX-License-Identifier: Apache-2.0
"""The classes behind the vendor's command line client. Its sign-in with a browser is absent here,
so each client is handed a token."""

import pytest
import requests
from cyral.sdk.api import (
    AccessInfoClient,
    AccessTokenClient,
    CABundleClient,
    SidecarClient,
    UserClient,
)
from cyral.sdk.client import Client

HOST = "localhost:8000"


@pytest.fixture
def signed_in(api, monkeypatch):
    """The client, signed in."""
    # It takes its authority from the environment only.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", api.authority)
    client = Client(HOST)
    client.oauth2_client.parse_request_body_response(requests.models.complexjson.dumps(api.granted))
    return client


def test_sidecars(signed_in, api, sidecar, repo):
    client = SidecarClient(signed_in)
    assert sidecar in [row["id"] for row in client.list_sidecars()]
    client.set_log_level(sidecar, dispatcher=SidecarClient.LogLevel.DEBUG)
    known = client.get(sidecar)
    assert known["services"]["dispatcher"]["log-level"] == "debug"
    config = {"repoTypes": ["postgresql"], "address": {"port": 5433}}
    path = f"/v1/sidecars/{sidecar}"
    listener = api.post(f"{path}/listeners", {"listenerConfig": config})["listenerId"]
    used = {"repoId": repo, "enabled": True, "listenerBindings": [{"listenerId": listener}]}
    binding = api.post(f"{path}/bindings", {"binding": used})["bindingId"]
    assert client.list_bindings(sidecar)["bindings"][0]["id"] == binding
    assert client.list_listeners(sidecar)["listenerConfigs"][0]["id"] == listener
    assert client.port_for_binding(sidecar, client.get_binding(sidecar, binding)) == 5433
    with pytest.raises(requests.HTTPError) as caught:
        client.get("0123456789abcdef")
    assert caught.value.response.status_code == 404


def test_the_own_account(signed_in):
    assert UserClient(signed_in).get_current_user()["email"] == "admin@conformance.example"


def test_nothing_is_reached_without_a_grant(signed_in, repo):
    assert list(AccessInfoClient(signed_in)) == []


def test_what_is_absent_is_an_error(signed_in, sidecar):
    with pytest.raises(requests.HTTPError) as caught:
        CABundleClient(signed_in).get(sidecar)
    assert caught.value.response.status_code == 501
    with pytest.raises(requests.HTTPError) as caught:
        AccessTokenClient(signed_in, "").list_tokens()
    assert caught.value.response.status_code == 501
