# SPDX-License-Identifier: Apache-2.0
"""Histories: a row for each change, with the whole object after it."""

import datetime

import strongdm

from test_snapshots import now


def test_every_change_of_a_role_is_a_row(client):
    role = client.roles.create(strongdm.Role(name="h1", tags={"a": "1"})).role
    middle = now()
    role.name, role.tags = "h2", {"b": "2"}
    client.roles.update(role)
    client.roles.delete(role.id)
    rows = list(client.roles_history.list("id:?", role.id))
    assert [(row.role.name, row.role.tags) for row in rows] == [
        ("h1", {"a": "1"}),
        ("h2", {"b": "2"}),
        ("h2", {"b": "2"}),
    ]
    assert [row.deleted_at for row in rows] == [None, None, rows[2].timestamp]
    assert all(earlier.timestamp < later.timestamp for earlier, later in zip(rows, rows[1:]))
    verbs = [client.activities.get(row.activity_id).activity.verb for row in rows]
    assert verbs == ["role added", "role updated", "role deleted"]
    moment = middle.isoformat()
    after = client.roles_history.list("id:? after:?", role.id, moment)
    before = client.roles_history.list("id:? before:?", role.id, moment)
    assert [row.role.name for row in after] == ["h2", "h2"]
    assert [row.role.name for row in before] == ["h1"]


def test_histories_of_all_nouns(client):
    made = {}
    user = strongdm.User(email="hist@example.com", first_name="H", last_name="1")
    made["accounts"] = user = client.accounts.create(user).account
    made["groups"] = group = client.groups.create(strongdm.Group(name="hist")).group
    made["roles"] = role = client.roles.create(strongdm.Role(name="hist")).role
    redis = strongdm.Redis(name="hist", hostname="r.example", port=6379)
    made["resources"] = redis = client.resources.create(redis).resource
    made["nodes"] = client.nodes.create(strongdm.Relay(name="hist")).node
    policy = strongdm.Policy(name="hist", policy="permit (principal, action, resource);")
    made["policies"] = client.policies.create(policy).policy
    attachment = strongdm.AccountAttachment(account_id=user.id, role_id=role.id)
    made["account_attachments"] = client.account_attachments.create(attachment).account_attachment
    grant = strongdm.AccountGrant(account_id=user.id, resource_id=redis.id)
    made["account_grants"] = client.account_grants.create(grant).account_grant
    member = strongdm.AccountGroup(account_id=user.id, group_id=group.id)
    made["accounts_groups"] = client.accounts_groups.create(member).account_group
    group_role = strongdm.GroupRole(group_id=group.id, role_id=role.id)
    made["groups_roles"] = client.groups_roles.create(group_role).group_role
    for service, noun in reversed(made.items()):
        getattr(client, service).delete(noun.id)
    for service, noun in made.items():
        rows = list(getattr(client, f"{service}_history").list("id:?", noun.id))
        assert len(rows) == 2, service
        assert [row.deleted_at is not None for row in rows] == [False, True], service
        fields = ["account", "group", "role", "resource", "node", "policy"]
        fields += ["account_attachment", "account_grant", "account_group", "group_role"]
        shown = [getattr(rows[1], name) for name in fields if hasattr(rows[1], name)]
        assert [one.id for one in shown] == [noun.id], service


def test_a_deletion_ends_what_hung_on_it(client):
    user = strongdm.User(email="hung@example.com", first_name="H", last_name="1")
    user = client.accounts.create(user).account
    role = client.roles.create(strongdm.Role(name="hung")).role
    attachment = strongdm.AccountAttachment(account_id=user.id, role_id=role.id)
    attachment = client.account_attachments.create(attachment).account_attachment
    client.roles.delete(role.id)
    rows = list(client.account_attachments_history.list("account_id:?", user.id))
    assert [row.deleted_at is not None for row in rows] == [False, True]
    ended = list(client.roles_history.list("id:?", role.id))[-1]
    assert rows[1].activity_id == ended.activity_id


def test_histories_are_paged(client, server):
    role = client.roles.create(strongdm.Role(name="paged 0")).role
    for number in range(1, 12):
        role.name = f"paged {number}"
        client.roles.update(role)
    issued = server.credentials["strongdm"]
    limited = strongdm.Client(
        issued["access_key"],
        issued["secret_key"],
        host=server.url.removeprefix("http://"),
        insecure=True,
        page_limit=5,
    )
    rows = list(limited.roles_history.list("id:?", role.id))
    assert [row.role.name for row in rows] == [f"paged {number}" for number in range(12)]
    assert datetime.timedelta() < rows[-1].timestamp - rows[0].timestamp
