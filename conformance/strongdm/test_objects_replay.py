# SPDX-License-Identifier: Apache-2.0
"""A creation that is sent again gets its first answer, byte for byte."""

import base64
import concurrent.futures
import datetime
import hashlib
import hmac

import grpc
import pytest
import strongdm
from strongdm import account_grants_pb2, accounts_pb2, nodes_pb2, roles_pb2


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


def test_only_unique_names_make_requests_the_same(raw, client):
    """Three equal nodes, tokens: three of them; a second grant overlaps the first."""
    node = nodes_pb2.NodeCreateRequest()
    node.node.relay.name = "equal"
    answers = [raw.call("Nodes.Create", node) for _ in range(3)]
    nodes = [nodes_pb2.NodeCreateResponse.FromString(answer) for answer in answers]
    assert len({answer.node.relay.id for answer in nodes}) == 3
    assert len({answer.token for answer in nodes}) == 3
    token = accounts_pb2.AccountCreateRequest()
    token.account.token.name = "equal"
    token.account.token.account_type = "api"
    answers = [raw.call("Accounts.Create", token) for _ in range(3)]
    tokens = [accounts_pb2.AccountCreateResponse.FromString(answer) for answer in answers]
    assert len({answer.access_key for answer in tokens}) == 3
    user = accounts_pb2.AccountCreateRequest()
    user.account.user.email = "equal@example.com"
    users = [raw.call("Accounts.Create", user) for _ in range(2)]
    users = [accounts_pb2.AccountCreateResponse.FromString(answer) for answer in users]
    assert users[0].account.user.id == users[1].account.user.id
    resource = client.resources.create(strongdm.Redis(name="equal", hostname="x")).resource
    grant = account_grants_pb2.AccountGrantCreateRequest()
    grant.account_grant.account_id = users[0].account.user.id
    grant.account_grant.resource_id = resource.id
    first = raw.call("AccountGrants.Create", grant)
    first = account_grants_pb2.AccountGrantCreateResponse.FromString(first).account_grant.id
    with pytest.raises(grpc.RpcError) as raised:
        raw.call("AccountGrants.Create", grant)
    assert raised.value.code() == grpc.StatusCode.ALREADY_EXISTS
    client.account_grants.delete(first)
    again = raw.call("AccountGrants.Create", grant)
    again = account_grants_pb2.AccountGrantCreateResponse.FromString(again).account_grant.id
    assert again != first
    assert [one.id for one in client.account_grants.list("id:?", again)] == [again]


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
