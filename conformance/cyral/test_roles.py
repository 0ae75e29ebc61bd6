# SPDX-License-Identifier: Apache-2.0
"""Permissions, roles, clients with permissions, and refusals."""

import pytest
import requests

from cyral_support import PERMISSIONS


def test_permissions_are_named_exactly(api):
    rows = api.get("/v1/users/roles")["roles"]
    assert {row["name"] for row in rows} == PERMISSIONS
    assert all(row["description"] == row["name"] for row in rows)
    assert len({row["id"] for row in rows}) == len(rows)


def identities(api, *names):
    """Ids of permissions."""
    rows = api.get("/v1/users/roles")["roles"]
    return [row["id"] for row in rows if row["name"] in names]


def test_a_role_from_its_making_to_its_end(api):
    wanted = identities(api, "View Users", "View Roles")
    made = api.post("/v1/users/groups", {"name": "auditors", "roles": wanted})
    path = f"/v1/users/groups/{made['id']}"
    assert sorted(row["id"] for row in made["roles"]) == sorted(wanted)
    assert api.get(path)["roles"] == made["roles"]
    listed = [row for row in api.get("/v1/users/groups")["groups"] if row["id"] == made["id"]]
    assert sorted(listed[0]["roles"]) == sorted(wanted)
    assert listed[0]["members"] == [] and listed[0]["mappings"] == []
    api.post("/v1/users/groups", {"name": "auditors", "roles": []}, status=409)
    api.post("/v1/users/groups", {"name": "others", "roles": ["no"]}, status=400)
    api.put(path, {"name": "watchers", "roles": identities(api, "View Audit Logs")})
    known = api.get(path)
    assert known["name"] == "watchers"
    assert [row["name"] for row in known["roles"]] == ["View Audit Logs"]
    api.delete(path)
    api.get(path, status=404)


def test_built_in_roles_are_seen_and_stay(api, plane):
    groups = {row["name"]: row for row in api.get("/v1/users/groups")["groups"]}
    administrator = groups["Administrator"]
    assert len(administrator["roles"]) == len(PERMISSIONS)
    assert administrator["members"] == ["admin@conformance.example"]
    api.delete(f"/v1/users/groups/{administrator['id']}", status=400)


def test_mappings_to_groups_of_an_identity_provider(api):
    role = api.post("/v1/users/groups", {"name": "mapped", "roles": []})["id"]
    path = f"/v1/users/groups/{role}/mappings"
    given = [{"groupName": "everyone", "connectionAlias": "okta"},
             {"groupName": "dba", "connectionAlias": "okta"}]
    api.ask("PATCH", path, given)
    api.ask("PATCH", path, given[:1])
    known = api.get(path)["mappings"]
    assert [row["groupName"] for row in known] == ["everyone", "dba"]
    api.delete(path, [known[0]["id"]])
    assert [row["groupName"] for row in api.get(path)["mappings"]] == ["dba"]
    api.delete(f"/v1/users/groups/{role}")


def test_a_client_from_its_making_to_its_end(api):
    wanted = identities(api, "View Users")
    made = api.post("/v1/users/serviceAccounts", {"displayName": "robot", "roleIds": wanted})
    assert set(made) == {"displayName", "clientId", "clientSecret", "roleIds"}
    path = f"/v1/users/serviceAccounts/{made['clientId']}"
    known = {"displayName": "robot", "clientId": made["clientId"], "roleIds": wanted}
    assert api.get(path) == known
    assert known in api.get("/v1/users/serviceAccounts")["serviceAccounts"]
    more = identities(api, "View Users", "View Roles")
    api.ask("PATCH", path, {"displayName": "machine", "roleIds": more})
    assert api.get(path)["displayName"] == "machine"
    assert sorted(api.get(path)["roleIds"]) == sorted(more)
    api.ask("PATCH", path, {"displayName": "robot"})
    assert sorted(api.get(path)["roleIds"]) == sorted(more)
    for wrong in ({"displayName": "x"}, {"displayName": "x", "roleIds": []},
                  {"displayName": "x", "roleIds": ["no"]}, {"roleIds": wanted}):
        api.post("/v1/users/serviceAccounts", wrong, status=400)
    api.delete(path)
    api.get(path, status=404)
    api.delete(path, status=404)


