# SPDX-License-Identifier: Apache-2.0
"""Resources of every kind: made, read back field by field, changed, deleted."""

import csv
import pathlib

import pytest
import strongdm
from strongdm import drivers_pb2, models

FACTS = pathlib.Path(__file__).resolve().parents[2] / "contracts" / "strongdm" / "facts.tsv"
KINDS = {field.name: field.message_type for field in drivers_pb2.Resource.DESCRIPTOR.fields}
# What the server gives or works out itself.
OWN = {"id", "healthy", "port_override", "bind_interface", "public_key"}


def flags_by_field():
    """The flags of every field of a message: what is secret, what is only read."""
    flags = {}
    with open(FACTS, encoding="utf-8") as lines:
        for row in csv.reader((line for line in lines if line[0] != "#"), delimiter="\t"):
            if row[0] == "field":
                flags[row[1], row[2]] = set(row[3].split(";"))
    return flags


FLAGS = flags_by_field()


@pytest.fixture(scope="module")
def clusters(client):
    """Two proxy clusters that resources may name."""
    made = []
    for number in (1, 2):
        node = strongdm.ProxyCluster(name="shared", address=f"cluster{number}.example.com:443")
        made.append(client.nodes.create(node).node.id)
    return made


def filled(message, number, clusters):
    """A resource of a kind with a value in every field."""
    resource = getattr(models, message.name)()
    for field in resource.__slots__:
        value = getattr(resource, field)
        if field in OWN:
            continue
        if field == "tags":
            value = {"kind": message.name, "env": "dev"}
        elif field == "custom_headers":
            header = strongdm.CustomHeader(name="X-Team", value=f"team {number}", secret=False)
            value = strongdm.CustomHeaders(custom_headers=[header])
        elif field == "proxy_cluster_id":
            value = clusters[number - 1]
        elif field == "secret_store_id":
            value = ""
        elif field == "key_type":
            value = "ecdsa-256" if number == 1 else "ed25519"
        elif isinstance(value, str):
            value = f"{field} of {message.name} {number}"
        elif isinstance(value, bool):
            value = True
        elif isinstance(value, int):
            value = 1000 + number
        setattr(resource, field, value)
    return resource


def is_write_only(message, field):
    """Whether a field is never read back."""
    return "write_only" in FLAGS.get((message.name, field), set())


def fields(resource):
    """The fields of a resource that a client may set, by name."""
    shown = {name: getattr(resource, name) for name in resource.__slots__ if name not in OWN}
    if "custom_headers" in shown:
        shown["custom_headers"] = str(shown["custom_headers"])
    return shown


def expected(message, resource):
    """What is read back of a resource that was sent."""
    shown = fields(resource)
    return {
        name: "" if is_write_only(message, name) else value for name, value in shown.items()
    }


def test_the_sdk_knows_every_kind():
    assert len(KINDS) == 119


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_resource_of_every_kind(client, clusters, kind):
    message = KINDS[kind]
    sent = filled(message, 1, clusters)
    made = client.resources.create(sent).resource
    assert type(made) is type(sent)
    assert made.id.startswith("rs-") and len(made.id) == len("rs-") + 16
    assert fields(made) == expected(message, sent)
    if "port_override" in made.__slots__:
        assert made.port_override > 0 and made.bind_interface == "127.0.0.1"
    assert str(client.resources.get(made.id).resource) == str(made)
    listed = list(client.resources.list("id:? type:?", made.id, kind))
    assert [str(resource) for resource in listed] == [str(made)]

    changed = filled(message, 2, clusters)
    changed.id = made.id
    changed.tags = {"env": "prod"}
    if "port_override" in made.__slots__:
        changed.port_override = made.port_override
    updated = client.resources.update(changed).resource
    assert fields(updated) == expected(message, changed)
    assert updated.id == made.id
    assert str(client.resources.get(made.id).resource) == str(updated)

    client.resources.delete(made.id)
    with pytest.raises(strongdm.NotFoundError, match="there is no such resource"):
        client.resources.get(made.id)


def test_an_update_replaces_and_keeps_what_is_never_shown(client):
    made = client.resources.create(
        strongdm.Postgres(
            name="replaced",
            hostname="db.example.com",
            port=5432,
            username="reader",
            password="first",
            database="sales",
            egress_filter="tag:x=y",
            tags={"env": "dev", "team": "sales"},
        )
    ).resource
    assert made.password == ""
    made.database = ""
    made.egress_filter = ""
    made.tags = {"env": "prod"}
    made.username = ""
    updated = client.resources.update(made).resource
    assert (updated.database, updated.egress_filter) == ("", "")
    assert updated.tags == {"env": "prod"}
    # What is shown can be cleared; what is not shown cannot be sent back.
    assert updated.username == ""
    assert client.resources.get(made.id).resource.username == ""
    assert updated.port_override == made.port_override
    updated.tags = None
    assert client.resources.update(updated).resource.tags == {}
    updated.port_override = -1
    anew = client.resources.update(updated).resource.port_override
    assert anew > 0 and anew != made.port_override


