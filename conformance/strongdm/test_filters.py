# SPDX-License-Identifier: Apache-2.0
"""The filter language, as the SDK, its examples and the Terraform provider write it."""

import concurrent.futures

import pytest
import strongdm


@pytest.fixture(scope="module")
def shop(client):
    """A few objects of each kind that no other test has."""
    made = {}
    for name, env, port in [("Shop-SQL one", "dev", 5432), ("shop-sql two", "Dev", 5433)]:
        resource = strongdm.Postgres(
            name=name,
            hostname=f"db.{env}.shop.example",
            port=port,
            database="shop",
            username="reader",
            password="secret-of-the-shop",
            tags={"shop": "yes", "env": env},
        )
        made[name] = client.resources.create(resource).resource
    host = strongdm.SSH(
        name="shop-host", hostname="host.shop.example", port=22, username="root", tags={"shop": "yes"}
    )
    made["host"] = client.resources.create(host).resource
    user = strongdm.User(
        email="Shop.Keeper@shop.example", first_name="Shop", last_name="Keeper", tags={"shop": "yes"}
    )
    made["user"] = client.accounts.create(user).account
    made["service"] = client.accounts.create(strongdm.Service(name="shop-robot")).account
    made["role"] = client.roles.create(strongdm.Role(name="shop-role")).role
    gateway = strongdm.Gateway(name="shop-gateway", listen_address="gw.shop.example:5000")
    made["node"] = client.nodes.create(gateway).node
    return made


def names(service, *filter):
    """What a list holds."""
    found = []
    for item in service.list(*filter):
        found.append(item.email if isinstance(item, strongdm.User) else item.name)
    return sorted(found)


ONE, TWO, HOST = "Shop-SQL one", "shop-sql two", "shop-host"


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ("tag:shop=yes", [ONE, HOST, TWO]),
        ("tags:shop", [ONE, HOST, TWO]),
        ("tag:shop=Yes", []),
        ("tag:Shop=yes", []),
        ("tag:shop=yes tag:env=dev", [ONE]),
        ('tag:"shop"="yes" tag:"env"="Dev" ', [TWO]),
        ("tag:env=*ev tag:shop", [ONE, TWO]),
        ("name:shop-sql*", [ONE, TWO]),
        ('NAME:"SHOP-sql ONE"', [ONE]),
        ("name:shop-sql", []),
        ('name:"shop-sql one",name:shop-host', []),
        ('name:shop-sql*,name:*two', [TWO]),
        ("tag:env=dev tag:env=Dev", []),
        ("tag:shop port:5432 port:5433", []),
        ("tag:shop hostname:*example hostname:db.*", [ONE, TWO]),
        ("name:sh*p*sql*o*e", [ONE]),
        ("hostname:*.shop.example type:postgres", [ONE, TWO]),
        ("host_name:host.shop.example", [HOST]),
        ("tag:shop type:ssh", [HOST]),
        ("tag:shop type:SSH,type:Post_Gres", []),
        ("tag:shop type:postgres type:post*", [ONE, TWO]),
        ("tag:shop category:server category:datasource", []),
        ("tag:shop category:server", [HOST]),
        ("tag:shop category:datasource", [ONE, TWO]),
        ("tag:shop port:5433", [TWO]),
        ("tag:shop port:>22 port:<5433", [ONE]),
        ("tag:shop database:*", [ONE, TWO]),
        ("tag:shop database:shop", [ONE, TWO]),
        ("tag:shop key_type:rsa", []),
        ("tag:shop healthy:false", [ONE, HOST, TWO]),
        ("id:rs-0000000000000000", []),
        ("id:r-0000000000000000", []),
    ],
)
def test_resources(client, shop, filter, found):
    assert names(client.resources, filter) == sorted(found)


def test_arguments_are_quoted(client, shop):
    assert names(client.resources, "name:?", "Shop-SQL*") == [ONE, TWO]
    assert names(client.resources, "tag:?=?", "env", "dev") == [ONE]
    ids = [shop[ONE].id, shop["host"].id]
    assert names(client.resources, "id:?,id:?", *ids) == sorted([ONE, HOST])
    assert names(client.resources, "id:?", ids[0].upper()) == [ONE]
    assert names(client.resources, "name:?", 'a "quoted" \\ ä name') == []