def test_a_client_gives_no_more_than_it_has(client):
    limited = client("Modify Users", "View Users")
    body = {"displayName": "stronger", "roleIds": ["Modify Policies"]}
    limited.post("/v1/users/serviceAccounts", body, status=403)
    body["roleIds"] = ["View Users"]
    made = limited.post("/v1/users/serviceAccounts", body)
    path = f"/v1/users/serviceAccounts/{made['clientId']}"
    limited.ask("PATCH", path, {"roleIds": ["Modify Roles"]}, status=403)
    limited.post("/v1/users/groups", {"name": "x", "roles": []}, status=403)


def test_changed_permissions_count_at_once(api, client, repo):
    one = client("View Users")
    one.get("/v1/sidecars", status=403)
    path = f"/v1/users/serviceAccounts/{one.client_id}"
    api.ask("PATCH", path, {"roleIds": ["View Sidecars and Repositories"]})
    assert repo in [row["id"] for row in one.get("/v1/repos")["repos"]]
    one.delete(f"/v1/repos/{repo}", status=403)
    one.get("/v1/users/serviceAccounts", status=403)


@pytest.mark.parametrize("permission", ["Modify Sidecars and Repositories"])
def test_the_permission_for_sidecars_is_enough_for_all_of_them(client, permission):
    one = client(permission)
    repo = one.post("/v1/repos", {"name": "of one", "type": "mysql", "repoHost": "h",
                                  "repoPort": 3306})["id"]
    sidecar = one.post("/v1/sidecars", {"name": "of one"})["id"]
    binding = one.post(f"/v1/sidecars/{sidecar}/bindings", {"binding": {"repoId": repo}})
    one.put(f"/v1/repos/{repo}/accessGateway", {
        "accessGateway": {"sidecarId": sidecar, "bindingId": binding["bindingId"]}})
    made = one.post("/v1/users/sidecarAccounts", {"sidecarId": sidecar})
    one.get(f"/v1/users/sidecarAccounts/{made['clientId']}")
    one.delete(f"/v1/sidecars/{sidecar}")
    one.delete(f"/v1/repos/{repo}")


def test_strangers_and_their_tokens(api):
    for token in (None, "", "x", api.token + "x", api.token[:-4]):
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        for path in ("/v1/sidecars", "/v1/systemInfo", "/v1/users/users/_self"):
            answer = requests.get(f"https://localhost:8000{path}", headers=headers,
                                  verify=api.authority, timeout=30)
            assert answer.status_code == 401
            assert answer.json() == {"code": 16, "message": "authentication failed", "details": []}
            assert answer.headers["www-authenticate"] == "Bearer"


def test_what_is_absent_says_so(api):
    assert api.get("/v1/systemInfo", status=501)["code"] == 12
    api.put("/v1/accessTokens/settings", status=501)
    api.get("/v1/nothing/here", status=404)
    assert api.ask("PATCH", "/v1/repos", {}, status=405)["code"] == 12


def test_bodies_that_cannot_be_read(api):
    url = "https://localhost:8000/v1/repos"
    headers = {"authorization": f"Bearer {api.token}"}

    def post(data):
        return requests.post(url, data=data, headers=headers, verify=api.authority, timeout=60)

    for wrong in (b"{", b"\xff\xfe", b"[1", b'{"name": "\xff"}', b"[" * 5000):
        answer = post(wrong)
        assert (answer.status_code, answer.json()["code"]) == (400, 3), wrong[:20]
    answer = post(b'{"name": "' + b"x" * (5 << 20) + b'"}')
    assert (answer.status_code, answer.json()["code"]) == (413, 3)
