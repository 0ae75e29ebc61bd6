# SPDX-License-Identifier: Apache-2.0
"""Sidecars, their listeners, bindings and credentials."""

import requests


LISTENER = {"repoTypes": ["postgresql"], "address": {"host": "0.0.0.0", "port": 5432}}


def listen(api, sidecar, **changes):
    """A listener of a sidecar."""
    body = {"listenerConfig": {**LISTENER, **changes}}
    return api.post(f"/v1/sidecars/{sidecar}/listeners", body)["listenerId"]


def bind(api, sidecar, repo, *listeners):
    """A binding of a repository."""
    used = [{"listenerId": listener, "nodeIndex": 0} for listener in listeners]
    body = {"sidecarId": sidecar,
            "binding": {"repoId": repo, "enabled": True, "listenerBindings": used}}
    return api.post(f"/v1/sidecars/{sidecar}/bindings", body)["bindingId"]


def test_a_sidecar_from_its_making_to_its_end(api):
    body = {
        "name": "north", "labels": ["a", "b"], "userEndpoint": "north.example",
        "properties": {"deploymentMethod": "terraform", "logIntegrationID": ""},
        "services": {"dispatcher": {"bypass": "failover"}},
        "certificateBundleSecrets": {"sidecar": {"engine": "", "secretId": "x", "type": "aws"}},
        "ofSomeLaterVersion": {"ignored": True},
    }
    made = api.post("/v1/sidecars", body)
    assert made["id"] == made["ID"]
    path = f"/v1/sidecars/{made['id']}"
    known = api.get(path)
    del body["ofSomeLaterVersion"]
    assert known == {**body, "id": made["id"], "endpoint": ""}
    assert {"id": made["id"], "sidecar": known} in api.get("/v1/sidecars")
    wrapped = api.get(path.replace("/v1/", "/v2/"))["sidecar"]
    assert wrapped["name"] == "north" and wrapped["version"] == ""
    assert api.get(path.replace("/v1/", "/v2/") + "/health") == {"status": "UNKNOWN"}
    assert api.get(path.replace("/v1/", "/v2/") + "/instances") == {"instances": []}
    api.get(path.replace("/v1/", "/v2/") + "/instances/i/stats", status=404)
    api.post("/v1/sidecars", {"name": "north"}, status=409)
    api.post("/v1/sidecars", {}, status=400)
    # What the command line client sends; the rest stays.
    assert api.put(path, {"services": {"dispatcher": {"log-level": "debug"}}}) is not None
    assert api.get(path)["services"] == {
        "dispatcher": {"bypass": "failover", "log-level": "debug"}
    }
    assert api.get(path)["labels"] == ["a", "b"]
    empty = {"engine": "", "secretId": "", "type": ""}
    api.put(path, {"name": "south", "certificateBundleSecrets": {"sidecar": empty}})
    known = api.get(path)
    assert (known["name"], known["certificateBundleSecrets"]) == ("south", {})
    api.delete(path)
    assert "NotFound" in api.get(path, status=404)["message"]
    api.put(path, {"name": "x"}, status=404)
    api.delete(path, status=404)


def test_lists_are_in_order_of_creation(api):
    made = [api.post("/v1/sidecars", {"name": name})["id"] for name in ("zulu", "alpha", "mike")]
    listed = [row["id"] for row in api.get("/v1/sidecars") if row["id"] in made]
    assert listed == made
    for identity in made:
        api.delete(f"/v1/sidecars/{identity}")


