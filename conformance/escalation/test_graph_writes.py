# SPDX-License-Identifier: Apache-2.0
"""Generic graph writes and synchronization cannot make anybody stronger."""

import pytest
import requests

CORE_TYPES = [
    "account",
    "account_service",
    "account_group",
    "access_role",
    "access_resource",
    "access_node",
    "access_policy",
    "credential",
]


def role_and_user(acme):
    user = acme.user()
    role = acme.entity_id("access_role", "Administrator")
    return user, acme.entity_id("account", user.email), role


@pytest.mark.parametrize("verb", ["ASSIGNED", "HAS", "ALLOWS", "OWNS"])
def test_no_relationship_between_core_objects(acme, verb):
    _, user, role = role_and_user(acme)
    with pytest.raises(Exception, match="protected"):
        acme.jupiterone().create_relationship(
            relationship_key=acme.unique("key"),
            relationship_type="account_assigned_access_role",
            relationship_class=verb,
            from_entity_id=user,
            to_entity_id=role,
        )


@pytest.mark.parametrize("kind", CORE_TYPES)
def test_no_entity_of_a_core_type(acme, kind):
    with pytest.raises(Exception, match="protected"):
        acme.jupiterone().create_entity(
            entity_key=acme.unique("key"),
            entity_type=kind,
            entity_class="User",
            properties={"displayName": "intruder", "rights": ["*"]},
        )


def test_core_entities_cannot_be_changed_or_deleted(acme):
    _, user, role = role_and_user(acme)
    client = acme.jupiterone()
    with pytest.raises(Exception, match="protected"):
        client.update_entity(role, properties={"rights": ["*"]})
    with pytest.raises(Exception, match="protected"):
        client.delete_entity(user)


@pytest.mark.parametrize("mode", ["DIFF", "PATCH", "CREATE_OR_UPDATE"])
@pytest.mark.parametrize("kind", CORE_TYPES)
def test_synchronization_refuses_core_types(acme, kind, mode):
    base = acme.server.url + "/persister/synchronization/jobs"
    headers = {"Authorization": f"Bearer {acme.first['jupiterone']['api_key']}"}
    start = {"source": "api", "scope": acme.unique("scope"), "syncMode": mode}
    job = requests.post(base, json=start, headers=headers, timeout=30).json()
    body = {
        "entities": [
            {"_key": acme.unique("k"), "_type": kind, "_class": "User", "displayName": "intruder"}
        ]
    }
    url = f"{base}/{job['job']['id']}"
    uploaded = requests.post(f"{url}/upload", json=body, headers=headers, timeout=30)
    finalized = requests.post(f"{url}/finalize", json={}, headers=headers, timeout=30)
    assert uploaded.status_code == 400 or finalized.status_code == 400, uploaded.text
    found = acme.jupiterone().query_v1(f"FIND {kind} WITH displayName = 'intruder'")
    assert found["data"] == []


def test_a_job_under_the_core_source_is_refused(acme):
    base = acme.server.url + "/persister/synchronization/jobs"
    headers = {"Authorization": f"Bearer {acme.first['jupiterone']['api_key']}"}
    start = {"source": "durward", "scope": "", "syncMode": "DIFF"}
    answer = requests.post(base, json=start, headers=headers, timeout=30)
    assert answer.status_code in (400, 403), answer.text
    assert list(acme.sdm.roles.list("name:Administrator"))


@pytest.mark.parametrize(
    "query",
    [
        "FIND account WITH passwordHash != undefined",
        "FIND account AS a RETURN a.passwordHash",
        "FIND access_resource WITH sealedCredentials != undefined",
        "FIND access_resource AS r RETURN r.sealedCredentials",
        "FIND credential WITH secretHash != undefined",
        "FIND credential AS c RETURN c.secretHash, c.sealedSecret",
        "FIND credential AS c ORDER BY c.secretHash RETURN c.displayName",
    ],
)
def test_secret_properties_cannot_be_asked_for(acme, query):
    answer = acme.graphql(
        "/jupiterone/graphql",
        "query($q: String!) { queryV1(query: $q) { data } }",
        {"q": query},
        acme.first["jupiterone"]["api_key"],
    ).json()
    rows = (answer.get("data") or {}).get("queryV1", {}).get("data") or []
    if "ORDER BY" in query:
        unordered = query.split(" ORDER BY")[0] + " RETURN c.displayName"
        assert len(rows) <= len(acme.jupiterone().query_v1(unordered)["data"])
        return
    values = [value for row in rows for value in row.values()]
    assert not any(values), answer


def test_secrets_are_in_no_export(acme):
    token = acme.first["api_token"]
    exported = acme.server.run("audit", "export", "--url", acme.server.url, "--token", token)
    secret = acme.first["strongdm"]["secret_key"]
    assert secret not in exported and acme.first["cyral"]["client_secret"] not in exported
