# SPDX-License-Identifier: Apache-2.0
"""Kinds that the catalog alone describes: peering groups, and identity sets with their aliases."""

import pytest
import strongdm


@pytest.fixture(scope="module")
def world(client):
    """Accounts, a node and a resource to bind."""

    class World:
        """What the tests bind together."""

    def user(name):
        made = strongdm.User(email=f"{name}@catalog.example", first_name=name, last_name="Cat")
        return client.accounts.create(made).account

    World.user, World.other = user("one"), user("two")
    World.node = client.nodes.create(strongdm.Relay(name="catalog")).node
    resource = strongdm.Postgres(name="catalog", hostname="db.example.com", port=5432)
    World.resource = client.resources.create(resource).resource
    return World


def verbs(client, entity_id):
    """What was done to an object, the oldest first."""
    return [row.verb for row in client.activities.list("entity_id:?", entity_id)]


def test_a_peering_group_lives(client):
    made = client.peering_groups.create(strongdm.PeeringGroup(name="east")).peering_group
    assert made.id.startswith("g-") and made.name == "east"
    assert client.peering_groups.get(made.id).peering_group.to_dict() == made.to_dict()
    # The same bytes by the same key are the same wish; no second one comes of it.
    again = client.peering_groups.create(strongdm.PeeringGroup(name="east")).peering_group
    assert again.id == made.id
    assert [group.id for group in client.peering_groups.list("name:east")] == [made.id]
    with pytest.raises(strongdm.BadRequestError, match="the name of the peering group must not be"):
        client.peering_groups.create(strongdm.PeeringGroup(name=" "))
    west = client.peering_groups.create(strongdm.PeeringGroup(name="west")).peering_group
    named = client.peering_groups.list("name:?", "we*")
    assert [group.id for group in named] == [west.id]
    assert {made.id, west.id} <= {group.id for group in client.peering_groups.list("")}
    client.peering_groups.delete(west.id)
    with pytest.raises(strongdm.NotFoundError, match="there is no such peering group"):
        client.peering_groups.get(west.id)
    client.peering_groups.delete(made.id)
    assert verbs(client, made.id) == ["peering group created", "peering group deleted"]


def test_what_a_peering_group_binds(client, world):
    def group(name):
        return client.peering_groups.create(strongdm.PeeringGroup(name=name)).peering_group

    north, south = group("north"), group("south")
    node = client.peering_group_nodes.create(
        strongdm.PeeringGroupNode(group_id=north.id, node_id=world.node.id)
    ).peering_group_node
    assert node.id.startswith("gn-") and node.group_id == north.id
    assert node.node_id == world.node.id
    resource = client.peering_group_resources.create(
        strongdm.PeeringGroupResource(group_id=north.id, resource_id=world.resource.id)
    ).peering_group_resource
    assert resource.id.startswith("gr-") and resource.resource_id == world.resource.id
    peer = client.peering_group_peers.create(
        strongdm.PeeringGroupPeer(group_id=north.id, peers_with_group_id=south.id)
    ).peering_group_peer
    assert peer.id.startswith("gp-") and peer.peers_with_group_id == south.id
    assert client.peering_group_peers.get(peer.id).peering_group_peer.to_dict() == peer.to_dict()
    with pytest.raises(strongdm.AlreadyExistsError, match="with this pair of ends already"):
        client.peering_group_nodes.create(
            strongdm.PeeringGroupNode(group_id=north.id, node_id=world.node.id)
        )
    with pytest.raises(strongdm.BadRequestError, match="the peering group must be another one"):
        client.peering_group_peers.create(
            strongdm.PeeringGroupPeer(group_id=north.id, peers_with_group_id=north.id)
        )
    with pytest.raises(strongdm.BadRequestError, match="the node id is missing"):
        client.peering_group_nodes.create(strongdm.PeeringGroupNode(group_id=north.id))
    with pytest.raises(strongdm.NotFoundError, match="there is no such peering group"):
        client.peering_group_nodes.create(
            strongdm.PeeringGroupNode(group_id="g-0123456789abcdef", node_id=world.node.id)
        )

    def listed(service, *query):
        return [row.id for row in service.list(*query)]

    assert listed(client.peering_group_nodes, "node_id:?", world.node.id) == [node.id]
    assert listed(client.peering_group_nodes, "group_id:?", south.id) == []
    assert listed(client.peering_group_resources, "group_id:?", north.id) == [resource.id]
    assert listed(client.peering_group_peers, "peers_with_group_id:?", south.id) == [peer.id]
    assert "entity attached to peering group" in verbs(client, north.id)
    assert verbs(client, south.id) == ["peering group created", "peering groups linked"]
    client.peering_group_nodes.delete(node.id)
    assert listed(client.peering_group_nodes, "") == []
    client.peering_groups.delete(north.id)
    assert listed(client.peering_group_resources, "") == listed(client.peering_group_peers, "") == []


