# SPDX-License-Identifier: Apache-2.0
"""Every domain object type: list, read by each of its ids, filters."""

import uuid

import pytest

MISSING = "11111111-1111-4111-8111-111111111111"
EXTENSION = "extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba"

# accessor of the client, STIX type, entity types, the property that names an object (in OpenCTI),
# the same in STIX
KINDS = [
    ("attack_pattern", "attack-pattern", {"Attack-Pattern"}, "name", "name"),
    ("campaign", "campaign", {"Campaign"}, "name", "name"),
    ("case_incident", "case-incident", {"Case-Incident"}, "name", "name"),
    ("case_rfi", "case-rfi", {"Case-Rfi"}, "name", "name"),
    ("case_rft", "case-rft", {"Case-Rft"}, "name", "name"),
    ("channel", "channel", {"Channel"}, "name", "name"),
    ("course_of_action", "course-of-action", {"Course-Of-Action"}, "name", "name"),
    ("data_component", "data-component", {"Data-Component"}, "name", "name"),
    ("data_source", "data-source", {"Data-Source"}, "name", "name"),
    ("event", "event", {"Event"}, "name", "name"),
    ("feedback", "feedback", {"Feedback"}, "name", "name"),
    ("grouping", "grouping", {"Grouping"}, "name", "name"),
    (
        "identity",
        "identity",
        {"Individual", "Organization", "Sector", "System", "SecurityPlatform"},
        "name",
        "name",
    ),
    ("incident", "incident", {"Incident"}, "name", "name"),
    ("indicator", "indicator", {"Indicator"}, "pattern", "pattern"),
    ("infrastructure", "infrastructure", {"Infrastructure"}, "name", "name"),
    ("intrusion_set", "intrusion-set", {"Intrusion-Set"}, "name", "name"),
    ("language", "language", {"Language"}, "name", "name"),
    (
        "location",
        "location",
        {"Region", "Country", "Administrative-Area", "City", "Position"},
        "name",
        "name",
    ),
    ("malware", "malware", {"Malware"}, "name", "name"),
    ("malware_analysis", "malware-analysis", {"Malware-Analysis"}, "result_name", "result_name"),
    ("narrative", "narrative", {"Narrative"}, "name", "name"),
    ("note", "note", {"Note"}, "attribute_abstract", "abstract"),
    ("observed_data", "observed-data", {"Observed-Data"}, "number_observed", "number_observed"),
    ("opinion", "opinion", {"Opinion"}, "explanation", "explanation"),
    ("report", "report", {"Report"}, "name", "name"),
    ("security_coverage", "security-coverage", {"Security-Coverage"}, "name", "name"),
    ("task", "task", {"Task"}, "name", "name"),
    (
        "threat_actor",
        "threat-actor",
        {"Threat-Actor-Group", "Threat-Actor-Individual"},
        "name",
        "name",
    ),
    ("tool", "tool", {"Tool"}, "name", "name"),
    ("vulnerability", "vulnerability", {"Vulnerability"}, "name", "name"),
]
ACTORS = {
    "threat_actor_group": "Copper Gull",
    "threat_actor_individual": "Vera Lindqvist",
}


def equals(key, *values):
    """A filter group with one condition."""
    condition = {"key": key, "values": list(values), "operator": "eq", "mode": "or"}
    return {"mode": "and", "filters": [condition], "filterGroups": []}


@pytest.fixture(params=KINDS, ids=lambda kind: kind[0])
def kind(request, api, bundle):
    """A kind with the client's methods for it, and its objects in the bundle."""
    accessor, stix_type, entity_types, key, stix_key = request.param
    objects = [row for row in bundle["objects"] if row["type"] == stix_type]
    assert objects
    return getattr(api, accessor), objects, entity_types, key, stix_key


def test_list_gives_all(kind):
    methods, objects, entity_types, key, stix_key = kind
    found = methods.list()
    assert sorted(str(row[key]) for row in found) == sorted(str(row[stix_key]) for row in objects)
    for row in found:
        assert row["entity_type"] in entity_types
        assert "Stix-Domain-Object" in row["parent_types"]
        assert uuid.UUID(row["id"])
        assert row["standard_id"].startswith(objects[0]["type"] + "--")
        assert uuid.UUID(row["standard_id"].split("--")[1]).version == 5


def test_read_by_every_id(kind):
    methods, objects, _, key, stix_key = kind
    for given in objects:
        by_stix_id = methods.read(id=given["id"])
        assert str(by_stix_id[key]) == str(given[stix_key])
        for name in ("id", "standard_id"):
            assert methods.read(id=by_stix_id[name])["id"] == by_stix_id["id"]


def test_read_of_a_missing_object_is_none(kind):
    methods, objects, *_ = kind
    assert methods.read(id=MISSING) is None
    assert methods.read(id=f"{objects[0]['type']}--{MISSING}") is None


def test_read_of_another_kind_is_none(kind, api, bundle):
    methods, objects, *_ = kind
    other = "tool" if objects[0]["type"] != "tool" else "malware"
    identity = next(row["id"] for row in bundle["objects"] if row["type"] == other)
    assert methods.read(id=identity) is None


def test_filter_by_the_naming_property(kind):
    methods, objects, _, key, stix_key = kind
    for given in objects:
        (row,) = methods.list(filters=equals(key, str(given[stix_key])))
        assert str(row[key]) == str(given[stix_key])
        assert methods.read(filters=equals(key, str(given[stix_key])))["id"] == row["id"]
    assert methods.list(filters=equals(key, "991177")) == []
    assert methods.read(filters=equals(key, "991177")) is None


def test_filter_by_ids(kind):
    methods, objects, *_ = kind
    found = methods.list(filters=equals("ids", *(row["id"] for row in objects)))
    assert len(found) == len(objects)


def test_an_unknown_filter_key_is_an_error(kind):
    methods, *_ = kind
    with pytest.raises(ValueError, match="UNSUPPORTED_ERROR") as error:
        methods.list(filters=equals("no_such_property", "x"))
    assert "no_such_property" in str(error.value)


def test_get_all_with_small_pages_gives_each_once(kind):
    methods, objects, *_ = kind
    found = methods.list(getAll=True, first=1)
    assert len(found) == len(objects) == len({row["id"] for row in found})


@pytest.mark.parametrize("accessor", ACTORS)
def test_kinds_of_threat_actors_are_told_apart(api, accessor):
    (row,) = getattr(api, accessor).list()
    assert row["name"] == ACTORS[accessor]


@pytest.mark.parametrize("stix_type", ["identity", "location"])
def test_kinds_of_identities_and_locations_are_told_apart(api, bundle, stix_type):
    methods = getattr(api, stix_type)
    for given in bundle["objects"]:
        if given["type"] != stix_type:
            continue
        row = methods.read(id=given["id"])
        assert row["entity_type"] == given["extensions"][EXTENSION]["type"], given["name"]
        found = methods.list(types=[row["entity_type"]])
        assert {other["entity_type"] for other in found} == {row["entity_type"]}
