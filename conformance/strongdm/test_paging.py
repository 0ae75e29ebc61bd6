# SPDX-License-Identifier: Apache-2.0
"""Pages: walks over many objects, cursors, order."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import strongdm
from strongdm import plumbing
from strongdm.resources_pb2 import ResourceListRequest

COUNT = 10_000


@pytest.fixture(scope="module")
def connect_with(start_server):
    """Makes a client of a server that has nothing to do but hold many objects."""
    server = start_server("paging")
    issued = server.credentials["strongdm"]

    def connect(access_key=issued["access_key"], secret_key=issued["secret_key"]):
        host = server.url.removeprefix("http://")
        return strongdm.Client(access_key, secret_key, host=host, insecure=True)

    return connect


@pytest.fixture(scope="module")
def client(connect_with):
    """A client with all rights."""
    return connect_with()


@pytest.fixture(scope="module")
def many(client):
    """Ten thousand resources."""

    def make(number):
        resource = strongdm.RawTCP(
            name=f"page-{number:05}", hostname="page.example", port=1 + number % 60_000
        )
        return client.resources.create(resource).resource.id

    with ThreadPoolExecutor(32) as pool:
        return list(pool.map(make, range(COUNT)))


def page(client, filter="name:page-*", cursor="", limit=0, order_by="", number=0):
    """One page as the wire has it."""
    request = ResourceListRequest(filter=filter)
    request.meta.cursor, request.meta.limit = cursor, limit
    request.meta.order_by, request.meta.page = order_by, number
    metadata = client.get_metadata("Resources.List", request)
    return client.resources.stub.List(request, metadata=metadata)


def listed(answer):
    """The names on a page."""
    return [one.raw_tcp.name for one in answer.resources]


def test_a_walk_sees_each_object_once(client, many):
    found = [one.id for one in client.resources.list("name:page-*")]
    assert len(found) == COUNT and set(found) == set(many)


def test_pages_are_counted(client, many):
    first = page(client)
    assert len(first.resources) == 1000 and first.meta.total == COUNT
    small = page(client, limit=7)
    assert len(small.resources) == 7 and small.meta.next_cursor
    third = page(client, limit=7, number=3)
    assert listed(third) == listed(page(client, limit=21))[14:]
    last = page(client, limit=10_000)
    assert len(last.resources) == COUNT and not last.meta.next_cursor


def test_order(client, many):
    up = listed(page(client, limit=3, order_by="name"))
    down = listed(page(client, limit=3, order_by="-name"))
    assert up == ["page-00000", "page-00001", "page-00002"]
    assert down == ["page-09999", "page-09998", "page-09997"]
    second = page(client, limit=3, order_by="-name")
    more = page(client, limit=3, order_by="-name", cursor=second.meta.next_cursor)
    assert listed(more) == ["page-09996", "page-09995", "page-09994"]
    with pytest.raises(Exception) as refused:
        page(client, order_by="colour")
    assert "cannot be ordered" in refused.value.details()


def test_a_walk_sees_one_instant(client, many):
    first = page(client, limit=100)
    gone, renamed = first.resources[0].raw_tcp.id, many[-1]
    later = page(client, limit=COUNT).resources[-1].raw_tcp
    client.resources.delete(later.id)
    client.resources.create(strongdm.RawTCP(name="page-new", hostname="page.example", port=1))
    found, cursor = len(first.resources), first.meta.next_cursor
    names = []
    while cursor:
        answer = page(client, limit=2500, cursor=cursor)
        names += listed(answer)
        found, cursor = found + len(answer.resources), answer.meta.next_cursor
    assert found == COUNT and later.name in names and "page-new" not in names
    assert gone and renamed


def test_cursors_are_for_their_own_list_and_credential(client, connect_with, many):
    cursor = page(client, limit=10).meta.next_cursor
    token = strongdm.Token(
        name="pager", account_type="api", permissions=[strongdm.Permission.DATASOURCE_LIST]
    )
    made = client.accounts.create(token)
    other = connect_with(made.access_key, made.secret_key)
    assert len(page(other, limit=10).resources) == 10
    swapped = cursor[:20] + ("A" if cursor[20] != "A" else "B") + cursor[21:]
    for caller, filter, order_by, tried in [
        (other, "name:page-*", "", cursor),
        (client, "name:page*", "", cursor),
        (client, "name:page-*", "name", cursor),
        (client, "name:page-*", "", swapped),
        (client, "name:page-*", "", "nonsense"),
    ]:
        with pytest.raises(Exception) as refused:
            page(caller, filter, tried, 10, order_by)
        error = plumbing.convert_error_to_porcelain(refused.value)
        assert isinstance(error, strongdm.BadRequestError), error
    assert len(page(client, cursor=cursor, limit=5).resources) == 5
