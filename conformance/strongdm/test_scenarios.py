# SPDX-License-Identifier: Apache-2.0
"""What customers do with the SDK: a chat bot, a synchronization, a review, an inquiry."""

import datetime
import time

import strongdm

from test_snapshots import now


def test_a_chat_bot_grants_for_a_while(client):
    """`/access to bot-db for 2 seconds`, then once more."""
    user = strongdm.User(email="asker@bot.example", first_name="A", last_name="B")
    client.accounts.create(user)
    database = strongdm.Mysql(name="bot-db", hostname="h", port=3306, database="d", username="u")
    client.resources.create(database)
    [resource] = client.resources.list("name:?", "bot-db")
    [account] = client.accounts.list("email:?", "Asker@bot.example")
    for _ in range(2):
        start = datetime.datetime.now(datetime.timezone.utc)
        until = start + datetime.timedelta(seconds=2)
        grant = strongdm.AccountGrant(
            account_id=account.id, resource_id=resource.id, start_from=start, valid_until=until
        )
        client.account_grants.create(grant)
        rows = list(client.account_resources.list("account_id:?", account.id))
        assert [row.resource_id for row in rows] == [resource.id]
        while datetime.datetime.now(datetime.timezone.utc) <= until:
            time.sleep(0.1)
        assert list(client.account_resources.list("account_id:?", account.id)) == []


def test_groups_follow_a_directory(client):
    """The members of a group are made those of a directory, again and again."""
    directory = [f"member{number}@sync.example" for number in range(6)]
    group = client.groups.create(strongdm.Group(name="sync")).group

    def synchronize(wanted):
        known = {one.email: one.id for one in client.accounts.list("email:?", "*@sync.example")}
        for email in set(wanted) - set(known):
            user = strongdm.User(email=email, first_name=email.split("@")[0], last_name="S")
            known[email] = client.accounts.create(user).account.id
        members = {
            one.account_id: one.id for one in client.accounts_groups.list("group_id:?", group.id)
        }
        for email in wanted:
            if known[email] not in members:
                member = strongdm.AccountGroup(account_id=known[email], group_id=group.id)
                client.accounts_groups.create(member)
        for account, member in members.items():
            if account not in {known[email] for email in wanted}:
                client.accounts_groups.delete(member)

    for wanted in [directory[:4], directory[2:], directory[2:]]:
        synchronize(wanted)
        members = client.accounts_groups.list("groupid:?", group.id)
        emails = {client.accounts.get(one.account_id).account.email for one in members}
        assert emails == set(wanted)
    rows = list(client.accounts_groups_history.list("group_id:?", group.id))
    assert len([row for row in rows if row.deleted_at]) == 2 and len(rows) == 8


def test_a_nightly_review_sees_one_instant(client):
    """Everybody's access as it was at midnight, while the day goes on."""
    role = client.roles.create(
        strongdm.Role(name="reviewed", access_rules=[{"tags": {"reviewed": "yes"}}])
    ).role
    for number in range(3):
        redis = strongdm.Redis(
            name=f"reviewed-{number}", hostname="h", port=1, tags={"reviewed": "yes"}
        )
        client.resources.create(redis)
    user = strongdm.User(email="reviewed@example.com", first_name="R", last_name="V")
    user = client.accounts.create(user).account
    attachment = strongdm.AccountAttachment(account_id=user.id, role_id=role.id)
    attachment = client.account_attachments.create(attachment).account_attachment
    midnight = now()
    client.account_attachments.delete(attachment.id)
    [first, *_] = client.resources.list("tag:reviewed=yes")
    client.resources.delete(first.id)
    client.accounts.delete(user.id)
    then = client.snapshot_at(midnight)
    review = {}
    for account in then.accounts.list("type:user email:?", "reviewed@*"):
        for row in then.account_resources.list("account_id:?", account.id):
            name = then.resources.get(row.resource_id).resource.name
            review.setdefault(account.email, set()).add((name, row.role_id))
    names = {f"reviewed-{number}" for number in range(3)}
    assert review == {user.email: {(name, role.id) for name in names}}


def test_who_could_reach_every_redis_and_who_changed_that(client):
    """An inquiry about an instant, and about what happened since."""
    rules = [{"type": "redis"}]
    role = client.roles.create(strongdm.Role(name="every redis", access_rules=rules)).role
    client.resources.create(strongdm.Redis(name="inquired", hostname="h", port=1))
    user = strongdm.User(email="inquired@example.com", first_name="I", last_name="Q")
    user = client.accounts.create(user).account
    attachment = strongdm.AccountAttachment(account_id=user.id, role_id=role.id)
    client.account_attachments.create(attachment)
    an_hour_ago = now()
    role.access_rules = []
    client.roles.update(role)
    then = client.snapshot_at(an_hour_ago)
    wanted = {one.id for one in then.resources.list("type:redis")}
    reach = {}
    for resource in wanted:
        for row in then.account_resources.list("resource_id:?", resource):
            reach.setdefault(row.account_id, set()).add(resource)
    everything = {account for account, found in reach.items() if found == wanted}
    assert user.id in everything
    assert list(client.account_resources.list("account_id:?", user.id)) == []
    changes = {
        row.activity_id
        for row in client.account_resources_history.list(
            "account_id:? after:?", user.id, an_hour_ago.isoformat()
        )
    }
    [change] = [client.activities.get(one).activity for one in changes]
    assert change.verb == strongdm.ActivityVerb.ROLE_ACCESS_RULES_DELETED
    assert change.actor.email == "admin@conformance.example"
    assert [one.id for one in change.entities] == [role.id]
