# SPDX-License-Identifier: Apache-2.0
"""Tokens: made once, limited to what they are given, never more than their maker has."""

import datetime

import pytest
import strongdm
from strongdm import Permission


def token(client, name, permissions, **more):
    """A new token: the answer of its creation."""
    wanted = strongdm.Token(name=name, account_type="api", permissions=permissions, **more)
    return client.accounts.create(wanted)


@pytest.fixture
def limited(client, connect_with):
    """Makes a client that has some permissions."""

    def make(name, *permissions):
        made = token(client, name, list(permissions))
        return connect_with(made.access_key, made.secret_key)

    return make


def test_a_token_lives(client, connect_with):
    hour = datetime.timedelta(hours=1)
    answer = token(client, "reader", [Permission.ROLE_LIST], duration=hour, tags={"a": "b"})
    made = answer.account
    assert answer.access_key and answer.secret_key
    assert made.id.startswith("a-") and made.account_type == "api"
    assert made.permissions == ["role:list"] and not made.suspended
    assert made.duration == hour
    assert abs(made.deadline - made.created_at - hour) < datetime.timedelta(seconds=1)
    again = client.accounts.get(made.id)
    assert again.account.to_dict() == made.to_dict()
    assert not getattr(again, "secret_key", "")
    listed = list(client.accounts.list("type:token name:reader"))
    assert [known.to_dict() for known in listed] == [made.to_dict()]

    own = connect_with(answer.access_key, answer.secret_key)
    assert list(own.roles.list("name:Administrator")) != []
    with pytest.raises(strongdm.PermissionError):
        own.roles.create(strongdm.Role(name="not allowed"))

    made.name, made.tags = "reader two", {}
    made.permissions = [Permission.ROLE_LIST, Permission.ROLE_CREATE]
    updated = client.accounts.update(made).account
    assert (updated.name, updated.tags) == ("reader two", {})
    assert sorted(updated.permissions) == ["role:create", "role:list"]
    own.roles.create(strongdm.Role(name="allowed now"))

    client.accounts.delete(made.id)
    with pytest.raises(strongdm.AuthenticationError):
        list(own.roles.list(""))
    with pytest.raises(strongdm.NotFoundError):
        client.accounts.get(made.id)


def test_what_a_token_cannot_be(client):
    with pytest.raises(strongdm.BadRequestError, match="there is no permission"):
        token(client, "wrong", ["role:everything"])
    with pytest.raises(strongdm.BadRequestError, match="positive"):
        token(client, "negative", [], duration=datetime.timedelta(seconds=-5))
    with pytest.raises(strongdm.BadRequestError, match="name"):
        token(client, "", [Permission.ROLE_LIST])
    with pytest.raises(strongdm.RPCError) as raised:
        client.accounts.create(strongdm.Token(name="scim", account_type="scim-token"))
    assert raised.value.code == 12
    with pytest.raises(strongdm.BadRequestError, match="cannot be suspended"):
        token(client, "asleep", [], suspended=True)
    made = token(client, "fixed", [], duration=datetime.timedelta(hours=1)).account
    made.duration = datetime.timedelta(hours=2)
    with pytest.raises(strongdm.BadRequestError, match="duration"):
        client.accounts.update(made)


def test_a_token_makes_no_stronger_token(client, limited):
    maker = limited("maker", Permission.USER_CREATE_ADMIN_TOKEN, Permission.ROLE_LIST)
    made = token(maker, "as strong", [Permission.ROLE_LIST]).account
    with pytest.raises(strongdm.PermissionError, match="role:create"):
        token(maker, "stronger", [Permission.ROLE_LIST, Permission.ROLE_CREATE])
    made.permissions = [Permission.ROLE_CREATE]
    with pytest.raises(strongdm.PermissionError):
        maker.accounts.update(made)
    assert client.accounts.get(made.id).account.permissions == ["role:list"]


READINGS = {
    "accounts": Permission.USER_LIST,
    "roles": Permission.ROLE_LIST,
    "groups": Permission.GROUP_READ,
    "resources": Permission.DATASOURCE_LIST,
    "nodes": Permission.RELAY_LIST,
    "policies": Permission.POLICY_READ,
    "accounts_groups": Permission.ACCOUNT_GROUP_READ,
    "groups_roles": Permission.GROUP_ROLE_READ,
    "account_attachments": Permission.USER_LIST,
    "account_grants": Permission.GRANT_READ,
}


@pytest.mark.parametrize("service", sorted(READINGS))
def test_reading_needs_its_permission(limited, service):
    nothing = getattr(limited(f"nothing {service}"), service)
    unknown = {
        "accounts": "a-",
        "roles": "r-",
        "groups": "group-",
        "resources": "rs-",
        "nodes": "n-",
        "policies": "po-",
        "accounts_groups": "accountgroup-",
        "groups_roles": "grouprole-",
        "account_attachments": "aa-",
        "account_grants": "ag-",
    }[service] + "0" * 16
    with pytest.raises(strongdm.PermissionError):
        list(nothing.list(""))
    for identifier in (unknown, "x"):
        with pytest.raises(strongdm.PermissionError):
            nothing.get(identifier)
    reader = getattr(limited(f"reader {service}", READINGS[service]), service)
    list(reader.list(""))
    with pytest.raises(strongdm.NotFoundError):
        reader.get(unknown)
    with pytest.raises(strongdm.PermissionError):
        reader.delete(unknown)
