# SPDX-License-Identifier: Apache-2.0
"""A StrongDM key with few permissions gets no further than these."""

import datetime
import time

import pytest
import strongdm
from strongdm import plumbing


def test_a_user_cannot_be_made_stronger_than_its_maker(acme):
    weak = acme.weak("user:create", "user:list", "user:update", "user:set_strong_role")
    user = strongdm.User(
        email=f"{acme.unique('x')}@conformance.example",
        first_name="A",
        last_name="B",
        permission_level="admin",
    )
    with pytest.raises(strongdm.PermissionError):
        weak.accounts.create(user)
    plain = acme.user()
    plain.permission_level = "admin"
    with pytest.raises(strongdm.PermissionError):
        weak.accounts.update(plain)


def test_a_token_cannot_have_more_than_its_maker(acme):
    weak = acme.weak("user:create_admin_token", "role:list")
    token = strongdm.Token(
        name=acme.unique("token"),
        account_type="api",
        duration=datetime.timedelta(hours=1),
        permissions=["role:list", "role:delete"],
    )
    with pytest.raises(strongdm.PermissionError):
        weak.accounts.create(token)
    token.permissions = ["role:list"]
    made = weak.accounts.create(token)
    child = acme.strongdm(made.access_key, made.secret_key)
    assert list(child.roles.list("name:Administrator"))
    with pytest.raises(strongdm.PermissionError):
        child.roles.delete(acme.administrator.id)


def test_nobody_assigns_a_role_that_is_stronger(acme):
    weak = acme.weak(
        "user:assign", "role:list", "user:list", "group:write", "group:read",
        "accountgroup:write", "accountgroup:read", "grouprole:write", "grouprole:read",
    )
    user = acme.user()
    attachment = strongdm.AccountAttachment(account_id=user.id, role_id=acme.administrator.id)
    with pytest.raises(strongdm.PermissionError):
        weak.account_attachments.create(attachment)
    group = weak.groups.create(strongdm.Group(name=acme.unique("group"))).group
    bond = strongdm.GroupRole(group_id=group.id, role_id=acme.administrator.id)
    with pytest.raises(strongdm.PermissionError):
        weak.groups_roles.create(bond)
    acme.sdm.groups_roles.create(bond)
    member = strongdm.AccountGroup(group_id=group.id, account_id=user.id)
    with pytest.raises(strongdm.PermissionError):
        weak.accounts_groups.create(member)
    assert not list(acme.sdm.accounts_groups.list("group_id:?", group.id))


def test_a_stronger_account_cannot_be_changed(acme):
    weak = acme.weak(
        "user:update", "user:update_admin", "user:suspend", "user:delete", "user:list",
        "user:set_password", "user:set_strong_role",
    )
    for change in ("email", "password", "suspend"):
        chief = acme.sdm.accounts.get(acme.chief.id).account
        if change == "email":
            chief.email = "intruder@conformance.example"
        elif change == "password":
            chief.password = "correct horse battery staple"
        else:
            chief.permission_level = "suspended"
        with pytest.raises((strongdm.PermissionError, strongdm.BadRequestError)):
            weak.accounts.update(chief)
    with pytest.raises((strongdm.PermissionError, strongdm.BadRequestError)):
        weak.accounts.delete(acme.chief.id)
    assert acme.sdm.accounts.get(acme.chief.id).account.email == acme.chief.email


def test_built_in_roles_stay(acme):
    with pytest.raises(strongdm.BadRequestError):
        acme.sdm.roles.delete(acme.administrator.id)
    renamed = acme.sdm.roles.get(acme.administrator.id).role
    renamed.name = "nobody"
    with pytest.raises(strongdm.BadRequestError):
        acme.sdm.roles.update(renamed)


def test_a_key_follows_its_account(acme):
    """Rights count at the moment of the decision, for the past too."""
    user = acme.user()
    bond = strongdm.AccountAttachment(account_id=user.id, role_id=acme.administrator.id)
    bond = acme.sdm.account_attachments.create(bond).account_attachment
    key = acme.strongdm(*acme.credential(user.id, "strongdm_key"))
    assert list(key.roles.list("name:Administrator"))
    time.sleep(0.02)
    then = datetime.datetime.now(datetime.timezone.utc)
    time.sleep(0.02)
    acme.sdm.account_attachments.delete(bond.id)
    with pytest.raises(strongdm.PermissionError):
        list(key.roles.list(""))
    with pytest.raises(strongdm.PermissionError):
        list(key.snapshot_at(then).roles.list(""))
    with pytest.raises(strongdm.PermissionError):
        key.snapshot_at(then).roles.get(acme.administrator.id)


def test_a_deleted_key_signs_nothing(acme):
    token = strongdm.Token(
        name=acme.unique("gone"), account_type="api",
        duration=datetime.timedelta(hours=1), permissions=["role:list"],
    )
    made = acme.sdm.accounts.create(token)
    key = acme.strongdm(made.access_key, made.secret_key)
    assert list(key.roles.list("name:Administrator"))
    acme.sdm.accounts.delete(made.account.id)
    with pytest.raises(strongdm.AuthenticationError):
        list(key.roles.list("name:Administrator"))


@pytest.mark.parametrize("field", ["password", "passwordHash", "sealedCredentials", "rights"])
def test_secrets_are_no_filter_fields(acme, field):
    for service in (acme.sdm.accounts, acme.sdm.resources, acme.sdm.roles):
        with pytest.raises(strongdm.BadRequestError):
            list(service.list(f"{field}:*"))


def listed(client, cursor, limit=1):
    """One page of roles, and the cursor behind it."""
    request = plumbing.RoleListRequest()
    request.meta.limit = limit
    request.meta.cursor = cursor
    metadata = client.get_metadata("Roles.List", request)
    answer = client.roles.stub.List(request, metadata=metadata)
    return answer, answer.meta.next_cursor


def test_a_cursor_is_of_one_credential(acme):
    for name in ("cursor", "cursor"):
        acme.sdm.roles.create(strongdm.Role(name=acme.unique(name)))
    _, cursor = listed(acme.sdm, "")
    assert cursor
    assert listed(acme.sdm, cursor)[0].roles
    other = acme.weak("role:list")
    with pytest.raises(Exception, match="cursor"):
        listed(other, cursor)
    altered = cursor[:-2] + ("AA" if cursor[-2:] != "AA" else "BB")
    with pytest.raises(Exception, match="cursor"):
        listed(acme.sdm, altered)


def test_unknown_and_foreign_ids_look_the_same(acme):
    weak = acme.weak("role:list")
    messages = set()
    for identity in ("r-0123456789abcdef", acme.chief.id.replace("a-", "r-")):
        with pytest.raises(strongdm.NotFoundError) as refused:
            weak.roles.get(identity)
        messages.add(str(refused.value))
    assert len(messages) == 1
    for identity in ("a-0123456789abcdef", acme.chief.id):
        with pytest.raises(strongdm.PermissionError) as refused:
            weak.accounts.get(identity)
        messages.add(str(refused.value))
    assert len(messages) == 2
