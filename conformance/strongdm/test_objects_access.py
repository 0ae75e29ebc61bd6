# SPDX-License-Identifier: Apache-2.0
"""Roles, groups, policies, nodes, and what binds accounts to them."""

import datetime
import time

import pytest
import strongdm

SOON = datetime.timedelta(hours=1)


@pytest.fixture(scope="module")
def world(client):
    """An account, a group, a role and a resource."""

    class World:
        """What the tests bind together."""

    user = strongdm.User(email="bound@example.com", first_name="Bo", last_name="Und")
    World.user = client.accounts.create(user).account
    World.group = client.groups.create(strongdm.Group(name="bound")).group
    World.role = client.roles.create(strongdm.Role(name="bound")).role
    resource = strongdm.Postgres(name="bound", hostname="db.example.com", port=5432)
    World.resource = client.resources.create(resource).resource
    return World


def test_a_role_lives(client):
    rules = [{"type": "postgres", "tags": {"env": "dev"}}, {"tags": {"team": "*"}}]
    made = client.roles.create(strongdm.Role(name="lives", access_rules=rules)).role
    assert made.id.startswith("r-") and made.access_rules == rules
    made.name, made.tags, made.access_rules = "lives on", {"a": "b"}, rules[:1]
    assert client.roles.update(made).role.to_dict() == made.to_dict()
    assert client.roles.get(made.id).role.to_dict() == made.to_dict()
    assert [role.id for role in client.roles.list("name:?", "lives on")] == [made.id]
    with pytest.raises(strongdm.AlreadyExistsError, match="role with this name already"):
        client.roles.create(strongdm.Role(name="lives on"))
    made.access_rules = [{"flavour": "sweet"}]
    with pytest.raises(strongdm.BadRequestError, match="flavour"):
        client.roles.update(made)
    client.roles.delete(made.id)
    with pytest.raises(strongdm.NotFoundError, match="there is no such role"):
        client.roles.get(made.id)


def test_every_role_can_be_listed_changed_and_deleted(alone):
    """Built-in roles are not in the way; who asks for one by its name gets it."""
    client = alone
    names = ["clean", " clean with blanks ", "cle\u0301an"]
    for name in names:
        assert client.roles.create(strongdm.Role(name=name)).role.name == name
    listed = list(client.roles.list(""))
    assert set(names) <= {role.name for role in listed}
    for role in listed:
        role.tags = {"cleaned": "yes"}
        assert client.roles.update(role).role.to_dict() == role.to_dict()
        client.roles.delete(role.id)
    assert list(client.roles.list("")) == []
    assert list(client.roles.list("name:*")) == []
    built_in = next(iter(client.roles.list("name:Administrator")))
    assert [role.id for role in client.roles.list("id:?", built_in.id)] == [built_in.id]
    with pytest.raises(strongdm.BadRequestError, match="built-in"):
        client.roles.delete(built_in.id)


def test_privileges_in_rules_are_kept(client):
    privileges = {"k8s": {"groups": ["admins", "dev"]}}
    rules = [
        {"type": "postgres", "privileges": privileges},
        {"tags": {"env": "dev"}, "privileges": None},
        {"ids": [], "privileges": privileges},
    ]
    made = client.roles.create(strongdm.Role(name="privileged", access_rules=rules)).role
    assert made.access_rules == rules
    assert client.roles.get(made.id).role.access_rules == rules
    made.access_rules = [{"privileges": privileges}]
    with pytest.raises(strongdm.BadRequestError, match="needs ids, type, tags or query"):
        client.roles.update(made)
    client.roles.delete(made.id)


def test_a_group_lives(client):
    made = client.groups.create(strongdm.Group(name="band", description="loud")).group
    assert made.id.startswith("group-")
    made.description, made.tags = "", {"a": "b"}
    assert client.groups.update(made).group.to_dict() == made.to_dict()
    assert client.groups.get(made.id).group.to_dict() == made.to_dict()
    client.groups.delete(made.id)
    with pytest.raises(strongdm.NotFoundError, match="there is no such group"):
        client.groups.get(made.id)
    with pytest.raises(strongdm.RPCError) as raised:
        client.groups.create_from_roles([], False)
    assert raised.value.code == 12