def test_an_organization_is_born_with_the_set_of_addresses(alone):
    client = alone
    (born,) = client.identity_sets.list("")
    assert born.name == "email" and born.id.startswith("ig-")
    (old,) = client.remote_identity_groups.list("name:email")
    assert old.to_dict() == born.to_dict()
    born.name = "mail"
    with pytest.raises(strongdm.BadRequestError, match="a built-in identity set cannot be renamed"):
        client.identity_sets.update(born)
    with pytest.raises(strongdm.BadRequestError, match="a built-in identity set cannot be deleted"):
        client.identity_sets.delete(born.id)


def test_an_identity_alias_lives(client, world):
    made = client.identity_sets.create(strongdm.IdentitySet(name="unix")).identity_set
    made.name = "email"
    with pytest.raises(strongdm.AlreadyExistsError, match="identity set with this name already"):
        client.identity_sets.update(made)
    made.name = "unix accounts"
    assert client.identity_sets.update(made).identity_set.to_dict() == made.to_dict()
    ends = {"account_id": world.user.id, "identity_set_id": made.id}
    create = client.identity_aliases.create
    alias = create(strongdm.IdentityAlias(**ends, username="one")).identity_alias
    assert alias.id.startswith("i-") and alias.username == "one"
    before = alias.to_dict()
    with pytest.raises(strongdm.AlreadyExistsError, match="with this pair of ends already"):
        create(strongdm.IdentityAlias(**ends, username="uno"))
    with pytest.raises(strongdm.BadRequestError, match="the user name of the identity alias"):
        create(
            strongdm.IdentityAlias(account_id=world.other.id, identity_set_id=made.id, username="")
        )
    alias.username = "uno"
    assert client.identity_aliases.update(alias).identity_alias.username == "uno"
    assert client.identity_aliases.get(alias.id).identity_alias.to_dict() == alias.to_dict()
    moved = client.identity_aliases.get(alias.id).identity_alias
    moved.account_id = world.other.id
    with pytest.raises(strongdm.BadRequestError, match="ends of the identity alias cannot change"):
        client.identity_aliases.update(moved)
    two = strongdm.IdentityAlias(account_id=world.other.id, identity_set_id=made.id, username="two")
    two = create(two).identity_alias

    def listed(*query):
        return [row.id for row in client.identity_aliases.list(*query)]

    assert listed("identity_set_id:?", made.id) == [alias.id, two.id]
    assert listed("username:?", "tw*") == [two.id]
    assert listed("account_id:?", world.user.id) == [alias.id]
    history = list(client.identity_aliases_history.list("id:?", alias.id))
    assert [row.identity_alias.username for row in history] == ["one", "uno"]
    assert history[0].identity_alias.to_dict() == before
    sets = client.identity_sets_history.list("id:?", made.id)
    assert [row.identity_set.name for row in sets] == ["unix", "unix accounts"]
    done = verbs(client, made.id)
    assert done[:2] == ["identity set created", "identity set updated"]
    assert "identity alias updated" in done
    client.identity_aliases.delete(alias.id)
    last = list(client.identity_aliases_history.list("id:?", alias.id))[-1]
    assert last.deleted_at is not None
    client.identity_sets.delete(made.id)
    assert listed("identity_set_id:?", made.id) == []


def test_remote_identities_are_the_same_by_their_older_name(client, world):
    group = client.identity_sets.create(strongdm.IdentitySet(name="legacy")).identity_set
    create = client.remote_identities.create
    made = strongdm.RemoteIdentity(
        account_id=world.user.id, remote_identity_group_id=group.id, username="old"
    )
    made = create(made).remote_identity
    assert made.remote_identity_group_id == group.id
    now = client.identity_aliases.get(made.id).identity_alias
    assert (now.username, now.identity_set_id) == ("old", group.id)
    made.username = "older"
    assert client.remote_identities.update(made).remote_identity.to_dict() == made.to_dict()
    found = client.remote_identities.list("remote_identity_group_id:?", group.id)
    assert [row.username for row in found] == ["older"]
    found = client.remote_identity_groups.get(group.id).remote_identity_group
    assert found.name == "legacy"
    history = client.remote_identities_history.list("id:?", made.id)
    assert [row.remote_identity.username for row in history] == ["old", "older"]
    history = client.remote_identity_groups_history.list("id:?", group.id)
    assert [row.remote_identity_group.name for row in history] == ["legacy"]
    client.remote_identities.delete(made.id)
    with pytest.raises(strongdm.NotFoundError, match="there is no such identity alias"):
        client.identity_aliases.get(made.id)