def test_header_values_that_are_secret_are_not_shown(client):
    headers = strongdm.CustomHeaders(
        custom_headers=[
            strongdm.CustomHeader(name="X-Team", value="sales", secret=False),
            strongdm.CustomHeader(name="X-Key", value="hidden", secret=True),
        ]
    )
    made = client.resources.create(
        strongdm.HTTPNoAuth(
            name="headers", url="https://x.example.com", subdomain="x", custom_headers=headers
        )
    ).resource
    shown = client.resources.get(made.id).resource.custom_headers.custom_headers
    assert [(header.name, header.value) for header in shown] == [("X-Team", "sales"), ("X-Key", "")]


def test_wrong_requests(client):
    with pytest.raises(strongdm.BadRequestError, match="name of the resource must not be empty"):
        client.resources.create(strongdm.Mysql(hostname="x"))
    client.resources.create(strongdm.Mysql(name="taken", hostname="x"))
    with pytest.raises(strongdm.AlreadyExistsError, match="resource with this name already"):
        client.resources.create(strongdm.SSH(name="taken", hostname="y"))
    with pytest.raises(strongdm.BadRequestError, match="port"):
        client.resources.create(strongdm.Mysql(name="port", port_override=70000))
    for unknown in ("rs-0000000000000001", "r-0000000000000001", "rs-1", "x"):
        with pytest.raises(strongdm.NotFoundError, match="there is no such resource"):
            client.resources.get(unknown)
        with pytest.raises(strongdm.NotFoundError, match="there is no such resource"):
            client.resources.delete(unknown)
        with pytest.raises(strongdm.NotFoundError, match="there is no such resource"):
            client.resources.update(strongdm.Mysql(id=unknown, name="unknown"))
        with pytest.raises(strongdm.NotFoundError, match="there is no such resource"):
            client.resources.healthcheck(unknown)
    with pytest.raises(strongdm.BadRequestError, match="id"):
        client.resources.get("")


def test_references_must_be_there(client, clusters):
    relay = client.nodes.create(strongdm.Relay()).node
    made = client.resources.create(strongdm.Redis(name="refers", hostname="x")).resource
    for field, what in (("secret_store_id", "secret store"), ("proxy_cluster_id", "proxy cluster")):
        for unknown in ("se-0000000000000001", "x", "n-0000000000000001", relay.id):
            wrong = strongdm.Redis(name="wrong", hostname="x", **{field: unknown})
            with pytest.raises(strongdm.BadRequestError, match=f"{what} .* does not exist"):
                client.resources.create(wrong)
            changed = client.resources.get(made.id).resource
            setattr(changed, field, unknown)
            with pytest.raises(strongdm.BadRequestError, match=f"{what} .* does not exist"):
                client.resources.update(changed)
    made.proxy_cluster_id = clusters[0]
    assert client.resources.update(made).resource.proxy_cluster_id == clusters[0]


def test_no_two_resources_are_at_one_place(client):
    def redis(name, **more):
        return strongdm.Redis(name=name, hostname="x", **more)

    first = client.resources.create(redis("place", port_override=31000, subdomain="place")).resource
    assert (first.port_override, first.bind_interface) == (31000, "127.0.0.1")
    with pytest.raises(strongdm.AlreadyExistsError, match="port and bind interface"):
        client.resources.create(redis("place two", port_override=31000))
    with pytest.raises(strongdm.AlreadyExistsError, match="subdomain"):
        client.resources.create(redis("place two", subdomain="PLACE"))
    other = redis("place two", port_override=31000, bind_interface="127.0.0.2")
    other = client.resources.create(other).resource
    other.bind_interface = "127.0.0.1"
    with pytest.raises(strongdm.AlreadyExistsError, match="port and bind interface"):
        client.resources.update(other)
    assert client.resources.update(first).resource.to_dict() == first.to_dict()
    client.resources.delete(first.id)
    assert client.resources.update(other).resource.bind_interface == "127.0.0.1"


def test_a_server_gets_a_key(client):
    made = client.resources.create(strongdm.SSH(name="keyed", hostname="x", port=22)).resource
    assert made.public_key.startswith("ssh-ed25519 AAAA")
    made.port = 2222
    assert client.resources.update(made).resource.public_key == made.public_key
    made.key_type = "rsa-2048"
    assert client.resources.update(made).resource.public_key.startswith("ssh-rsa AAAA")
    made.key_type = "dsa"
    with pytest.raises(strongdm.BadRequestError, match="the type of the key"):
        client.resources.update(made)


def test_a_resource_does_not_change_its_kind(client):
    made = client.resources.create(strongdm.Mysql(name="a kind", hostname="x")).resource
    with pytest.raises(strongdm.BadRequestError, match="cannot change"):
        client.resources.update(strongdm.SSH(id=made.id, name="a kind", hostname="x"))


def test_health_is_asked_for_and_tags_are_enumerated(client):
    tags = {"enumerated": "one", "other": "two"}
    made = client.resources.create(strongdm.Redis(name="tagged", hostname="x", tags=tags)).resource
    client.resources.healthcheck(made.id)
    found = {(tag.name, tag.value) for tag in client.resources.enumerate_tags("id:?", made.id)}
    assert found == set(tags.items())
    everywhere = [(tag.name, tag.value) for tag in client.resources.enumerate_tags("")]
    assert ("enumerated", "one") in everywhere
    assert len(everywhere) == len(set(everywhere))
