# SPDX-License-Identifier: Apache-2.0
"""One graph, five dialects, one story.

The StrongDM SDK makes a user, a group, a role, a tagged database, a tag rule and a grant; every
other dialect sees them; a role is renamed and deleted; what was true at six instants is the same
in all of them; suspending the account ends its keys everywhere; the audit log tells it all.
"""

import datetime
import json
import time

import pytest
import requests
import strongdm
from jupiterone import JupiterOneClient
from pycti import OpenCTIApiClient

EMAIL = "quinn@conformance.example"
SUSPENDED = "sam@conformance.example"
DATABASE = "story-orders"
REACHES = (
    "FIND account WITH email = '{email}' THAT HAS account_group THAT ASSIGNED access_role AS r "
    "THAT ALLOWS Database WITH displayName = '{name}' RETURN r.displayName AS role"
)
GRANTED = (
    "FIND account WITH email = '{email}' THAT ALLOWS Database WITH displayName = '{name}' AS d "
    "RETURN d.displayName AS name"
)
USER_AGENT = "strongdm-sdk-python/18.4.0"


class Story:
    """The organization with one client of each dialect, all of the administrator."""

    def __init__(self, server):
        self.server = server
        first = server.credentials
        self.strongdm = self.strongdm_client(**first["strongdm"])
        self.jupiterone = self.jupiterone_client(first["jupiterone"]["api_key"])
        self.native_token = first["api_token"]
        self.instants = {}

    def strongdm_client(self, access_key, secret_key):
        host = self.server.url.removeprefix("http://")
        return strongdm.Client(access_key, secret_key, host=host, insecure=True)

    def jupiterone_client(self, token):
        return JupiterOneClient(
            account=self.server.credentials["jupiterone"]["account"],
            token=token,
            url=self.server.url + "/graphql",
            sync_url=self.server.url,
        )

    def graphql(self, path, token, query, variables=None):
        return requests.post(
            self.server.url + path,
            json={"query": query, "variables": variables or {}},
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )

    def native(self, query, **variables):
        answer = self.graphql("/durward/graphql", self.native_token, query, variables).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def sonrai(self, token, query):
        return self.graphql("/sonrai/graphql", token, query)

    def cyral_token(self, client_id, client_secret):
        return requests.post(
            self.server.url + "/v1/users/oidc/token",
            data={
                "grant_type": "client_credentials",
                "client_id": client_id,
                "client_secret": client_secret,
            },
            timeout=30,
        )

    def cyral(self, path, token):
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(self.server.url + path, headers=headers, timeout=30)

    def j1ql(self, query, at=None):
        text = (
            "query($query: String!, $at: DateTime) {"
            " queryV1(query: $query, at: $at) { type data } }"
        )
        token = self.server.credentials["jupiterone"]["api_key"]
        variables = {"query": query, "at": at.isoformat() if at else None}
        answer = self.graphql("/jupiterone/graphql", token, text, variables).json()
        assert "errors" not in answer, answer
        return answer["data"]["queryV1"]["data"]

    def mark(self, name):
        """Notes an instant that lies strictly between two changes."""
        time.sleep(0.02)
        self.instants[name] = datetime.datetime.now(datetime.timezone.utc)
        time.sleep(0.02)


@pytest.fixture(scope="module")
def story(start_server):
    """The story, told to a server of its own: its audit log is read to the end."""
    return tell(Story(start_server("story")))


def tell(story):
    """What happens, with an instant noted after each step."""
    sdm = story.strongdm
    story.mark("before")
    user = strongdm.User(email=EMAIL, first_name="Quinn", last_name="Reyes")
    story.user = sdm.accounts.create(user).account
    story.group = sdm.groups.create(strongdm.Group(name="story-dba")).group
    postgres = strongdm.Postgres(
        name=DATABASE,
        hostname="orders.conformance.example",
        port=5432,
        database="orders",
        username="reader",
        password="not-a-real-password",
        tags={"env": "story"},
    )
    story.database = sdm.resources.create(postgres).resource
    role = strongdm.Role(name="story-readers", access_rules=[{"tags": {"env": "story"}}])
    story.role = sdm.roles.create(role).role
    story.mark("made")
    sdm.groups_roles.create(
        strongdm.GroupRole(group_id=story.group.id, role_id=story.role.id)
    )
    sdm.accounts_groups.create(
        strongdm.AccountGroup(group_id=story.group.id, account_id=story.user.id)
    )
    story.mark("joined")
    grant = strongdm.AccountGrant(account_id=story.user.id, resource_id=story.database.id)
    story.grant = sdm.account_grants.create(grant).account_grant
    story.mark("granted")
    story.role.name = "story-writers"
    sdm.roles.update(story.role)
    story.mark("renamed")
    sdm.roles.delete(story.role.id)
    story.mark("deleted")
    return story


