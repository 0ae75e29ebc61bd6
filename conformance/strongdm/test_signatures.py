# SPDX-License-Identifier: Apache-2.0
"""Signatures, and errors as the SDK raises them."""

import base64
import json
import time
import urllib.error
import urllib.request

import grpc
import pytest
import strongdm

UNIMPLEMENTED = 12


def test_a_valid_signature_gets_as_far_as_the_method(client):
    # A method that is not built; once it is, take another one.
    with pytest.raises(strongdm.errors.RPCError) as raised:
        client.control_panel.verify_jwt("not a token")
    assert raised.value.code == UNIMPLEMENTED
    assert "ControlPanel.VerifyJWT is not supported" in str(raised.value)


def test_a_wrong_secret_is_an_authentication_error(connect_with):
    wrong = base64.b64encode(bytes(32)).decode()
    with pytest.raises(strongdm.errors.AuthenticationError, match="authentication failed"):
        list(connect_with(secret_key=wrong).accounts.list(""))


def test_an_unknown_key_is_an_authentication_error(connect_with):
    with pytest.raises(strongdm.errors.AuthenticationError, match="authentication failed"):
        list(connect_with(access_key="auth-0123456789abcdef").accounts.list(""))


def call(server, path, message, *metadata):
    """One raw call without the SDK."""
    with grpc.insecure_channel(server.url.removeprefix("http://")) as channel:
        return channel.unary_unary(path)(message, timeout=30, metadata=metadata)


def test_health_needs_no_credential(server):
    assert call(server, "/grpc.health.v1.Health/Check", b"") == b"\x08\x01"
    question = b"\x0a\x0bv1.Accounts"
    assert call(server, "/grpc.health.v1.Health/Check", question) == b"\x08\x01"
    with pytest.raises(grpc.RpcError) as raised:
        call(server, "/grpc.health.v1.Health/Check", b"\x0a\x01x")
    assert raised.value.code() == grpc.StatusCode.NOT_FOUND
    with grpc.insecure_channel(server.url.removeprefix("http://")) as channel:
        watch = channel.unary_stream("/grpc.health.v1.Health/Watch")(b"", timeout=30)
        assert next(watch) == b"\x08\x01"
        watch.cancel()


def test_reflection_is_closed_to_strangers_and_open_to_a_token(server):
    path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
    list_services = b"\x3a\x01*"
    with grpc.insecure_channel(server.url.removeprefix("http://")) as channel:
        ask = channel.stream_stream(path)
        with pytest.raises(grpc.RpcError) as raised:
            next(ask(iter([list_services]), timeout=30))
        assert raised.value.code() == grpc.StatusCode.UNAUTHENTICATED
        token = server.credentials["api_token"]
        metadata = (("authorization", f"Bearer {token}"),)
        answers = list(ask(iter([list_services, list_services]), timeout=30, metadata=metadata))
    assert len(answers) == 2 and answers[0] == answers[1]
    assert b"v1.AccountGrants" in answers[0]


def test_calls_are_refused_over_http_1(server):
    headers = {"content-type": "application/grpc"}
    request = urllib.request.Request(server.url + "/v1.Accounts/List", data=b"", headers=headers)
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request, timeout=30)
    assert raised.value.code == 505
    assert b"HTTP/2" in raised.value.read()


def failures_in_the_audit_log(server):
    """The user agents of failed authentications."""
    headers = {"authorization": "Bearer " + server.credentials["api_token"]}
    request = urllib.request.Request(server.url + "/audit/export", headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        lines = [json.loads(line) for line in answer]
    return [line["userAgent"] for line in lines if line["activity"] == "authentication failed"]


def test_the_audit_log_names_the_sdk(server, connect_with):
    with pytest.raises(strongdm.errors.AuthenticationError):
        connect_with(secret_key=base64.b64encode(bytes(32)).decode()).accounts.get("a-1")
    # Nobody waits for the record of a failure, so it may be a moment later than the answer.
    deadline = time.monotonic() + 20
    while "strongdm-sdk-python/18.4.0" not in failures_in_the_audit_log(server):
        assert time.monotonic() < deadline, "the failure was not recorded"
        time.sleep(0.1)
