# SPDX-License-Identifier: Apache-2.0
"""A creation that is sent again gets its first answer, byte for byte."""

import base64
import concurrent.futures
import datetime
import hashlib
import hmac

import grpc
import pytest
from strongdm import accounts_pb2, roles_pb2


class Raw:
    """Signed calls without the SDK, so that the same bytes can be sent twice."""

    def __init__(self, server):
        issued = server.credentials["strongdm"]
        self.access_key = issued["access_key"]
        self.secret = base64.b64decode(issued["secret_key"])
        self.channel = grpc.insecure_channel(server.url.removeprefix("http://"))

    def call(self, name, message):
        """Bytes of the answer."""
        body = message.SerializeToString()
        day = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")
        key = self.secret
        for part in (day.encode(), b"sdm_api_v1"):
            key = hmac.new(key, part, hashlib.sha256).digest()
        digest = hashlib.sha256(name.encode() + b"\n" + body).digest()
        signature = hmac.new(key, digest, hashlib.sha256).digest()
        metadata = (
            ("x-sdm-authentication", self.access_key),
            ("x-sdm-signature", base64.b64encode(signature).decode()),
        )
        path = "/v1." + name.replace(".", "/")
        return self.channel.unary_unary(path)(body, timeout=60, metadata=metadata)


@pytest.fixture(scope="module")
def raw(server):
    """Calls by the first access key."""
    return Raw(server)


def role(name):
    """A request that makes a role."""
    request = roles_pb2.RoleCreateRequest()
    request.role.name = name
    return request


def made(answer):
    """The role in an answer."""
    return roles_pb2.RoleCreateResponse.FromString(answer).role


def without_limits(response):
    """An answer without what tells of rate limits, which counts on."""
    response.ClearField("rate_limit")
    return response.SerializeToString()


def test_the_secret_of_a_service_comes_again(raw):
    request = accounts_pb2.AccountCreateRequest()
    request.account.service.name = "lost answer"
    answers = [raw.call("Accounts.Create", request) for _ in range(2)]
    read = [accounts_pb2.AccountCreateResponse.FromString(answer) for answer in answers]
    assert read[0].token and read[0].token == read[1].token
    assert without_limits(read[0]) == without_limits(read[1])


def test_equal_requests_at_once_make_one(raw):
    request = role("at once")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: raw.call("Roles.Create", request), range(8)))
    assert len({made(answer).id for answer in answers}) == 1


def test_what_was_changed_or_deleted_is_made_again(raw, client):
    first = made(raw.call("Roles.Create", role("again")))
    client.roles.delete(first.id)
    second = made(raw.call("Roles.Create", role("again")))
    assert second.id != first.id
    known = client.roles.get(second.id).role
    known.tags = {"changed": "yes"}
    client.roles.update(known)
    with pytest.raises(grpc.RpcError) as raised:
        raw.call("Roles.Create", role("again"))
    assert raised.value.code() == grpc.StatusCode.ALREADY_EXISTS