def test_accounts(client, shop):
    email = "Shop.Keeper@shop.example"
    assert names(client.accounts, "email:SHOP.keeper@*") == [email]
    assert names(client.accounts, "firstName:shop last_name:keeper") == [email]
    assert names(client.accounts, "type:user tag:shop=yes") == [email]
    assert names(client.accounts, "type:service name:shop*") == ["shop-robot"]
    assert names(client.accounts, "name:shop-robot") == ["shop-robot"]
    assert names(client.accounts, "permissionlevelrw:user email:*@shop.example") == [email]
    assert names(client.accounts, "suspendedro:false email:*@shop.example") == [email]
    assert names(client.accounts, "suspended:true email:*@shop.example") == []
    assert "first strongdm key" in names(client.accounts, "type:api")
    assert names(client.accounts, "type:admin-token") == []


def test_roles_nodes_and_policies(client, shop):
    assert names(client.roles, "name:shop-*") == ["shop-role"]
    assert names(client.roles, "id:?", shop["role"].id) == ["shop-role"]
    assert names(client.nodes, "type:gateway name:shop*") == ["shop-gateway"]
    assert names(client.nodes, "type:relay name:shop*") == []
    assert names(client.nodes, "listenaddress:*:5000") == ["shop-gateway"]
    assert names(client.policies, "policy:nothing*") == []


def test_relationships(client, shop):
    user, role = shop["user"].id, shop["role"].id
    attachment = strongdm.AccountAttachment(account_id=user, role_id=role)
    made = client.account_attachments.create(attachment).account_attachment
    found = list(client.account_attachments.list("account_id:? role_id:?", user, role))
    assert [one.id for one in found] == [made.id]
    assert [one.id for one in client.account_attachments.list("id:?", made.id)] == [made.id]
    assert list(client.account_attachments.list("accountid:?", shop["service"].id)) == []
    other = shop["service"].id
    assert list(client.account_attachments.list("accountid:?,accountid:?", other, user)) == []
    twice = client.account_attachments.list("accountid:?,account_id:?", user, user)
    assert [one.id for one in twice] == [made.id]
    ids = client.account_attachments.list("id:?,id:aa-0000000000000001", made.id)
    assert [one.id for one in ids] == [made.id]


def test_a_filter_narrows_what_it_is_added_to(client, shop):
    """What a bot appends to the filter of a role must not widen it."""
    for narrow in ("tag:shop=yes", "type:ssh", "name:shop-host", f"id:{shop['host'].id}"):
        for more in ("tag:env=dev", "type:postgres", 'name:"shop-sql one"', "port:5432"):
            found = names(client.resources, f"{narrow} {more}")
            assert set(found) <= set(names(client.resources, narrow)), (narrow, more)


def test_lists_whose_clients_left_take_little(server, client, shop):
    """Thirty lists with the largest filters, given up at once, leave the server as it was."""

    def resident():
        with open(f"/proc/{server.process.pid}/status", encoding="ascii") as lines:
            line = next(line for line in lines if line.startswith("VmHWM"))
        return int(line.split()[1]) >> 10

    def give_up(number):
        letters = "".join(f"{chr(97 + place % 26)}*" for place in range(16))
        terms = " ".join(f"hostname:*{number}{term}{letters[:28]}" for term in range(99))
        ids = "id:rs-0000000000000001 " * 9_000
        with pytest.raises(strongdm.TimeoutError):
            list(client.resources.list(terms + " " + ids, timeout=0.001))

    before = resident()
    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        list(pool.map(give_up, range(30)))
    assert names(client.resources, "name:shop-host") == [HOST]
    assert resident() < before + 300


def test_a_filter_has_bounds(client):
    for filter, reason in [
        ("name:a " * 101, "more than 100 terms beside ids"),
        ("id:rs-1 " * 10_001, "more than 10000 terms"),
        ("name:" + "*a" * 17, "too large"),
        ("name:" + "a" * 2000 + "*", "too large"),
        ("name:" + "a" * (257 << 10), "longer than"),
    ]:
        with pytest.raises(strongdm.BadRequestError, match=reason):
            list(client.resources.list(filter))
    assert list(client.resources.list("id:rs-0000000000000001 " * 10_000)) == []


@pytest.mark.parametrize(
    ("filter", "reason"),
    [
        ("colour:red", '"colour" does not exist'),
        ("name", "is not a filter term"),
        ("name:", "has no value"),
        ('name:"x', "is never closed"),
        ("port:many", "takes a number"),
        ("healthy:maybe", "takes true or false"),
        ("password:x", '"password" does not exist'),
    ],
)
def test_wrong_filters_name_what_is_wrong(client, filter, reason):
    with pytest.raises(strongdm.BadRequestError) as refused:
        list(client.resources.list(filter))
    assert reason in str(refused.value)
