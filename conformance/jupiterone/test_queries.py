# SPDX-License-Identifier: Apache-2.0
"""Every result type, direct and deferred, over several pages."""

import json
import pathlib
import re
import time
import warnings

import pytest
import requests
from jupiterone.errors import JupiterOneApiError

COMPANY = pathlib.Path(__file__).resolve().parents[2] / "samples" / "company"
# More rows than one page of 250.
PEOPLE = "FIND * WITH _scope = 'meridian'"
TABLE = "FIND Account AS a THAT HAS * AS x RETURN a.displayName, x.displayName, x._type, x._key"
DOCUMENT = """query Page($query: String!, $cursor: String, $includeDeleted: Boolean,
    $deferredResponse: DeferredResponseOption, $flags: QueryV1Flags) {
  queryV1(query: $query, cursor: $cursor, includeDeleted: $includeDeleted,
      deferredResponse: $deferredResponse, flags: $flags) {
    type data url totalCount cursor correlationId
  }
}"""


def lines(name):
    with open(COMPANY / name, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@pytest.fixture(scope="module")
def entities():
    return {row["_key"]: row for row in lines("entities.ndjson")}


@pytest.fixture(scope="module")
def relationships():
    return {row["_key"]: row for row in lines("relationships.ndjson")}


def account_rows(entities, relationships):
    """What TABLE must give, from the files: HAS between an account and anything, either way."""
    rows = []
    for row in relationships.values():
        if row["_class"] != "HAS":
            continue
        ends = (row["_fromEntityKey"], row["_toEntityKey"])
        for account, other in (ends, reversed(ends)):
            if entities[account]["_class"] == "Account":
                rows.append((entities[account]["displayName"], other))
    return sorted(rows)


def page(client, query, **variables):
    reply = client._execute_query(DOCUMENT, {"query": query, **variables})
    return reply["data"]["queryV1"]


def results(url):
    """The answer of a results address, asked again while the query still runs."""
    for _ in range(300):
        status = requests.get(url, timeout=30)
        if status.json()["status"] != "IN_PROGRESS":
            break
        time.sleep(0.1)
    return status


def test_list_over_several_pages(client, entities):
    found = client.query_v1(PEOPLE)["data"]
    assert len(found) == len(entities) > 500
    assert {row["entity"]["_key"] for row in found} == set(entities)
    assert len({row["id"] for row in found}) == len(found)


def test_list_rows_have_the_client_s_shape(client, entities):
    (row,) = client.query_v1("FIND aws_s3_bucket WITH displayName = 'mf-invoices'")["data"]
    core, properties = row["entity"], row["properties"]
    assert core["_id"] == row["id"]
    assert core["_type"] == ["aws_s3_bucket"] and core["_class"] == ["DataStore"]
    assert core["displayName"] == "mf-invoices" and core["_deleted"] is False
    assert core["_scope"] == "meridian" and core["_source"] == "api"
    assert properties["classification"] == "critical" and properties["encrypted"] is True
    assert properties["tag.Production"] is True
    assert not any(name.startswith("_") for name in properties)


def test_numbers_and_lists_come_back_as_they_were(client, entities):
    host = next(row for row in entities.values() if len(row.get("ipAddress", [])) == 2)
    (row,) = client.query_v1(f"FIND Host WITH _key = '{host['_key']}'")["data"]
    for name in ("ipAddress", "lastSeenOn", "hostname", "publicIpAddresses"):
        assert row["properties"][name] == host[name]


def test_table_over_several_pages(client, entities, relationships):
    found = client.query_v1(TABLE)["data"]
    rows = sorted((row["a.displayName"], row["x._key"]) for row in found)
    assert rows == account_rows(entities, relationships)
    assert all(set(row) == {"a.displayName", "x.displayName", "x._type", "x._key"} for row in found)


def test_pages_are_disjoint_and_the_last_has_no_cursor(client, entities):
    seen, cursor, pages = set(), None, 0
    while True:
        answer = page(client, PEOPLE, cursor=cursor)
        keys = {row["entity"]["_key"] for row in answer["data"]}
        assert answer["type"] == "list" and not keys & seen
        seen |= keys
        pages += 1
        cursor = answer.get("cursor")
        if not cursor:
            break
    assert seen == set(entities) and pages > 1


def test_a_limit_bounds_all_pages_together(client):
    assert len(client.query_v1(PEOPLE + " LIMIT 300")["data"]) == 300


def test_skip_and_limit_pages(client, entities):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        found = client.query_v1(PEOPLE, skip=250, limit=250)["data"]
    assert {row["entity"]["_key"] for row in found} == set(entities)


def test_tree(client, entities, relationships):
    found = client.query_v1("FIND AccessKey THAT HAS User THAT ASSIGNED AccessPolicy RETURN TREE")
    kinds = {tuple(vertex["entity"]["_class"]) for vertex in found["vertices"]}
    assert kinds == {("AccessKey",), ("User",), ("AccessPolicy",)}
    # Three machine users have a policy: three keys, three users, three policies.
    assert len(found["vertices"]) == 9 and len(found["edges"]) == 6
    ids = {vertex["id"] for vertex in found["vertices"]}
    for edge in found["edges"]:
        assert {edge["fromVertexId"], edge["toVertexId"]} <= ids
        assert edge["relationship"]["_class"] in ("HAS", "ASSIGNED")


def test_aggregates(client, entities):
    query = "FIND Finding AS f RETURN f.severity AS severity, count(f) AS n ORDER BY n DESC"
    found = client.query_v1(query)["data"]
    expected = {}
    for row in entities.values():
        if row["_class"] == "Finding":
            expected[row["severity"]] = expected.get(row["severity"], 0) + 1
    assert {row["severity"]: row["n"] for row in found} == expected
    assert [row["n"] for row in found] == sorted(expected.values(), reverse=True)


@pytest.mark.parametrize("query", [PEOPLE, TABLE], ids=["list", "table"])
def test_deferred_equals_direct(client, query):
    def ordered(rows):
        return sorted(json.dumps(row, sort_keys=True) for row in rows)

    direct = client.query_v1(query)["data"]
    assert ordered(client.query_with_deferred_response(query)) == ordered(direct)


def test_deferred_status_document(client):
    answer = page(client, "FIND Vendor", deferredResponse="FORCE")
    assert answer["type"] == "deferred" and answer["data"] is None
    # Fetched without any credential, as clients do.
    status = results(answer["url"])
    document = status.json()
    assert status.headers["content-type"].startswith("application/json")
    assert document["status"] == "COMPLETED" and document["type"] == "list"
    assert len(document["data"]) == 10
    # The Python client goes on for ever while the key is there.
    assert "cursor" not in document


def test_deferred_tree(client):
    query = "FIND AccessKey THAT HAS User RETURN TREE"
    document = results(page(client, query, deferredResponse="FORCE")["url"]).json()
    direct = client.query_v1(query)
    assert document["type"] == "tree"
    assert len(document["data"]["vertices"]) == len(direct["vertices"]) == 8


def test_row_metadata(client):
    query = "FIND Vendor WITH displayName = 'Okta' AS v RETURN v.category"
    (row,) = page(client, query, flags={"rowMetadata": True})["data"]
    (entity,) = client.query_v1("FIND Vendor WITH displayName = 'Okta'")["data"]
    assert row["_meta"]["byAlias"]["v"]["id"] == entity["id"]


def test_unknown_names_are_no_error(client):
    assert client.query_v1("FIND no_such_type")["data"] == []
    assert client.query_v1("FIND NoSuchClass THAT NO_SUCH_VERB *")["data"] == []


def test_a_syntax_error_tells_where(client):
    with pytest.raises(JupiterOneApiError) as error:
        client.query_v1("FIND User WITH active == true")
    text = str(error.value)
    assert "Error parsing query" in text and "line 1 column" in text


def test_an_unknown_alias_is_named(client):
    with pytest.raises(JupiterOneApiError, match="Invalid return selector provided"):
        client.query_v1("FIND User AS u RETURN x.displayName")


def test_all_paths_answer_alike(company, client):
    for path in ("/", "/graphql", "/rules/graphql"):
        client.graphql_url = company.url + path
        try:
            assert len(client.query_v1("FIND Vendor")["data"]) == 10
        finally:
            client.graphql_url = company.url + "/graphql"


def warned(client, query):
    """The data of a query and what the answer warns of, as the client hands them on."""
    reply = client._execute_query(DOCUMENT, {"query": query})
    assert "errors" not in reply
    return reply["data"]["queryV1"], reply.get("extensions", {}).get("warnings", [])


def test_unknown_names_succeed_with_a_warning_and_the_nearest_name(client):
    for query, hint in (
        ("FIND Usr", 'unknown class "Usr" at line 1 column 6; did you mean "User"?'),
        ("FIND aws_s3_buckt", 'did you mean "aws_s3_bucket"?'),
        ("FIND User THAT ASIGNED *", 'did you mean "ASSIGNED"?'),
        ("FIND DataStore WITH clasification = 'critical'", 'did you mean "classification"?'),
    ):
        answer, (warning,) = warned(client, query)
        assert answer["data"] == [] and hint in warning
        # Its own methods do not mind the warning.
        assert client.query_v1(query)["data"] == []
    answer, none = warned(client, "FIND DataStore WITH classification = 'critical'")
    assert answer["data"] and none == []


def test_deferred_results_carry_their_warnings(client):
    answer = page(client, "FIND Usr", deferredResponse="FORCE")
    document = results(answer["url"]).json()
    assert document["status"] == "COMPLETED" and document["data"] == []
    (warning,) = document["extensions"]["warnings"]
    assert 'did you mean "User"?' in warning


def test_dates_in_texts_are_dates(client):
    query = "FIND * WITH _scope = 'meridian' AND _createdOn {} AS x RETURN count(x) AS n"
    count = lambda condition: client.query_v1(query.format(condition))["data"][0]["n"]
    assert count("> '2024-01-01'") == count("> '2024-01-01T00:00:00Z'") == count("> 0") > 500
    assert count("< '2024-01-01'") == 0


@pytest.mark.parametrize(
    "query, hint",
    [
        ("FIND User WITH active = tru", "A text stands in quotes"),
        ("FIND * WITH tag.special-name = 1", "[tag.special-name]"),
        ("FIND User AS u RETURN x.name", "at line 1 column 23"),
        ("FIND User WITH age = 9223372036854775808", "at line 1 column 22"),
    ],
)
def test_mistakes_say_what_to_write(client, query, hint):
    with pytest.raises(JupiterOneApiError, match=re.escape(hint)):
        client.query_v1(query)


def test_aliases_of_a_negated_step_are_null(client):
    query = "FIND User AS u THAT !HAS Finding AS f RETURN u._key, f._key LIMIT 3"
    rows = client.query_v1(query)["data"]
    assert len(rows) == 3 and all(row["f._key"] is None and row["u._key"] for row in rows)