def test_listeners(api, sidecar):
    path = f"/v1/sidecars/{sidecar}/listeners"
    first = listen(api, sidecar)
    second = listen(api, sidecar, repoTypes=["s3"], address={"port": 453},
                    s3Settings={"proxyMode": True})
    listed = api.get(path)["listenerConfigs"]
    assert [row["id"] for row in listed] == [first, second]
    assert listed[0] == {**LISTENER, "id": first}
    one = api.get(f"{path}/{second}")["listenerConfig"]
    assert one == {"id": second, "repoTypes": ["s3"], "address": {"port": 453},
                   "s3Settings": {"proxyMode": True}}
    api.put(f"{path}/{second}", {"listenerConfig": {**LISTENER, "address": {"port": 1}}})
    assert api.get(f"{path}/{second}")["listenerConfig"]["address"] == {"port": 1}
    for wrong in ({"address": {"port": 0}}, {"address": {"port": 65536}}, {"repoTypes": []},
                  {"repoTypes": ["toaster"]}):
        api.post(path, {"listenerConfig": {**LISTENER, **wrong}}, status=400)
    api.post(path, LISTENER, status=400)
    api.delete(f"{path}/{first}")
    api.get(f"{path}/{first}", status=404)


def test_bindings(api, sidecar, repo):
    path = f"/v1/sidecars/{sidecar}/bindings"
    listener = listen(api, sidecar)
    binding = bind(api, sidecar, repo, listener)
    known = api.get(f"{path}/{binding}")["binding"]
    assert known == {"id": binding, "repoId": repo, "enabled": True,
                     "listenerBindings": [{"listenerId": listener, "nodeIndex": 0}]}
    assert api.get(path)["bindings"] == [known]
    api.delete(f"/v1/sidecars/{sidecar}/listeners/{listener}", status=400)
    # Clients leave out what is false.
    api.put(f"{path}/{binding}", {"binding": {"repoId": repo, "listenerBindings": []}})
    known = api.get(f"{path}/{binding}")["binding"]
    assert (known["enabled"], known["listenerBindings"]) == (False, [])
    for wrong in ({"repoId": "0123456789abcdef"},
                  {"repoId": repo, "listenerBindings": [{"listenerId": "no"}]}):
        api.post(path, {"binding": wrong}, status=400)
    api.delete(f"{path}/{binding}")
    api.get(f"{path}/{binding}", status=404)


def test_composed_bindings_in_pages(api, sidecar, repo):
    listener = listen(api, sidecar)
    made = [bind(api, sidecar, repo, listener) for _ in range(5)]
    path = f"/v1/sidecars/{sidecar}/composedBindings/filter?pageSize=2"
    seen, after = [], ""
    while True:
        page = api.post(path + after)
        seen += page["composedBindings"]
        if len(seen) >= page["totalCount"]:
            break
        after = f"&pageAfter={seen[-1]['binding']['id']}"
    assert [row["binding"]["id"] for row in seen] == made
    assert seen[0]["listeners"][0]["address"] == LISTENER["address"]
    api.post(path + "&pageAfter=no", status=404)
    api.post(path.replace("=2", "=none"), status=400)


def test_credentials_of_a_sidecar_end_with_it(api, authority):
    identity = api.post("/v1/sidecars", {"name": "with credentials"})["id"]
    made = api.post("/v1/users/sidecarAccounts", {"sidecarId": identity})
    assert made["sidecarId"] == identity and made["clientSecret"]
    path = f"/v1/users/sidecarAccounts/{made['clientId']}"
    assert api.get(path) == {"sidecarId": identity, "clientId": made["clientId"]}
    api.get(f"/v1/users/serviceAccounts/{made['clientId']}", status=404)
    api.delete(path)
    api.get(path, status=404)
    made = api.post("/v1/users/sidecarAccounts", {"sidecarId": identity})
    api.delete(f"/v1/sidecars/{identity}")
    api.get(f"/v1/users/sidecarAccounts/{made['clientId']}", status=404)
    api.post("/v1/users/sidecarAccounts", {"sidecarId": identity}, status=404)


def test_no_sidecar_has_an_authority_yet(api, sidecar):
    path = "https://localhost:8000/v2/sidecars/{}/certificate/ca"
    for identity in (sidecar, "0123456789abcdef"):
        answer = requests.get(path.format(identity), verify=api.authority, timeout=30)
        assert answer.status_code == 404


