# SPDX-License-Identifier: Apache-2.0
"""People and service accounts."""

import datetime
import http.client
import json

import pytest
import strongdm


def person(client, name, **more):
    """A new user."""
    email = f"{name}@accounts.example.com"
    user = strongdm.User(email=email, first_name=name.title(), last_name="Test", **more)
    return client.accounts.create(user).account


def test_a_user_lives(client):
    began = datetime.datetime.now(datetime.timezone.utc)
    made = person(
        client, "ada", tags={"team": "red"}, external_id="x-1", employee_number="007"
    )
    assert made.id.startswith("a-") and len(made.id) == 18
    assert (made.email, made.first_name) == ("ada@accounts.example.com", "Ada")
    assert (made.permission_level, made.suspended, made.password) == ("user", False, "")
    assert (made.external_id, made.employee_number) == ("x-1", "007")
    assert abs(made.created_at - began) < datetime.timedelta(seconds=60)
    assert client.accounts.get(made.id).account.to_dict() == made.to_dict()

    made.first_name, made.tags, made.external_id = "Augusta", {"team": "blue"}, ""
    updated = client.accounts.update(made).account
    assert updated.to_dict() == made.to_dict()
    assert client.accounts.get(made.id).account.to_dict() == made.to_dict()
    listed = list(client.accounts.list("email:?", made.email))
    assert [user.to_dict() for user in listed] == [made.to_dict()]

    client.accounts.delete(made.id)
    with pytest.raises(strongdm.NotFoundError, match="there is no such account"):
        client.accounts.get(made.id)
    with pytest.raises(strongdm.NotFoundError):
        client.accounts.delete(made.id)


def test_addresses_are_unique_whatever_their_case(client):
    person(client, "twin")
    with pytest.raises(strongdm.AlreadyExistsError, match="e-mail address"):
        client.accounts.create(strongdm.User(email="TWIN@accounts.example.com"))
    other = person(client, "othertwin")
    other.email = "twin@Accounts.example.com"
    with pytest.raises(strongdm.AlreadyExistsError, match="e-mail address"):
        client.accounts.update(other)
    for wrong in ("", "no address", " early@example.com"):
        with pytest.raises(strongdm.BadRequestError, match="e-mail address"):
            client.accounts.create(strongdm.User(email=wrong))
    # The Terraform provider's own tests make such users.
    for email in ("plainName", "@", "a@b@c"):
        made = client.accounts.create(strongdm.User(email=email)).account
        assert made.email == email
        client.accounts.delete(made.id)


def test_a_manager_is_resolved(client):
    boss = person(client, "boss")
    made = person(client, "report", manager_id=boss.id)
    assert (made.manager_id, made.resolved_manager_id) == (boss.id, boss.id)
    boss.manager_id = made.id
    with pytest.raises(strongdm.BadRequestError, match="nobody can be above themselves"):
        client.accounts.update(boss)
    made.manager_id = "a-0000000000000001"
    with pytest.raises(strongdm.BadRequestError, match="manager"):
        client.accounts.update(made)
    client.accounts.delete(boss.id)
    again = client.accounts.get(made.id).account
    assert (again.manager_id, again.resolved_manager_id) == (boss.id, "")


def test_a_password_is_set_by_an_update_and_never_shown(client):
    made = person(client, "secretive")
    made.password = "correct horse battery staple"
    assert client.accounts.update(made).account.password == ""
    assert client.accounts.get(made.id).account.password == ""
    user = strongdm.User(email="early@accounts.example.com", password="x" * 20)
    with pytest.raises(strongdm.BadRequestError, match="by an update"):
        client.accounts.create(user)


def test_a_user_is_suspended_by_its_level(client):
    made = person(client, "naughty")
    made.permission_level = strongdm.PermissionLevel.SUSPENDED
    suspended = client.accounts.update(made).account
    assert suspended.suspended and suspended.permission_level == "suspended"
    suspended.permission_level = strongdm.PermissionLevel.TEAM_LEADER
    back = client.accounts.update(suspended).account
    assert not back.suspended and back.permission_level == strongdm.PermissionLevel.TEAM_LEADER
    back.permission_level = "emperor"
    with pytest.raises(strongdm.BadRequestError, match="permission level"):
        client.accounts.update(back)


def test_a_user_with_the_right_to_suspend_suspends(client, connect_with):
    made = person(client, "sleepy")
    permissions = [
        strongdm.Permission.USER_LIST,
        strongdm.Permission.USER_UPDATE,
        strongdm.Permission.USER_SUSPEND,
    ]
    key = client.accounts.create(
        strongdm.Token(name="suspender", account_type="api", permissions=permissions)
    )
    suspender = connect_with(key.access_key, key.secret_key)
    made.permission_level = strongdm.PermissionLevel.SUSPENDED
    assert suspender.accounts.update(made).account.suspended
    made.permission_level = strongdm.PermissionLevel.USER
    assert not suspender.accounts.update(made).account.suspended
    made.permission_level = strongdm.PermissionLevel.ADMIN
    with pytest.raises(strongdm.PermissionError):
        suspender.accounts.update(made)


def test_the_first_account_has_the_usual_level(client):
    first = next(iter(client.accounts.list("email:admin@conformance.example")))
    assert (first.permission_level, first.suspended) == ("user", False)
    assert client.accounts.update(first).account.to_dict() == first.to_dict()
    first.permission_level = strongdm.PermissionLevel.SUSPENDED
    with pytest.raises(strongdm.BadRequestError, match="cannot suspend itself"):
        client.accounts.update(first)


def read_me(server, token):
    """Status of a native request with a bearer token."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=30)
    body = json.dumps({"query": "{ __typename }"})
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}
    connection.request("POST", "/graphql", body, headers)
    return connection.getresponse().status


def test_a_service_has_a_token_until_it_is_suspended(client, server):
    answer = client.accounts.create(strongdm.Service(name="deployer", tags={"a": "b"}))
    made = answer.account
    assert answer.token and not answer.access_key
    assert (made.name, made.suspended, made.tags) == ("deployer", False, {"a": "b"})
    assert client.accounts.get(made.id).account.to_dict() == made.to_dict()
    assert read_me(server, answer.token) == 200

    made.name, made.suspended, made.tags = "deployer two", True, {}
    updated = client.accounts.update(made).account
    assert (updated.name, updated.suspended, updated.tags) == ("deployer two", True, {})
    assert read_me(server, answer.token) == 401
    updated.suspended = False
    assert not client.accounts.update(updated).account.suspended
    assert read_me(server, answer.token) == 200
    client.accounts.delete(made.id)
    assert read_me(server, answer.token) == 401

    with pytest.raises(strongdm.BadRequestError, match="name"):
        client.accounts.create(strongdm.Service(name=" "))
    sleeping = client.accounts.create(strongdm.Service(name="sleeping", suspended=True))
    assert sleeping.account.suspended and read_me(server, sleeping.token) == 401


def test_a_user_does_not_become_a_service(client):
    made = person(client, "human")
    with pytest.raises(strongdm.BadRequestError, match="the id is that of a user"):
        client.accounts.update(strongdm.Service(id=made.id, name="x"))
