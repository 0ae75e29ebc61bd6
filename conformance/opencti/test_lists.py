# SPDX-License-Identifier: Apache-2.0
"""Filters, ordering, search and paging of lists."""

import json

import pytest

SETS = ["Black Skua", "Grey Petrel", "Night Cormorant", "Pale Fulmar", "Salt Heron"]


def condition(key, *values, operator="eq", mode="or"):
    return {"key": key, "values": list(values), "operator": operator, "mode": mode}


def group(*filters, mode="and", groups=()):
    return {"mode": mode, "filters": list(filters), "filterGroups": list(groups)}


def names(api, **given):
    return [row["name"] for row in api.intrusion_set.list(**given)]


def test_ordering(api):
    assert names(api, orderBy="name", orderMode="asc") == SETS
    assert names(api, orderBy="name", orderMode="desc") == SETS[::-1]
    by_number = names(api, orderBy="confidence", orderMode="asc")
    assert by_number == ["Pale Fulmar", "Night Cormorant", "Black Skua", "Salt Heron", "Grey Petrel"]


def test_pages(api):
    given = {"orderBy": "name", "orderMode": "asc", "withPagination": True}
    first = api.intrusion_set.list(first=2, **given)
    assert [row["name"] for row in first["entities"]] == SETS[:2]
    info = first["pagination"]
    assert info["hasNextPage"] is True and info["globalCount"] == 5
    second = api.intrusion_set.list(first=2, after=info["endCursor"], **given)
    assert [row["name"] for row in second["entities"]] == SETS[2:4]
    third = api.intrusion_set.list(first=2, after=second["pagination"]["endCursor"], **given)
    assert [row["name"] for row in third["entities"]] == SETS[4:]
    assert third["pagination"]["hasNextPage"] is False


def test_get_all_follows_the_cursor(api):
    assert names(api, first=2, getAll=True, orderBy="name", orderMode="asc") == SETS


def test_search(api):
    assert names(api, search="petrel") == ["Grey Petrel"]
    assert names(api, search='"Salt Heron"') == ["Salt Heron"]
    assert names(api, search="BS-7") == ["Black Skua"]
    assert names(api, search="nothingofthiskind") == []
    # Any of the words may match.
    assert sorted(names(api, search="petrel skua")) == ["Black Skua", "Grey Petrel"]


@pytest.mark.parametrize(
    "filters, expected",
    [
        (group(condition("name", "grey petrel ")), ["Grey Petrel"]),
        (group(condition("name", "Grey Petrel", operator="not_eq")), [SETS[0], *SETS[2:]]),
        (group(condition("name", "Petrel", "Skua", operator="contains")), SETS[:2]),
        (group(condition("name", "s", operator="starts_with")), ["Salt Heron"]),
        (group(condition("name", "n", operator="ends_with")), ["Salt Heron"]),
        (group(condition("name", "*a*", operator="wildcard")), [SETS[0], *SETS[2:]]),
        (group(condition("confidence", "55", operator="gte")), [SETS[0], SETS[1], SETS[4]]),
        (group(condition("confidence", "55", operator="lt")), SETS[2:4]),
        (group(condition("aliases", operator="nil")), ["Night Cormorant"]),
        (group(condition("aliases", operator="not_nil")), [*SETS[:2], *SETS[3:]]),
        (group(condition("aliases", "Skua", "BS-7", mode="and")), ["Black Skua"]),
        (
            group(
                condition(
                    "first_seen", "2020-01-01T00:00:00Z", "2022-12-31T00:00:00Z", operator="within"
                )
            ),
            ["Night Cormorant", "Salt Heron"],
        ),
        (
            group(condition("name", "Grey Petrel"), condition("name", "Black Skua"), mode="or"),
            SETS[:2],
        ),
        (group(condition("name", "Grey Petrel"), condition("name", "Black Skua")), []),
        (
            group(
                condition("resource_level", "government"),
                mode="or",
                groups=[
                    group(condition("resource_level", "club"), condition("name", "Black Skua"))
                ],
            ),
            SETS[:2],
        ),
        (group(), SETS),
        (None, SETS),
    ],
)
def test_filters(api, filters, expected):
    assert sorted(names(api, filters=filters)) == sorted(expected)