def test_a_policy_lives(client):
    text = 'forbid (principal, action == StrongDM::Action::"connect", resource);'
    made = client.policies.create(strongdm.Policy(name="none", policy=text)).policy
    assert made.id.startswith("po-") and made.policy == text
    made.description = "nobody"
    assert client.policies.update(made).policy.to_dict() == made.to_dict()
    assert client.policies.get(made.id).policy.to_dict() == made.to_dict()
    with pytest.raises(strongdm.AlreadyExistsError):
        client.policies.create(strongdm.Policy(name="none", policy=text))
    client.policies.delete(made.id)
    with pytest.raises(strongdm.NotFoundError, match="there is no such policy"):
        client.policies.get(made.id)


@pytest.mark.parametrize(
    "node",
    [
        strongdm.Gateway(name="gate", listen_address="gate.example.com:5000"),
        strongdm.Relay(name="relay", gateway_filter="env:dev"),
        strongdm.ProxyCluster(name="cluster", address="cluster.example.com:443"),
    ],
    ids=["gateway", "relay", "proxy cluster"],
)
def test_a_node_lives(client, node):
    window = strongdm.NodeMaintenanceWindow(cron_schedule="0 3 * * *", require_idleness=True)
    node.maintenance_windows, node.tags = [window], {"a": "b"}
    answer = client.nodes.create(node)
    made = answer.node
    assert type(made) is type(node) and made.id.startswith("n-")
    assert answer.token and (made.name, made.tags) == (node.name, {"a": "b"})
    assert [known.to_dict() for known in made.maintenance_windows] == [window.to_dict()]
    if isinstance(made, strongdm.Gateway):
        assert made.bind_address == "0.0.0.0:5000"
    assert getattr(made, "state", "new") == "new"
    assert str(client.nodes.get(made.id).node) == str(made)
    made.name, made.tags, made.maintenance_windows = f"{made.name} two", {}, []
    assert str(client.nodes.update(made).node) == str(made)
    assert [known.id for known in client.nodes.list("name:?", made.name)] == [made.id]
    client.nodes.delete(made.id)
    with pytest.raises(strongdm.NotFoundError, match="there is no such node"):
        client.nodes.get(made.id)


@pytest.mark.parametrize("name", ["", "triplet"])
def test_three_equal_nodes_are_three(client, name):
    nodes = [strongdm.Relay(name=name), strongdm.ProxyCluster(name=name, address="x:443")]
    for node in nodes:
        answers = [client.nodes.create(node) for _ in range(3)]
        assert len({answer.node.id for answer in answers}) == 3
        assert len({answer.token for answer in answers}) == 3
        for answer in answers:
            client.nodes.delete(answer.node.id)


def test_a_node_gets_a_name(client):
    made = client.nodes.create(strongdm.Relay()).node
    assert made.name.startswith("relay-")
    with pytest.raises(strongdm.BadRequestError, match="host:port"):
        client.nodes.create(strongdm.Gateway(listen_address="nowhere"))


def test_bonds_live(client, world):
    bonds = [
        (
            client.accounts_groups,
            strongdm.AccountGroup(account_id=world.user.id, group_id=world.group.id),
            "account_group",
        ),
        (
            client.groups_roles,
            strongdm.GroupRole(group_id=world.group.id, role_id=world.role.id),
            "group_role",
        ),
        (
            client.account_attachments,
            strongdm.AccountAttachment(account_id=world.user.id, role_id=world.role.id),
            "account_attachment",
        ),
    ]
    for service, bond, name in bonds:
        made = getattr(service.create(bond), name)
        bond.id = made.id
        assert made.to_dict() == bond.to_dict()
        assert getattr(service.get(made.id), name).to_dict() == made.to_dict()
        assert made.id in [known.id for known in service.list("")]
        service.delete(made.id)
        with pytest.raises(strongdm.NotFoundError):
            service.get(made.id)
        # Bound again by the very same request.
        bond.id = ""
        again = getattr(service.create(bond), name)
        assert getattr(service.get(again.id), name).id == again.id
        service.delete(again.id)


