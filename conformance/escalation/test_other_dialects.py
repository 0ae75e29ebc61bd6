# SPDX-License-Identifier: Apache-2.0
"""Cyral clients, Sonrai tokens and JupiterOne keys get no further than their makers."""

import json

import pytest
import requests
import strongdm

NARROW = json.dumps(
    {
        "permissions": [
            {
                "effect": "ALLOW",
                "actions": ["query:ReadGraphData"],
                "resources": ["*"],
            }
        ]
    }
)
CREATE = (
    "mutation($token: TokenInput!, $input: CreateIamTokenInput) {"
    " createToken(token: $token, input: $input) { id token } }"
)


def test_a_cyral_client_cannot_make_or_take_a_stronger_one(acme):
    weak = acme.cyral(
        *acme.credential(acme.chief.id, "cyral_client", ["cyral:Modify Users", "cyral:View Roles"])
    )
    base = acme.server.url + "/v1/users"
    permissions = weak.get(f"{base}/roles", timeout=30).json()["roles"]
    stronger = [row["id"] for row in permissions if row["name"] == "Modify Policies"]
    body = {"displayName": acme.unique("client"), "roleIds": stronger}
    refused = weak.post(f"{base}/serviceAccounts", json=body, timeout=30)
    assert refused.status_code == 403, refused.text
    first = acme.first["cyral"]["client_id"]
    rotated = weak.post(f"{base}/serviceAccounts/{first}/rotateSecret", timeout=30)
    assert rotated.status_code in (403, 404), rotated.text
    assert acme.cyral(**acme.first["cyral"]).get(
        acme.server.url + "/v1/repos", timeout=30
    ).status_code == 200


def test_a_cyral_token_is_for_its_permissions_only(acme):
    weak = acme.cyral(*acme.credential(acme.chief.id, "cyral_client", ["cyral:View Users"]))
    for method, path in [
        ("GET", "/v1/repos"),
        ("POST", "/v1/sidecars"),
        ("POST", "/v1/users/groups"),
    ]:
        answer = weak.request(method, acme.server.url + path, json={}, timeout=30)
        assert answer.status_code == 403, (path, answer.text)


def test_a_jupiterone_key_makes_no_stronger_key(acme):
    given = acme.graphql(
        "/jupiterone/graphql", CREATE,
        {"token": {"name": acme.unique("narrow"), "policy": NARROW}},
        acme.first["jupiterone"]["api_key"],
    ).json()
    narrow = given["data"]["createToken"]["token"]
    everything = json.dumps(
        {"permissions": [{"effect": "ALLOW", "actions": ["*"], "resources": ["*"]}]}
    )
    refused = acme.graphql(
        "/jupiterone/graphql", CREATE,
        {"token": {"name": acme.unique("wide"), "policy": everything}}, narrow,
    ).json()
    assert refused.get("errors"), refused
    with pytest.raises(Exception):
        acme.jupiterone(narrow).create_entity(
            entity_key=acme.unique("k"), entity_type="thing", entity_class="Record",
            properties={},
        )


def test_a_sonrai_token_has_its_makers_rights_as_they_are(acme):
    user = acme.user()
    bond = strongdm.AccountAttachment(account_id=user.id, role_id=acme.administrator.id)
    bond = acme.sdm.account_attachments.create(bond).account_attachment
    _, token = acme.credential(user.id, "sonrai_token")
    query = "{ SonraiUsers { count } }"
    assert acme.graphql("/sonrai/graphql", query, token=token).json()["data"]["SonraiUsers"]
    acme.sdm.account_attachments.delete(bond.id)
    refused = acme.graphql("/sonrai/graphql", query, token=token).json()
    assert refused.get("errors"), refused


@pytest.mark.parametrize(
    "rights", [["strongdm:role:create"], ["accounts:manage"], ["nonsense:right"]]
)
def test_a_lesser_credential_cannot_issue_rights(acme, rights):
    _, token = acme.credential(acme.chief.id, "api_token", ["credentials:manage"])
    answer = acme.graphql(
        "/durward/graphql",
        "mutation($input: CreateCredentialInput!) { createCredential(input: $input) { secret } }",
        {
            "input": {
                "account": acme.chief.id.split("-")[1], "kind": "api_token",
                "name": acme.unique("t"), "rights": rights,
            }
        },
        token,
    ).json()
    assert answer.get("errors"), answer


def test_sonrai_filters_know_no_secrets(acme):
    token = acme.first["sonrai"]["token"]
    query = '{ SonraiUsers(where: {passwordHash: {op: NEQ, value: ""}}) { count } }'
    answer = acme.graphql("/sonrai/graphql", query, token=token).json()
    assert answer.get("errors"), answer


def test_opencti_filters_know_no_secrets(acme):
    query = (
        '{ users(filters: {mode: and, filterGroups: [], filters: ['
        '{key: ["passwordHash"], values: ["x"], operator: not_eq}]}) { edges { node { id } } } }'
    )
    token = acme.first["opencti"]["token"]
    answer = acme.graphql("/opencti/graphql", query, token=token).json()
    assert answer.get("errors"), answer


def test_requests_without_or_with_foreign_tokens_are_refused(acme):
    cyral = acme.cyral(**acme.first["cyral"]).headers["Authorization"].split()[1]
    for path in ("/durward/graphql", "/jupiterone/graphql"):
        answer = acme.graphql(path, "{ __typename }", token=cyral + "x")
        assert answer.status_code == 401 or answer.json().get("errors")
    answer = requests.get(
        acme.server.url + "/v1/repos",
        headers={"Authorization": f"Bearer {acme.first['strongdm']['secret_key']}"},
        timeout=30,
    )
    assert answer.status_code == 401