def test_filters_on_references(api):
    label = next(row for row in api.label.list(getAll=True) if row["value"] == "espionage")
    found = names(api, filters=group(condition("objectLabel", label["id"])))
    assert sorted(found) == ["Grey Petrel", "Salt Heron"]
    marking = next(
        row for row in api.marking_definition.list() if row["definition"] == "TLP:AMBER+STRICT"
    )
    for identity in (marking["id"], marking["standard_id"]):
        found = names(api, filters=group(condition("objectMarking", identity)))
        assert sorted(found) == ["Night Cormorant", "Pale Fulmar"]
    author = api.identity.read(filters=group(condition("name", "Harbourlight Institute")))
    assert sorted(names(api, filters=group(condition("createdBy", author["id"])))) == SETS


def test_filter_on_what_an_object_is_related_to(api):
    lock = api.malware.read(filters=group(condition("name", "KelpLock")))
    related = [
        {"key": "id", "values": [lock["id"]]},
        {"key": "relationship_type", "values": ["uses"]},
    ]
    found = names(api, filters=group(condition("regardingOf", *related)))
    assert found == ["Night Cormorant"]


def test_filter_on_the_ends_of_relationships(api):
    petrel = api.intrusion_set.read(filters=group(condition("name", "Grey Petrel")))
    filters = group(condition("fromId", petrel["id"]), condition("relationship_type", "targets"))
    found = api.stix_core_relationship.list(filters=filters)
    assert sorted(row["to"]["name"] for row in found) == ["Maritime Transport", "Quayside Shipping"]


def test_entity_type_matches_parents(api, bundle):
    kinds = [row["type"] for row in bundle["objects"]]
    filters = group(condition("entity_type", "Intrusion-Set", "Tool"))
    found = api.stix_domain_object.list(filters=filters)
    assert len(found) == kinds.count("intrusion-set") + kinds.count("tool")
    containers = api.stix_domain_object.list(filters=group(condition("entity_type", "Container")))
    held = ("report", "note", "opinion", "observed-data", "grouping")
    cases = ("case-incident", "case-rfi", "case-rft", "feedback", "task")
    assert len(containers) == sum(kinds.count(kind) for kind in held + cases)


def test_unknown_keys_are_named_inside_groups_too(api):
    filters = group(groups=[group(condition("no_such_key", "x"))])
    with pytest.raises(ValueError, match="UNSUPPORTED_ERROR"):
        api.intrusion_set.list(filters=filters)


@pytest.mark.parametrize("accessor", ["identity", "location", "threat_actor"])
def test_filters_find_the_kind_that_is_shown(api, accessor):
    methods = getattr(api, accessor)
    everything = methods.list(getAll=True)
    kinds = {row["entity_type"] for row in everything}
    assert len(kinds) > 1
    for kind in kinds:
        own = {row["id"] for row in everything if row["entity_type"] == kind}
        for spelled in (kind, kind.upper()):
            found = methods.list(filters=group(condition("entity_type", spelled)))
            assert {row["id"] for row in found} == own
        others = methods.list(filters=group(condition("entity_type", kind, operator="not_eq")))
        assert {row["id"] for row in others} == {row["id"] for row in everything} - own
    both = group(condition("entity_type", *kinds, mode="and"))
    assert methods.list(filters=both) == []


def test_an_order_by_type_goes_by_kind_within_a_type(api):
    for kind in ("Identity", "Location"):
        given = {"types": [kind], "orderBy": "entity_type"}
        for mode in ("asc", "desc"):
            shown = [
                row["entity_type"] for row in api.stix_domain_object.list(orderMode=mode, **given)
            ]
            assert len(set(shown)) > 1 and shown == sorted(shown, reverse=mode == "desc")


def test_kinds_of_ends_are_told_apart(api):
    everything = api.stix_core_relationship.list(getAll=True)
    kinds = {row["to"]["entity_type"] for row in everything}
    assert {"Organization", "Sector"} <= kinds
    for kind in kinds:
        own = {row["id"] for row in everything if row["to"]["entity_type"] == kind}
        found = api.stix_core_relationship.list(toTypes=[kind], getAll=True)
        assert {row["id"] for row in found} == own
        filters = group(condition("toTypes", kind))
        found = api.stix_core_relationship.list(filters=filters, getAll=True)
        assert {row["id"] for row in found} == own


def test_what_tells_kinds_apart_is_in_no_stix_object(api):
    row = api.location.list(first=1)[0]
    given = json.loads(api.query("query Q($id: String!) { stix(id: $id) }", {"id": row["id"]})["data"]["stix"])
    assert given["type"] == "location" and "opencti_type" not in given
