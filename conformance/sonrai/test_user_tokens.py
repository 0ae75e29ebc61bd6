# SPDX-License-Identifier: Apache-2.0
"""Tokens as the platform's libraries read and renew them."""

import time

import jwt
import pytest

ORGANIZATION = "https://sonraisecurity.com/org"
ORGANIZATIONS = "https://sonraisecurity.com/orgs"
ENVIRONMENT = "https://sonraisecurity.com/env"
RENEW = """mutation renew($seconds: Long!, $name: String!) {
  GenerateSonraiUserToken(input: {expiresIn: $seconds, name: $name}) { name expireAt token srn }
}"""
WHO = "{ SonraiCurrentUsers { items { email } } }"


def claims(token):
    return jwt.decode(token, options={"verify_signature": False})


def renewed(client, seconds=7200, name="renewal"):
    """What a library does: any trace of a failure in the text counts as one."""
    variables = f'{{"seconds": {seconds}, "name": "{name}"}}'
    answer = client.post({"query": RENEW, "variables": variables})
    assert answer.status_code == 200
    assert "error" not in answer.text
    return answer.json()["data"]["GenerateSonraiUserToken"]


def test_claims_can_be_read_without_the_key(client):
    known = claims(client.token)
    organization = client.server.credentials["org"]["id"]
    assert known[ORGANIZATION] == organization
    assert known[ORGANIZATIONS] == [organization]
    assert known[ENVIRONMENT] not in ("stage", "dev")
    assert known["iss"] == "Sonrai"
    assert known["aud"].endswith("graphql-server.sonraisecurity.com")
    assert known["nbf"] <= known["iat"] <= time.time() + 5 < known["exp"]
    assert jwt.get_unverified_header(client.token)["alg"] == "RS256"


def test_a_chain_of_renewals(client, client_of):
    token = client.token
    for round_ in range(5):
        made = renewed(client_of(client.server, token), name=f"round {round_}")
        token = made["token"]
        left = claims(token)["exp"] - time.time()
        assert 7100 < left <= 7200
        assert client_of(client.server, token).run(WHO)["SonraiCurrentUsers"]["items"]
        client.run(f'mutation {{ DeleteSonraiUserToken(input: {{srn: "{made["srn"]}"}}) }}')
        # The next one is made by a token that was just deleted, unless it is taken back.
        token = client.token


def test_a_deleted_token_is_refused_at_once(client, client_of, refused):
    made = renewed(client, name="short-lived")
    other = client_of(client.server, made["token"])
    assert other.run(WHO)
    client.run(f'mutation {{ DeleteSonraiUserToken(input: {{srn: "{made["srn"]}"}}) }}')
    for query in [WHO, "{ Users { count } }", "{ __typename }"]:
        with pytest.raises(refused) as caught:
            other.run(query)
        assert caught.value.status == 401
    listed = client.run("{ SonraiUserTokens { items { srn } } }")["SonraiUserTokens"]["items"]
    assert made["srn"] not in [item["srn"] for item in listed]


@pytest.mark.parametrize("seconds", [7199, 2592001, 0, -5])
def test_a_life_out_of_range_is_refused(client, refused, seconds):
    with pytest.raises(refused, match="7200 to 2592000") as caught:
        client.run(RENEW, {"seconds": seconds, "name": "x"})
    assert caught.value.status == 200 and caught.value.code == "BAD_USER_INPUT"


@pytest.mark.parametrize("seconds", [7200, 2592000])
def test_both_ends_of_the_range_are_taken(client, seconds):
    made = renewed(client, seconds, f"life of {seconds}")
    client.run(f'mutation {{ DeleteSonraiUserToken(input: {{srn: "{made["srn"]}"}}) }}')


def test_a_deletion_has_no_selection_and_refuses_what_is_not_there(client, refused):
    for srn in ["srn:nowhere::SonraiUserToken/x", "", "srn:aws:iam::1/User/User/x"]:
        with pytest.raises(refused, match="no token with this srn") as caught:
            client.run(f'mutation {{ DeleteSonraiUserToken(input: {{srn: "{srn}"}}) }}')
        assert caught.value.code == "NOT_FOUND"


def test_the_audit_log_has_every_token(client):
    begun = int(time.time() * 1000) - 1000
    made = renewed(client, name="audited")
    client.run(f'mutation {{ DeleteSonraiUserToken(input: {{srn: "{made["srn"]}"}}) }}')
    query = """query log($from: DateTime!, $to: DateTime, $srn: String) {
      SonraiAuditLogs(where: {fromDate: {value: $from} toDate: {value: $to}
          resourceSrn: {value: $srn}}) {
        count items { srn type actionType eventName message createdDate resourceSrn actorSrn
          actor { name email srn } } } }"""
    asked = {"from": begun, "to": "2099-01-01T00:00:00Z", "srn": made["srn"]}
    log = client.run(query, asked)["SonraiAuditLogs"]
    assert log["count"] == len(log["items"]) == 2
    assert {item["type"] for item in log["items"]} == {"SonraiUserToken"}
    assert {item["actor"]["email"] for item in log["items"]} == {"admin@conformance.example"}
    assert all(item["actor"]["srn"] == item["actorSrn"] for item in log["items"])
