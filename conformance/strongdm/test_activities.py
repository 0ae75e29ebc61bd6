# SPDX-License-Identifier: Apache-2.0
"""Activities: who did what to what, from where."""

import datetime

import pytest
import strongdm

from test_snapshots import now


def test_an_activity_tells_who_did_what(client, server):
    start = now()
    user = strongdm.User(email="act@example.com", first_name="Act", last_name="Or")
    user = client.accounts.create(user).account
    role = client.roles.create(strongdm.Role(name="acting")).role
    attachment = strongdm.AccountAttachment(account_id=user.id, role_id=role.id)
    client.account_attachments.create(attachment)
    role.access_rules = [{"type": "redis"}]
    client.roles.update(role)
    user.email = "acted@example.com"
    client.accounts.update(user)
    client.roles.delete(role.id)
    found = list(client.activities.list("after:?", start.isoformat()))
    assert [one.verb for one in found] == [
        strongdm.ActivityVerb.USER_ADDED,
        strongdm.ActivityVerb.ROLE_ADDED,
        strongdm.ActivityVerb.USER_ADDED_TO_ROLE,
        strongdm.ActivityVerb.ROLE_ACCESS_RULES_CREATED,
        strongdm.ActivityVerb.USER_UPDATED,
        strongdm.ActivityVerb.ROLE_DELETED,
    ]
    added = found[2]
    assert added.actor.email == "admin@conformance.example" and added.actor.id.startswith("a-")
    touched = {(one.type, one.id, one.name or one.email) for one in added.entities}
    assert ("role", role.id, "acting") in touched
    assert [one.email for one in added.entities if one.id == user.id] == ["act@example.com"]
    assert added.ip_address == "127.0.0.1" and "strongdm-sdk-python" in added.user_agent
    assert start < added.completed_at < datetime.datetime.now(datetime.timezone.utc)
    assert client.activities.get(added.id).activity.description == added.description
    assert "acting" in added.description
    for filter, verbs in [
        ("verb:role*", [1, 5]),
        (f"entity:{role.id}", [1, 2, 3, 5]),
        (f"entity_id:{user.id} verb:user*", [0, 2, 4]),
        ("actor:admin@conformance.example verb:role*", [1, 5]),
        ("actor:nobody@*", []),
        ("entity_type:datasource", []),
    ]:
        listed = client.activities.list(f"after:? {filter}", start.isoformat())
        assert [one.id for one in listed] == [found[at].id for at in verbs], filter
    end = found[2].completed_at.isoformat()
    listed = client.activities.list("after:? before:?", start.isoformat(), end)
    assert [one.id for one in listed] == [one.id for one in found[:2]]


def test_nothing_secret_is_told(client):
    start = now()
    redis = strongdm.Redis(name="told", hostname="r.example", port=1, password="never-told")
    redis = client.resources.create(redis).resource
    shown = str(list(client.activities.list("after:?", start.isoformat())))
    assert "told" in shown and "never-told" not in shown
    assert "never-told" not in str(list(client.resources_history.list("id:?", redis.id)))


def test_rights_are_asked_for(client, connect_with):
    token = strongdm.Token(
        name="no auditor", account_type="api", permissions=[strongdm.Permission.ROLE_LIST]
    )
    made = client.accounts.create(token)
    other = connect_with(made.access_key, made.secret_key)
    for service in ["activities", "roles_history", "account_resources", "account_permissions"]:
        with pytest.raises(strongdm.PermissionError):
            list(getattr(other, service).list(""))
    with pytest.raises(strongdm.NotFoundError):
        client.activities.get("at-ffffffffffffffff")
