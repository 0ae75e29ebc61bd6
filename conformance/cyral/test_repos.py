# SPDX-License-Identifier: Apache-2.0
"""Repositories and what is configured for them."""

import pytest

TYPES = [
    "auroramysql", "aurorapostgres", "denodo", "dremio", "dynamodb", "dynamodbstreams", "galera",
    "mariadb", "mongodb", "mysql", "oracle", "postgresql", "redshift", "s3", "snowflake",
    "sqlserver",
]


def test_a_repository_from_its_making_to_its_end(api):
    nodes = [
        {"name": "one", "host": "m1.example", "port": 27017, "dynamic": False},
        {"name": "two", "host": "", "port": 0, "dynamic": True},
    ]
    body = {
        "name": "orders", "type": "mongodb", "labels": ["eu", "pii"], "repoNodes": nodes,
        "connParams": {"connDraining": {"auto": True, "waitTime": 5}},
        "mongoDbSettings": {"replicaSetName": "rs", "serverType": "replicaset"},
        "ofSomeLaterVersion": 1, "redshiftSettings": None,
    }
    identity = api.post("/v1/repos", body)["id"]
    path = f"/v1/repos/{identity}"
    known = api.get(path)["repo"]
    expected = {**body, "id": identity, "repoHost": "m1.example", "repoPort": 27017}
    del expected["ofSomeLaterVersion"], expected["redshiftSettings"]
    assert known == expected
    assert {"id": identity, "repo": known} in api.get("/v1/repos")["repos"]
    api.post("/v1/repos", {"name": "orders", "type": "mysql"}, status=409)
    api.put(path, {"name": "invoices", "connParams": None})
    known = api.get(path)["repo"]
    assert known["name"] == "invoices" and "connParams" not in known
    assert known["labels"] == ["eu", "pii"] and known["repoNodes"] == nodes
    api.put(path, {"type": "mysql"}, status=400)
    api.put(path, {"labels": None})
    assert api.get(path)["repo"]["labels"] == []
    api.delete(path)
    assert "Failed to read repo" in api.get(path, status=404)["message"]
    api.put(path, {"name": "x"}, status=404)
    api.delete(path, status=404)


@pytest.mark.parametrize("kind", TYPES)
def test_every_type(api, kind):
    body = {"name": f"a {kind}", "type": kind, "repoHost": "h.example", "repoPort": 1234}
    identity = api.post("/v1/repos", body)["id"]
    found = api.get(f"/v1/repos?type={kind}&name=a+{kind}")["repos"]
    assert identity in [row["id"] for row in found]
    known = api.get(f"/v1/repos/{identity}")["repo"]
    assert known["type"] == kind
    assert known["repoNodes"] == [{"name": "", "host": "h.example", "port": 1234,
                                   "dynamic": False}]
    api.delete(f"/v1/repos/{identity}")


@pytest.mark.parametrize("wrong", [
    {}, {"name": "x"}, {"type": "mysql"}, {"name": "", "type": "mysql"},
    {"name": "x", "type": "toaster"}, {"name": "x", "type": "mysql", "labels": "a"},
    {"name": "x", "type": "mysql", "repoNodes": [{"host": "h"}]},
    {"name": "x", "type": "mysql", "repoNodes": [{"host": "h", "port": 70000}]},
    {"name": 5, "type": "mysql"}, [],
])
def test_wrong_bodies(api, wrong):
    said = api.post("/v1/repos", wrong, status=400)
    assert said["code"] == 3 and said["message"]


def test_lists_are_narrowed(api, repo):
    def names(query):
        return [row["repo"]["name"] for row in api.get(f"/v1/repos?{query}")["repos"]]

    assert names("name=test_lists_are") == ["test_lists_are_narrowed"]
    assert names("name=nothing+of+this+name") == []
    assert names("type=oracle") == []


