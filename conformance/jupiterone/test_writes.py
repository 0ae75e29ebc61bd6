# SPDX-License-Identifier: Apache-2.0
"""Entities and relationships: create, update, delete."""

import uuid

import pytest
from jupiterone.errors import JupiterOneApiError


def one(client, identity, **given):
    rows = client.query_v1(f"FIND * WITH _id = '{identity}'", **given)["data"]
    return rows[0] if rows else None


def test_an_entity_is_made_and_read_back(client, entity):
    identity = entity("conformance:made", displayName="Made", size=7, ratio=0.5, tags=["a", "b"])
    assert uuid.UUID(identity).version == 8
    row = one(client, identity)
    assert row["entity"]["_key"] == "conformance:made"
    assert row["entity"]["_class"] == ["Record"] and row["entity"]["displayName"] == "Made"
    assert row["properties"]["size"] == 7 and row["properties"]["ratio"] == 0.5
    assert row["properties"]["tags"] == ["a", "b"]


def test_the_same_key_again_updates(client, entity):
    first = entity("conformance:again", displayName="First", kept=True)
    second = entity("conformance:again", displayName="Second")
    assert first == second
    row = one(client, first)
    assert row["entity"]["displayName"] == "Second"
    assert row["entity"]["_version"] > 1


def test_update_changes_only_what_it_names(client, entity):
    identity = entity("conformance:update", displayName="Before", kept="yes")
    reply = client.update_entity(identity, {"displayName": "After", "added": 3})
    assert reply["entity"]["_id"] == identity
    row = one(client, identity)
    assert row["entity"]["displayName"] == "After"
    assert row["properties"]["kept"] == "yes" and row["properties"]["added"] == 3


def test_update_v2_answers_the_entity(client, entity):
    identity = entity("conformance:update-2", displayName="Before")
    client.update_entity_v2(identity, {"displayName": "After"})
    assert one(client, identity)["entity"]["displayName"] == "After"


def test_a_deleted_entity_is_gone_and_can_be_asked_for(client, entity):
    identity = entity("conformance:delete", displayName="Gone")
    client.delete_entity(identity, hard_delete=False)
    assert one(client, identity) is None
    row = one(client, identity, include_deleted=True)
    assert row["entity"]["_deleted"] is True and row["entity"]["_endOn"]


def test_deleting_an_entity_ends_its_relationships(client, entity):
    left, right = entity("conformance:left"), entity("conformance:right")
    client.create_relationship(
        relationship_key="conformance:left-right",
        relationship_type="conformance_thing_has_thing",
        relationship_class="HAS",
        from_entity_id=left,
        to_entity_id=right,
    )
    query = "FIND conformance_thing WITH _key = 'conformance:left' THAT HAS conformance_thing"
    assert len(client.query_v1(query)["data"]) == 1
    client.delete_entity(right)
    assert client.query_v1(query)["data"] == []


def test_relationships(client, entity):
    left, right = entity("conformance:from"), entity("conformance:to")
    made = client.create_relationship(
        relationship_key="conformance:from-to",
        relationship_type="conformance_thing_uses_thing",
        relationship_class="USES",
        from_entity_id=left,
        to_entity_id=right,
        properties={"weight": 1},
    )
    identity = made["relationship"]["_id"]
    assert made["edge"]["fromVertexId"] == left and made["edge"]["toVertexId"] == right
    changed = client.update_relationship(
        relationship_id=identity,
        from_entity_id=left,
        to_entity_id=right,
        properties={"weight": 2, "displayName": "uses"},
    )
    assert changed["relationship"]["_id"] == identity
    query = (
        "FIND conformance_thing WITH _key = 'conformance:from' THAT USES AS r conformance_thing "
        "RETURN r.weight AS weight, r._class AS class"
    )
    assert client.query_v1(query)["data"] == [{"weight": 2, "class": "USES"}]
    client.delete_relationship(identity, left, right)
    assert client.query_v1(query)["data"] == []


def test_durward_s_own_objects_are_protected(client):
    (account,) = client.query_v1("FIND User WITH _source = 'durward' LIMIT 1")["data"]
    with pytest.raises(JupiterOneApiError):
        client.update_entity(account["id"], {"displayName": "Somebody else"})
    with pytest.raises(JupiterOneApiError):
        client.delete_entity(account["id"])


def test_an_unknown_id_is_an_error(client):
    with pytest.raises(JupiterOneApiError):
        client.update_entity("00000000-0000-8000-8000-000000000000", {"displayName": "x"})
