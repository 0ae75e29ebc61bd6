# SPDX-License-Identifier: Apache-2.0
"""Credentials, tokens, array batches and what a body may hold."""

import json

import pytest
from jupiterone.errors import JupiterOneApiError

ONE = "query One($query: String!) { queryV1(query: $query) { type data } }"
CREATE_TOKEN = """mutation CreateToken($token: TokenInput!) {
  createToken(token: $token) {
    id token name category policy revoked createdAt expiresAt
  }
}"""
REVOKE_TOKEN = "mutation RevokeToken($id: String!) { revokeToken(id: $id) { id revoked } }"


def allow_all(**condition):
    """The text of a policy that allows everything, or the graph objects that the condition meets."""
    statement = {"effect": "ALLOW", "actions": ["*"], "resources": ["*"]}
    if condition:
        statement["condition"] = {"stringEquals": condition}
    return json.dumps({"permissions": [statement]})


@pytest.fixture
def token(client):
    """Makes tokens and revokes them after the test."""
    made = []

    def make(name, policy):
        wanted = {"name": name, "category": "conformance", "policy": policy}
        reply = client._execute_query(CREATE_TOKEN, {"token": wanted})["data"]["createToken"]
        made.append(reply["id"])
        return reply

    yield make
    for identity in made:
        client._execute_query(REVOKE_TOKEN, {"id": identity})


def test_a_wrong_token_is_unauthorized(connect_with):
    with pytest.raises(JupiterOneApiError, match="401"):
        connect_with(token="wrong-token-wrong-token").query_v1("FIND Vendor")


def test_another_account_is_unauthorized(connect_with):
    with pytest.raises(JupiterOneApiError, match="401"):
        connect_with(account="someone-else").query_v1("FIND Vendor")


def test_either_account_header_will_do(company, client):
    given = company.credentials["jupiterone"]
    headers = {
        "Authorization": "Bearer " + given["api_key"],
        "LifeOmic-Account": given["account"],
    }
    body = {"query": ONE, "variables": {"query": "FIND Vendor"}}
    answer = client.session.post(company.url + "/graphql", headers=headers, json=body, timeout=30)
    assert answer.status_code == 200
    assert len(answer.json()["data"]["queryV1"]["data"]) == 10


def test_a_token_works_until_it_is_revoked(client, connect_with, token):
    made = token("for-a-while", allow_all())
    assert made["token"] and made["revoked"] is False and made["name"] == "for-a-while"
    other = connect_with(token=made["token"])
    assert len(other.query_v1("FIND Vendor")["data"]) == 10
    reply = client._execute_query(REVOKE_TOKEN, {"id": made["id"]})
    assert reply["data"]["revokeToken"] == {"id": made["id"], "revoked": True}
    with pytest.raises(JupiterOneApiError, match="401"):
        other.query_v1("FIND Vendor")


def test_a_denial_wins(connect_with, token):
    policy = json.dumps(
        {
            "permissions": [
                {"effect": "ALLOW", "actions": ["*"], "resources": ["*"]},
                {"effect": "DENY", "actions": ["query:ReadGraphData"], "resources": ["*"]},
            ]
        }
    )
    other = connect_with(token=token("no-reading", policy)["token"])
    with pytest.raises(JupiterOneApiError):
        other.query_v1("FIND Vendor")


def test_a_condition_hides_the_rest(connect_with, token):
    other = connect_with(token=token("buckets", allow_all(_type="aws_s3_bucket"))["token"])
    assert len(other.query_v1("FIND *")["data"]) == 11
    assert other.query_v1("FIND Vendor")["data"] == []
    # Neither counts, nor negations, nor trees may show what is hidden.
    count = other.query_v1("FIND * AS x RETURN count(x) AS n")["data"]
    assert count == [{"n": 11}]
    assert len(other.query_v1("FIND DataStore THAT !HAS Account")["data"]) == 11
    tree = other.query_v1("FIND DataStore THAT RELATES TO * RETURN TREE")
    assert tree == {"vertices": [], "edges": []}


def test_an_array_of_operations_gives_an_array(company, client):
    queries = ["FIND Vendor", "FIND Database", "FIND nothing_here"]
    body = [{"query": ONE, "variables": {"query": query}} for query in queries]
    for batch in (body, body[:1]):
        answer = client.session.post(
            company.url + "/graphql", headers=client.headers, json=batch, timeout=30
        )
        replies = answer.json()
        sizes = [len(reply["data"]["queryV1"]["data"]) for reply in replies]
        assert answer.status_code == 200 and sizes == [10, 8, 0][: len(batch)]


def test_one_bad_operation_does_not_spoil_the_others(company, client):
    body = [
        {"query": ONE, "variables": {"query": "FIND Vendor"}},
        {"query": ONE, "variables": {"query": "FIND ("}},
    ]
    answer = client.session.post(
        company.url + "/graphql", headers=client.headers, json=body, timeout=30
    )
    good, bad = answer.json()
    assert "errors" not in good and len(good["data"]["queryV1"]["data"]) == 10
    assert "Error parsing query" in bad["errors"][0]["message"]


def test_unknown_members_and_variables_are_no_error(company, client):
    body = {
        "query": ONE,
        "variables": {"query": "FIND Vendor", "undeclared": 1},
        "flags": {"variableResultSize": True},
        "extensions": {},
    }
    answer = client.session.post(
        company.url + "/graphql", headers=client.headers, json=body, timeout=30
    )
    assert "errors" not in answer.json()


def test_typename_may_be_asked_everywhere(client):
    query = """query T($query: String!) {
      __typename queryV1(query: $query) { __typename type data }
    }"""
    reply = client._execute_query(query, {"query": "FIND Vendor LIMIT 1"})["data"]
    assert reply["__typename"] == "Query" and reply["queryV1"]["__typename"]