def test_authentication(api, repo):
    path = f"/v1/repos/{repo}/conf/auth"
    assert "Failed to read repo" in api.get(path, status=404)["message"]
    api.put(path, {"clientTLS": "enable"}, status=404)
    assert api.post(path, {"allowNativeAuth": True, "repoTLS": "enableAndVerifyCert"}) == {}
    api.post(path, {}, status=409)
    assert api.get(path)["authInfo"] == {
        "allowNativeAuth": True, "clientTLS": "disable", "repoTLS": "enableAndVerifyCert",
        "identityProvider": "", "authType": "ACCESS_TOKEN",
    }
    api.put(path, {"clientTLS": "enable"})
    known = api.get(path)["authInfo"]
    assert (known["clientTLS"], known["allowNativeAuth"]) == ("enable", True)
    api.put(path, {"clientTLS": "maybe"}, status=400)
    api.put(path, {"authType": "AWS_IAM"}, status=400)
    api.delete(path)
    api.get(path, status=404)
    api.delete(path, status=404)


def test_analysis(api, repo):
    path = f"/v1/repos/{repo}/conf/analysis"
    assert "Cannot find config data for repo" in api.get(path, status=404)["message"]
    made = api.post(path, {"logGroups": ["sensitive & dql"], "blockOnViolation": True})
    assert made["userConfig"] == api.get(path)["userConfig"]
    known = made["userConfig"]
    assert (known["redact"], known["alertOnViolation"]) == ("all", True)
    assert known["blockOnViolation"] and known["logGroups"] == ["sensitive & dql"]
    # Clients leave out lists that are empty.
    assert api.put(path, {"alertOnViolation": False})["userConfig"]["logGroups"] == []
    api.put(path, {"logGroups": ["gossip"]}, status=400)
    api.delete(path)
    api.get(path, status=404)


def test_network_access(api, repo):
    rules = {"rulesBlockAccess": True,
             "rules": [{"name": "office", "dbAccounts": ["sa"],
                        "sourceIPs": ["192.0.2.0/24", "2001:db8::1"]}]}
    path = f"/v1/repos/{repo}/networkAccessPolicy"
    api.post(path, {"networkAccessRules": rules}, status=400)
    identity = api.post("/v1/repos", {"name": "guarded", "type": "oracle"})["id"]
    path = f"/v1/repos/{identity}/networkAccessPolicy"
    made = api.post(path, {"enabled": True, "networkAccessRules": rules})["policy"]
    rule = made["networkAccessRules"]["rules"][0]
    assert rule["id"] and rule["name"] == "office" and rule["description"] == ""
    assert api.get(path) == made
    api.put(path, made)
    assert api.get(path) == made
    rules["rules"][0]["sourceIPs"] = ["the office"]
    api.put(path, {"networkAccessRules": rules}, status=400)
    api.delete(path)
    api.get(path, status=404)
    api.delete(f"/v1/repos/{identity}")


def test_data_map(api, repo, client):
    path = f"/v1/repos/{repo}/datamap"
    assert api.get(path) == {"labels": {}}
    labels = {"SSN": {"attributes": ["db.public.people.ssn"]}}
    editor, reader = client("Modify Policies"), client("View Datamaps")
    editor.put(path, {"dataMap": {"labels": labels}})
    assert reader.get(path) == {"labels": labels}
    reader.put(path, {"dataMap": {}}, status=403)
    reader.get(f"/v1/repos/{repo}", status=403)
    api.put(path, {"labels": labels}, status=400)
    editor.delete(path)
    assert api.get(path) == {"labels": {}}


def test_access_gateway(api, repo, sidecar):
    path = f"/v1/repos/{repo}/accessGateway"
    api.get(path, status=404)
    wanted = {"sidecarId": sidecar, "bindingId": "no"}
    api.put(path, {"accessGateway": wanted}, status=400)
    binding = {"binding": {"repoId": repo}}
    made = api.post(f"/v1/sidecars/{sidecar}/bindings", binding)["bindingId"]
    wanted["bindingId"] = made
    api.put(path, {"accessGateway": wanted})
    assert api.get(path) == {"accessGateway": wanted}
    api.delete(path)
    api.get(path, status=404)


