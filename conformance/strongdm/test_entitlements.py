# SPDX-License-Identifier: Apache-2.0
"""Who reaches what: effective access now and at several instants."""

import datetime
import time

import pytest
import strongdm

from test_snapshots import now


@pytest.fixture(scope="module")
def crew(client):
    """A user, a group that it is in, a role by rules, two resources."""
    made = {}
    for number in range(2):
        resource = strongdm.Redis(
            name=f"crew-{number}", hostname="redis.crew.example", port=6379, tags={"crew": "yes"}
        )
        made[number] = client.resources.create(resource).resource.id
    rules = [{"type": "redis", "tags": {"crew": "yes"}}]
    made["role"] = client.roles.create(strongdm.Role(name="crew", access_rules=rules)).role.id
    user = strongdm.User(email="crew@example.com", first_name="C", last_name="W")
    made["user"] = client.accounts.create(user).account.id
    return made


def reached(client, filter, *arguments):
    """Resource and what it is reached by."""
    rows = client.account_resources.list(filter, *arguments)
    return sorted((row.resource_id, row.role_id or row.account_grant_id) for row in rows)


def test_roles_give_access_while_they_are_held(client, crew):
    user, role = crew["user"], crew["role"]
    both = sorted([(crew[0], role), (crew[1], role)])
    before = now()
    attachment = strongdm.AccountAttachment(account_id=user, role_id=role)
    made = client.account_attachments.create(attachment).account_attachment
    during = now()
    assert reached(client, "account_id:?", user) == both
    assert reached(client, "account_id:? resource_id:?", user, crew[0]) == [(crew[0], role)]
    assert reached(client, "resourceid:?,resourceid:?", crew[0], crew[1]) == []
    assert reached(client, "resourceid:?,resource_id:?", crew[0], crew[0]) == [(crew[0], role)]
    assert reached(client, "role_id:?", role) == both
    assert reached(client, "role_id:?", user) == []
    client.account_attachments.delete(made.id)
    assert reached(client, "account_id:?", user) == []
    assert reached(client.snapshot_at(before), "account_id:?", user) == []
    assert reached(client.snapshot_at(during), "account_id:?", user) == both
    moments = list(client.account_resources_history.list("account_id:?", user))
    assert [row.deleted_at is not None for row in moments] == [False, False, True, True]
    begun = client.activities.get(moments[0].activity_id).activity
    assert begun.verb == strongdm.ActivityVerb.USER_ADDED_TO_ROLE


def test_a_group_gives_its_roles(client, crew):
    user, role = crew["user"], crew["role"]
    group = client.groups.create(strongdm.Group(name="crew group")).group
    client.groups_roles.create(strongdm.GroupRole(group_id=group.id, role_id=role))
    assert reached(client, "account_id:?", user) == []
    member = strongdm.AccountGroup(account_id=user, group_id=group.id)
    member = client.accounts_groups.create(member).account_group
    assert len(reached(client, "account_id:?", user)) == 2
    client.accounts_groups.delete(member.id)
    assert reached(client, "account_id:?", user) == []


def test_grants_end_by_themselves(client, crew):
    user = crew["user"]
    start = datetime.datetime.now(datetime.timezone.utc)
    until = start + datetime.timedelta(seconds=1.5)
    grant = strongdm.AccountGrant(account_id=user, resource_id=crew[1], valid_until=until)
    grant = client.account_grants.create(grant).account_grant
    rows = list(client.account_resources.list("account_id:?", user))
    assert [row.account_grant_id for row in rows] == [grant.id]
    assert rows[0].expires_at == until.replace(tzinfo=datetime.timezone.utc)
    during = now()
    while datetime.datetime.now(datetime.timezone.utc) <= until:
        time.sleep(0.1)
    assert reached(client, "account_id:?", user) == []
    assert reached(client.snapshot_at(during), "account_id:?", user) == [(crew[1], grant.id)]
    assert reached(client.snapshot_at(until), "account_id:?", user) == []
    rows = [
        row
        for row in client.account_resources_history.list("account_id:?", user)
        if row.account_resource.account_grant_id == grant.id
    ]
    assert [row.deleted_at for row in rows] == [None, until]
    assert rows[0].activity_id and not rows[1].activity_id


def test_resources_of_roles(client, crew):
    rows = list(client.role_resources.list("role_id:?", crew["role"]))
    assert {row.resource_id for row in rows} == {crew[0], crew[1]}
    before = now()
    role = client.roles.get(crew["role"]).role
    role.access_rules = [{"ids": [crew[0]]}]
    client.roles.update(role)
    rows = list(client.role_resources.list("role_id:?", role.id))
    assert [row.resource_id for row in rows] == [crew[0]]
    rows = client.snapshot_at(before).role_resources.list("role_id:?", role.id)
    assert len(list(rows)) == 2
    history = list(client.role_resources_history.list("role_id:?", role.id))
    ends = [row.role_resource.resource_id for row in history if row.deleted_at]
    assert ends == [crew[1]]


def test_permissions(client, server, crew):
    rows = list(client.account_permissions.list("permission:role:create"))
    assert rows and crew["user"] not in {row.account_id for row in rows}
    assert {row.permission for row in rows} == {strongdm.Permission.ROLE_CREATE}


def test_suspended_accounts_reach_nothing(client, crew):
    user = client.accounts.get(crew["user"]).account
    grant = strongdm.AccountGrant(account_id=user.id, resource_id=crew[0])
    client.account_grants.create(grant)
    assert len(reached(client, "account_id:?", user.id)) == 1
    user.permission_level = strongdm.PermissionLevel.SUSPENDED
    client.accounts.update(user)
    assert reached(client, "account_id:?", user.id) == []
    last = list(client.account_resources_history.list("account_id:?", user.id))[-1]
    assert last.deleted_at is not None
