# SPDX-License-Identifier: Apache-2.0
"""What was: snapshots of every kind of list, and of single objects."""

import datetime
import time

import pytest
import strongdm


def now():
    """The present, a moment after everything before and before everything after."""
    time.sleep(0.02)
    moment = datetime.datetime.now(datetime.timezone.utc)
    time.sleep(0.02)
    return moment


def test_objects_as_they_were(client):
    before = now()
    made = client.roles.create(strongdm.Role(name="then")).role
    first = now()
    made.name = "now"
    client.roles.update(made)
    second = now()
    client.roles.delete(made.id)
    with pytest.raises(strongdm.NotFoundError):
        client.snapshot_at(before).roles.get(made.id)
    with pytest.raises(strongdm.NotFoundError):
        client.roles.get(made.id)
    for moment, name in [(before, None), (first, "then"), (second, "now"), (now(), None)]:
        found = [one.name for one in client.snapshot_at(moment).roles.list("id:?", made.id)]
        assert found == ([name] if name else [])
    assert client.snapshot_at(first).roles.get(made.id).role.name == "then"
    assert [one.name for one in client.snapshot_at(first).roles.list("name:then")] == ["then"]
    assert list(client.snapshot_at(second).roles.list("name:then")) == []


def test_relationships_as_they_were(client):
    user = strongdm.User(email="snap@example.com", first_name="S", last_name="N")
    user = client.accounts.create(user).account
    role = client.roles.create(strongdm.Role(name="snap")).role
    before = now()
    attachment = strongdm.AccountAttachment(account_id=user.id, role_id=role.id)
    made = client.account_attachments.create(attachment).account_attachment
    during = now()
    client.account_attachments.delete(made.id)

    def held(moment):
        attachments = client.snapshot_at(moment).account_attachments
        return [one.id for one in attachments.list("account_id:?", user.id)]

    assert held(before) == [] and held(during) == [made.id] and held(now()) == []


def test_an_instant_to_come_is_now(client):
    later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
    assert {one.id for one in client.snapshot_at(later).roles.list("")} == {
        one.id for one in client.roles.list("")
    }