SCHEMES = ["awsIAM", "awsSecretsManager", "cyralStorage", "hashicorpVault", "environmentVariable",
           "kubernetesSecret", "gcpSecretManager", "azureKeyVault"]


def scheme(**named):
    """An authentication scheme as the provider sends it."""
    return {**dict.fromkeys(SCHEMES), **named}


def test_user_accounts(api, repo, plane):
    path = f"/v1/repos/{repo}/userAccounts"
    body = {"name": "app", "authDatabaseName": "admin",
            "authScheme": scheme(cyralStorage={"password": "a very secret word"}),
            "config": {"approvalConfig": {"automaticGrant": True,
                                          "maxAutomaticGrantDuration": "36000s"}}}
    account = api.post(path, body)["userAccountID"]
    known = api.get(f"{path}/{account}")
    assert known == {**body, "userAccountID": account, "authScheme": scheme(cyralStorage={})}
    api.post(path, body, status=409)
    for wrong in (scheme(), scheme(awsIAM={}, cyralStorage={})):
        api.post(path, {**body, "name": "other", "authScheme": wrong}, status=400)
    vault = scheme(hashicorpVault={"path": "kv/app", "isDynamicUserAccount": False})
    api.put(f"{path}/{account}", {"name": "app2", "authScheme": vault})
    known = api.get(f"{path}/{account}")
    assert known["name"] == "app2" and known["authScheme"] == vault and "config" not in known
    # Nothing that reads the graph shows the password.
    printed = plane.run("query", "FIND access_resource WITH displayName = 'test_user_accounts'",
                        "--url", plane.url.replace("https", "http"),
                        "--token", plane.credentials["api_token"], "--format", "json")
    assert "app2" in printed and "secret word" not in printed
    api.delete(f"{path}/{account}")
    api.get(f"{path}/{account}", status=404)


def test_access_rules_keep_their_order(api, repo):
    accounts = f"/v1/repos/{repo}/userAccounts"
    body = {"name": "app", "authScheme": scheme(environmentVariable={"variableName": "PW"})}
    account = api.post(accounts, body)["userAccountID"]
    path = f"{accounts}/{account}/accessRules"
    assert api.get(path) == {"accessRules": []}
    rules = [
        {"identity": {"type": "group", "name": "dba"}, "validFrom": None, "validUntil": None,
         "config": {"authorizationPolicyInstanceIDs": ["duo"]}},
        {"identity": {"type": "email", "name": "a@x.example"},
         "validFrom": "2026-01-01T00:00:00Z", "validUntil": "2030-01-01T00:00:00Z", "config": None},
        {"identity": {"type": "username", "name": "a"}},
    ]
    assert api.put(path, {"accessRules": rules}) == {"accessRules": rules}
    assert api.get(path) == {"accessRules": rules}
    rules.reverse()
    api.put(path, {"accessRules": rules})
    assert api.get(path) == {"accessRules": rules}
    for wrong in ({"identity": {"type": "team", "name": "x"}}, {"identity": {"type": "email"}},
                  {}, {**rules[0], "validFrom": "soon"},
                  {**rules[1], "validUntil": "2020-01-01T00:00:00Z"}):
        api.put(path, {"accessRules": [wrong]}, status=400)
    assert "accessRules" not in api.get(f"{accounts}/{account}")
    api.put(f"{accounts}/{account}", body)
    assert api.get(path) == {"accessRules": rules}
    api.delete(path)
    assert api.get(path) == {"accessRules": []}


def test_a_repository_is_a_resource_of_the_graph(api, repo, plane):
    printed = plane.run("query", f"FIND Database WITH displayName = "
                        "'test_a_repository_is_a_resource_of_the_graph' AS r RETURN r.kind AS kind",
                        "--url", plane.url.replace("https", "http"),
                        "--token", plane.credentials["api_token"], "--format", "csv")
    assert "postgres" in printed