def test_a_bond_needs_both_ends(client, world):
    attach = client.account_attachments.create
    with pytest.raises(strongdm.BadRequestError, match="role"):
        attach(strongdm.AccountAttachment(account_id=world.user.id))
    with pytest.raises(strongdm.NotFoundError, match="there is no such role"):
        attach(strongdm.AccountAttachment(account_id=world.user.id, role_id="r-" + "0" * 16))
    with pytest.raises(strongdm.NotFoundError, match="there is no such role"):
        attach(strongdm.AccountAttachment(account_id=world.user.id, role_id=world.group.id))
    made = attach(strongdm.AccountAttachment(account_id=world.user.id, role_id=world.role.id))
    with pytest.raises(strongdm.AlreadyExistsError):
        other = strongdm.AccountAttachment(
            id="aa-1", account_id=world.user.id, role_id=world.role.id
        )
        attach(other)
    client.account_attachments.delete(made.account_attachment.id)


def test_a_grant_lives(client, world):
    now = datetime.datetime.now(datetime.timezone.utc)
    wanted = strongdm.AccountGrant(
        account_id=world.user.id,
        resource_id=world.resource.id,
        start_from=now,
        valid_until=now + SOON,
    )
    made = client.account_grants.create(wanted).account_grant
    assert made.id.startswith("ag-")
    assert (made.start_from, made.valid_until) == (now, now + SOON)
    assert client.account_grants.get(made.id).account_grant.to_dict() == made.to_dict()
    # Granted, revoked, granted again by the same bytes: it is there again.
    client.account_grants.delete(made.id)
    again = client.account_grants.create(wanted).account_grant
    assert again.id != made.id
    assert client.account_grants.get(again.id).account_grant.id == again.id
    client.account_grants.delete(again.id)


def test_expired_grants_are_not_listed(client, world):
    now = datetime.datetime.now(datetime.timezone.utc)
    ends = {"account_id": world.user.id, "resource_id": world.resource.id}

    def listed(client):
        return [grant.id for grant in client.account_grants.list("account_id:?", world.user.id)]

    def grant(start, end):
        times = {"start_from": now + start, "valid_until": now + end}
        return client.account_grants.create(strongdm.AccountGrant(**ends, **times)).account_grant

    second, moment = datetime.timedelta(seconds=1), datetime.timedelta(seconds=1.5)
    past = grant(-2 * SOON, -SOON)
    short = grant(-second, moment)
    later = grant(SOON, 2 * SOON)
    assert listed(client) == [short.id, later.id]
    # One that overlaps neither is granted, one that overlaps any is not.
    for start, end in [(-second, moment), (-SOON, second), (moment / 2, 3 * SOON)]:
        with pytest.raises(strongdm.AlreadyExistsError, match="overlapping time"):
            grant(start, end)
    held = datetime.datetime.now(datetime.timezone.utc)
    time.sleep(max(0, (now + moment - held).total_seconds()) + 0.1)
    assert listed(client) == [later.id]
    assert past.id not in listed(client)
    assert listed(client.snapshot_at(held)) == [short.id, later.id]
    again = grant(moment, 2 * moment)
    client.account_grants.delete(later.id)
    assert listed(client) == [again.id]
    client.account_grants.delete(again.id)
    assert listed(client) == []


def test_what_a_grant_cannot_be(client, world):
    now = datetime.datetime.now(datetime.timezone.utc)
    grant = client.account_grants.create
    ends = {"account_id": world.user.id, "resource_id": world.resource.id}
    with pytest.raises(strongdm.BadRequestError, match="must lie after its start"):
        grant(strongdm.AccountGrant(**ends, start_from=now, valid_until=now - SOON))
    with pytest.raises(strongdm.BadRequestError, match="resource"):
        grant(strongdm.AccountGrant(account_id=world.user.id))
    with pytest.raises(strongdm.RPCError, match="not supported") as raised:
        rule = {"tags": {"env": "dev"}}
        grant(strongdm.AccountGrant(account_id=world.user.id, access_rule=rule))
    assert raised.value.code == 12