# Name of the role by which the user reaches the database, and whether there is a grant.
TRUTH = {
    "before": (None, False),
    "made": (None, False),
    "joined": ("story-readers", False),
    "granted": ("story-readers", True),
    "renamed": ("story-writers", True),
    "deleted": (None, True),
}


@pytest.mark.parametrize("moment", TRUTH)
def test_j1ql_at_an_instant(story, moment):
    role, has_grant = TRUTH[moment]
    at = story.instants[moment]
    rows = story.j1ql(REACHES.format(email=EMAIL, name=DATABASE), at)
    assert [row["role"] for row in rows] == ([role] if role else [])
    rows = story.j1ql(GRANTED.format(email=EMAIL, name=DATABASE), at)
    assert [row["name"] for row in rows] == ([DATABASE] if has_grant else [])


@pytest.mark.parametrize("moment", TRUTH)
def test_snapshot_of_effective_access(story, moment):
    role, has_grant = TRUTH[moment]
    past = story.strongdm.snapshot_at(story.instants[moment])
    rows = list(past.account_resources.list("account_id:?", story.user.id))
    by_role = [row for row in rows if row.role_id]
    by_grant = [row for row in rows if row.account_grant_id]
    assert [row.resource_id for row in by_role] == ([story.database.id] if role else [])
    assert [row.account_grant_id for row in by_grant] == ([story.grant.id] if has_grant else [])
    if moment in ("before", "deleted"):
        with pytest.raises(strongdm.NotFoundError):
            past.roles.get(story.role.id)
    elif role:
        assert past.roles.get(story.role.id).role.name == role


def test_history_of_the_role(story):
    rows = list(story.strongdm.roles_history.list("id:?", story.role.id))
    assert [row.role.name for row in rows] == ["story-readers", "story-writers", "story-writers"]
    assert [row.deleted_at is not None for row in rows] == [False, False, True]
    instants = story.instants
    assert instants["before"] < rows[0].timestamp < instants["made"]
    assert instants["granted"] < rows[1].timestamp < instants["renamed"]
    assert instants["renamed"] < rows[2].timestamp < instants["deleted"]
    activity = story.strongdm.activities.get(rows[1].activity_id).activity
    assert activity.actor.email == "admin@conformance.example"


def test_the_jupiterone_client_finds_who_reaches_it(story):
    found = story.jupiterone.query_v1(GRANTED.format(email=EMAIL, name=DATABASE))
    assert found["data"] == [{"name": DATABASE}]


def test_sonrai_shows_the_user(story):
    token = story.server.credentials["sonrai"]["token"]
    answer = story.sonrai(token, "{ SonraiUsers { count items { email isActive name } } }").json()
    users = {user["email"]: user for user in answer["data"]["SonraiUsers"]["items"]}
    assert users[EMAIL]["isActive"] is True
    assert users[EMAIL]["name"] == "Quinn Reyes"


def test_opencti_shows_the_user(story):
    client = OpenCTIApiClient(
        story.server.url, story.server.credentials["opencti"]["token"], log_level="critical"
    )
    answer = client.query("{ users { edges { node { user_email name } } } }")
    users = [edge["node"] for edge in answer["data"]["users"]["edges"]]
    assert {"user_email": EMAIL, "name": "Quinn Reyes"} in users


def test_cyral_shows_the_database(story):
    first = story.server.credentials["cyral"]
    token = story.cyral_token(first["client_id"], first["client_secret"]).json()["access_token"]
    repos = story.cyral("/v1/repos", token).json()["repos"]
    repo = next(row["repo"] for row in repos if row["repo"]["name"] == DATABASE)
    assert repo["type"] == "postgresql"
    assert repo["repoNodes"][0]["host"] == "orders.conformance.example"
    assert repo["repoNodes"][0]["port"] == 5432


