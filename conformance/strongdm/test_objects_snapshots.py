# SPDX-License-Identifier: Apache-2.0
"""The past, by the client's own clock."""

import datetime

import pytest
import strongdm


def now():
    """The client's clock."""
    return datetime.datetime.now(datetime.timezone.utc)


CASES = {
    "resources": lambda name: strongdm.Postgres(name=name, hostname="x", port=5432),
    "roles": lambda name: strongdm.Role(name=name),
    "groups": lambda name: strongdm.Group(name=name),
    "nodes": lambda name: strongdm.Relay(name=name),
    "policies": lambda name: strongdm.Policy(
        name=name, policy="forbid (principal, action, resource);"
    ),
    "accounts": lambda name: strongdm.Service(name=name),
}


def noun(answer):
    """The object in an answer."""
    names = ("resource", "role", "group", "node", "policy", "account")
    return next(getattr(answer, name) for name in names if hasattr(answer, name))


@pytest.mark.parametrize("service", sorted(CASES))
def test_objects_are_seen_as_they_were(client, service):
    before = now()
    made = noun(getattr(client, service).create(CASES[service](f"past of {service}")))
    first = now()
    made.name = f"renamed past of {service}"
    getattr(client, service).update(made)
    second = now()
    getattr(client, service).delete(made.id)
    after = now()

    def at(moment):
        return getattr(client.snapshot_at(moment), service)

    assert noun(at(first).get(made.id)).name == f"past of {service}"
    assert noun(at(second).get(made.id)).name == f"renamed past of {service}"
    assert [known.name for known in at(first).list("id:?", made.id)] == [f"past of {service}"]
    for moment in (before, after):
        with pytest.raises(strongdm.NotFoundError):
            at(moment).get(made.id)
        assert list(at(moment).list("id:?", made.id)) == []
    with pytest.raises(strongdm.NotFoundError):
        getattr(client, service).get(made.id)


def test_the_future_is_now(client):
    made = client.roles.create(strongdm.Role(name="future")).role
    later = client.snapshot_at(now() + datetime.timedelta(days=1))
    assert later.roles.get(made.id).role.to_dict() == made.to_dict()


def test_a_grant_and_a_token_are_seen_as_they_were(client):
    user = strongdm.User(email="past@example.com", first_name="P", last_name="Ast")
    account = client.accounts.create(user).account
    resource = client.resources.create(strongdm.Redis(name="past", hostname="x")).resource
    grant = strongdm.AccountGrant(account_id=account.id, resource_id=resource.id)
    grant = client.account_grants.create(grant).account_grant
    token = client.accounts.create(strongdm.Token(name="past", account_type="api")).account
    then = now()
    client.account_grants.delete(grant.id)
    client.accounts.delete(token.id)
    past = client.snapshot_at(then)
    assert past.account_grants.get(grant.id).account_grant.id == grant.id
    assert past.accounts.get(token.id).account.name == "past"
