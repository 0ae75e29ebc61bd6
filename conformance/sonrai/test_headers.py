# SPDX-License-Identifier: Apache-2.0
"""Headers, statuses and bodies that scripts react to."""

import pytest
import requests

WHO = "{ SonraiCurrentUsers { items { email } } }"
SHAPES = [None, "{}", "", {}, '{"unused": 1}']


@pytest.mark.parametrize("variables", SHAPES)
def test_variables_come_in_all_shapes(client, variables):
    answer = client.post({"query": WHO, "variables": variables})
    assert answer.status_code == 200 and "errors" not in answer.json()


def test_variables_may_be_missing_and_the_operation_named(client):
    body = {"query": "query a { __typename } query b " + WHO, "operationName": "b"}
    assert "SonraiCurrentUsers" in client.post(body).json()["data"]


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_a_bad_token_is_unauthorized_with_a_body(cloud, client_of, refused, token):
    client = client_of(cloud)
    client.token = token
    with pytest.raises(refused) as caught:
        client.run(WHO)
    assert caught.value.status == 401
    assert caught.value.code == "UNAUTHENTICATED"


def test_the_organization_may_be_named_and_must_be_the_own(cloud, client_of, refused):
    own = cloud.credentials["org"]["id"]
    assert client_of(cloud, organization=own).run(WHO)
    with pytest.raises(refused) as caught:
        client_of(cloud, organization="elsewhere").run(WHO)
    assert caught.value.status == 401


def test_a_path_of_its_own_answers_too(cloud, client_of):
    assert client_of(cloud, path="/sonrai/graphql").run(WHO)


def test_introspection(client, client_of, cloud):
    # Scripts name no organization; then the token tells whose schema they mean.
    query = {"query": "{ __schema { queryType { fields { name } } } }"}
    named = client_of(cloud, organization=cloud.credentials["org"]["id"])
    for asked in (client.post(query), named.post(query)):
        fields = asked.json()["data"]["__schema"]["queryType"]["fields"]
        names = {field["name"] for field in fields}
        assert {"CloudHierarchyList", "Tickets", "SonraiUsers"} <= names
    kind = client_of(cloud, path="/sonrai/graphql").run(
        '{ __type(name: "CloudHierarchyFilter") { inputFields { name } } }'
    )["__type"]
    assert "scope" in {field["name"] for field in kind["inputFields"]}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"query": 1}', b'{"query": "{"}', b'{"query": "{ Nothing }"}', b'"x"'],
)
def test_whatever_is_sent_the_answer_is_json(cloud, body):
    headers = {
        "Authorization": "Bearer " + cloud.credentials["sonrai"]["token"],
        "sonraisecurity-com-org": cloud.credentials["org"]["id"],
        "Content-Type": "application/json",
    }
    answer = requests.post(cloud.url + "/graphql", data=body, headers=headers, timeout=30)
    assert answer.status_code in (200, 400)
    assert answer.json()["errors"][0]["message"]


def test_too_many_requests(limited, client_of):
    client = client_of(limited, path="/sonrai/graphql")
    many = "{ " + " ".join(f"a{index}: __typename" for index in range(999)) + " }"
    each = [f"a{index}: SonraiCurrentUsers {{ count }}" for index in range(400)]
    fields = "{ " + " ".join(each) + " }"
    assert client.post({"query": many}).status_code == 200
    statuses = [client.post({"query": fields}).status_code for _ in range(4)]
    assert statuses[0] == 200 and statuses[-1] == 429
    answer = client.post({"query": fields})
    assert answer.status_code == 429
    assert answer.json()["errors"][0]["extensions"]["code"] == "TOO_MANY_REQUESTS"
    assert int(answer.headers["Retry-After"]) >= 1