def test_suspension_ends_the_keys_of_all_dialects(story):
    """An account with a key of every kind; all work; one request later none does."""
    user = strongdm.User(
        email=SUSPENDED, first_name="Sam", last_name="Vance",
        permission_level="admin",
    )
    user = story.strongdm.accounts.create(user).account
    roles = story.native("{ accounts { nodes { id email } } }")["accounts"]["nodes"]
    account = next(row["id"] for row in roles if row["email"] == SUSPENDED)
    administrator = next(
        role for role in story.strongdm.roles.list("name:Administrator")
    )
    story.strongdm.account_attachments.create(
        strongdm.AccountAttachment(account_id=user.id, role_id=administrator.id)
    )
    end = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)).isoformat()
    kinds = ["api_token", "jupiterone_api_key", "opencti_token", "sonrai_token", "strongdm_key"]
    keys = {}
    for kind in [*kinds, "cyral_client"]:
        made = story.native(
            "mutation($input: CreateCredentialInput!) { createCredential(input: $input) {"
            " secret credential { publicId } } }",
            input={"account": account, "kind": kind, "name": f"sam {kind}", "expiresAt": end},
        )["createCredential"]
        keys[kind] = (made["credential"]["publicId"], made["secret"])
    granted = story.cyral_token(*keys["cyral_client"]).json()["access_token"]
    sam = story.strongdm_client(*keys["strongdm_key"])
    me = "{ SonraiCurrentUsers { items { email } } }"

    def native():
        token = keys["api_token"][1]
        return story.graphql("/durward/graphql", token, "{ caller { email } }").json()

    def jupiterone():
        query = "query { queryV1(query: \"FIND account LIMIT 1\") { data } }"
        return story.graphql("/jupiterone/graphql", keys["jupiterone_api_key"][1], query)

    def opencti():
        query = "{ me { user_email } }"
        return story.graphql("/opencti/graphql", keys["opencti_token"][1], query).json()

    assert "errors" not in native()
    assert jupiterone().status_code == 200
    assert opencti()["data"]["me"]["user_email"] == user.email
    assert story.sonrai(keys["sonrai_token"][1], me).json()["data"]
    assert sam.roles.list("name:Administrator")
    assert story.cyral("/v1/repos", granted).status_code == 200

    user.permission_level = "suspended"
    assert story.strongdm.accounts.update(user).account.suspended is True

    assert native()["errors"]
    assert jupiterone().status_code == 401
    assert opencti()["errors"][0]["extensions"]["code"] == "AUTH_REQUIRED"
    assert story.sonrai(keys["sonrai_token"][1], me).status_code == 401
    with pytest.raises(strongdm.AuthenticationError):
        list(sam.roles.list(""))
    assert story.cyral("/v1/repos", granted).status_code == 401
    assert story.cyral_token(*keys["cyral_client"]).status_code == 401


def told(story):
    """What was done with the SDK, the newest first."""
    trail = story.native(
        "{ auditTrail(first: 500) { nodes { activity actor { email } sourceAddress userAgent"
        " committedAt } } }"
    )["auditTrail"]["nodes"]
    return [row for row in trail if (row["userAgent"] or "").startswith(USER_AGENT)]


def test_the_audit_log_tells_the_story(story):
    deadline = time.monotonic() + 10
    # Refusals are recorded a moment after they are answered.
    while "authentication failed" not in [row["activity"] for row in told(story)]:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    rows = told(story)
    activities = [row["activity"] for row in reversed(rows)]
    expected = [
        "user created", "group created", "resource created", "role created",
        "role of a group created", "group membership created", "grant created",
        "role updated", "role deleted",
    ]
    assert activities[: len(expected)] == expected
    for row in rows:
        assert row["sourceAddress"] == "127.0.0.1"
        if row["activity"] != "authentication failed":
            assert row["actor"]["email"] in ("admin@conformance.example", SUSPENDED)
    assert any(row["activity"] == "authentication failed" for row in rows)
    assert any(row["activity"] == "account suspended" for row in rows)
    verified = story.server.run(
        "audit", "verify", "--url", story.server.url, "--token", story.native_token
    )
    assert verified
    exported = story.server.run(
        "audit", "export", "--url", story.server.url, "--token", story.native_token
    )
    assert any(json.loads(line)["activity"] == "role deleted" for line in exported.splitlines())
