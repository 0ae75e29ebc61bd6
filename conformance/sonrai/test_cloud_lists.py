# SPDX-License-Identifier: Apache-2.0
"""Lists as scripts page, filter, sort and rewrite them."""

import pytest

PAGE = """query page($limit: Int, $offset: Long) {
  ListResourceSummaries { count items(limit: $limit offset: $offset orderBy: {srn: {order: ASC}}) {
    srn name } } }"""


def test_an_export_collects_until_it_has_the_count(client):
    collected, count = [], 1
    while len(collected) < count:
        answer = client.run(PAGE, {"limit": 7, "offset": len(collected)})["ListResourceSummaries"]
        count = answer["count"]
        collected += [item["srn"] for item in answer["items"]]
    assert len(set(collected)) == count and collected == sorted(collected)
    everything = client.run(PAGE, {"limit": -1})["ListResourceSummaries"]["items"]
    assert [item["srn"] for item in everything] == collected


def test_the_accounts_that_a_script_would_change(client):
    filters = {
        "purpleEnabled": {"op": "EQ", "value": True},
        "entryType": {"op": "NEQ", "value": "managementAccount"},
        "active": {"op": "EQ", "value": True},
        "resourceId": {"op": "IN_LIST", "values": ["245907731864", "603318259047", "r-9xk2"]},
    }
    query = """query list($filters: CloudHierarchyFilter) {
      CloudHierarchyList(where: $filters) { items { resourceId
        account: scope @regex(match: ".*/([0-9]*)", replace: "$1") rootScope } } }"""
    items = client.run(query, {"filters": filters})["CloudHierarchyList"]["items"]
    accounts = {item["resourceId"]: item["account"] for item in items}
    assert accounts["245907731864"] == "245907731864"
    assert {item["rootScope"] for item in items} == {"aws/r-9xk2"}
    root = """{ CloudHierarchyList(where: {entryType: {op: "EQ" value: managementAccount}}) {
      items { rootScope resourceId } } }"""
    assert client.run(root)["CloudHierarchyList"]["items"] == [
        {"rootScope": "aws/r-9xk2", "resourceId": "810442207196"}
    ]


def test_members_of_groups(client):
    query = """query members { Users(where: { and: [
        { and: [ { active: { op: EQ, value: true } } { type: { op: EQ, value: User } } ] }
        { isMemberOf: { count: { op: GT, value: 0 }
            items: { and: [ { or: [ {name: {op: CONTAINS, value: Analysts}} ] } {} ] } } }
      ] }) { count items { userName name } } }"""
    users = client.run(query)["Users"]
    assert users["count"] == 2
    assert {item["userName"] for item in users["items"]} == {"nadia.korhonen", "sven.aaltonen"}


@pytest.mark.parametrize(
    ("operand", "count"),
    [
        ('{op: EQ, value: "lake-loader"}', 1),
        ('{value: "lake-loader"}', 1),
        ('{value: "Lake-Loader"}', 0),
        ('{value: "Lake-Loader", caseSensitive: false}', 1),
        ('{op: LIKE, values: ["lake%", "nightly%"]}', 2),
        ('{op: ILIKE, value: "LAKE-LOADER"}', 1),
        ('{op: ILIKE, value: "LAKE"}', 0),
        ('{op: REGEX, value: "^(lake|nightly)-"}', 2),
        ('{op: NOT_CONTAINS, value: "-"}', 4),
        ('{op: NEQ, value: "lake-loader"}', 9),
        ("{}", 10),
    ],
)
def test_operands(client, operand, count):
    answer = client.run(f"{{ Roles(where: {{name: {operand}}}) {{ count }} }}")
    assert answer["Roles"]["count"] == count


def test_operands_as_variables(client):
    query = """query list($name: Logical, $since: DateLogical, $account: String!) {
      Roles(where: {name: $name createdDate: $since account: {value: $account, op: EQ}}) {
        items { name created: createdDate @formatDateTime(format: "yyyy-MM-dd") } } }"""
    variables = {
        "name": {"op": "STARTS_WITH", "value": "lake"},
        "since": {"op": "BETWEEN", "values": ["2023-01-01", 1700000000000]},
        "account": "603318259047",
    }
    items = client.run(query, variables)["Roles"]["items"]
    assert items == [{"name": "lake-loader", "created": "2023-05-02"}]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ Users(where: {nothing: {value: 1}}) { count } }", "nothing"),
        ("{ Users(where: {name: {op: SOUNDS_LIKE, value: 1}}) { count } }", "op is not one of"),
        ("{ Users(where: {name: {op: EQ}}) { count } }", "needs a value"),
        ("{ SonraiUsers(where: {passwordHash: {value: 1}}) { count } }", "passwordHash"),
        ("{ SonraiUsers { items(orderBy: {passwordHash: {order: ASC}}) { srn } } }", "Hash"),
        ("{ SonraiUsers(where: {isActive: {value: true}}) { count } }", "type Boolean"),
        ("{ Users { items(limit: 10001) { name } } }", "limit must be"),
    ],
)
def test_mistakes_are_said(client, refused, query, message):
    with pytest.raises(refused, match=message) as caught:
        client.run(query)
    assert caught.value.status == 200


def test_people_and_roles_of_the_platform(client):
    answer = client.run(
        """query role($srn: String, $active: Boolean) {
          SonraiUsers(where: {isActive: $active}) { count items { email srn isActive lastLogin } }
          SonraiRoles(where: {srn: {value: $srn}}) { items { expandedPermissions } } }""",
        {"srn": "srn:supersonrai::SonraiRole/Administrator", "active": True},
    )
    assert answer["SonraiUsers"]["count"] == 1
    permissions = answer["SonraiRoles"]["items"][0]["expandedPermissions"]
    assert "graph:read" in permissions


def test_without_an_import_there_is_nothing(intel, client_of):
    client = client_of(intel)
    for field in ["CloudHierarchyList", "ListResourceSummaries", "Users", "Roles", "Groups"]:
        answer = client.run(f"{{ {field} {{ count items {{ __typename }} }} }}")
        assert answer[field] == {"count": 0, "items": []}
