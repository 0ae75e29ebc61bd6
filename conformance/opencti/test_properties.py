# SPDX-License-Identifier: Apache-2.0
"""What an object carries: its own properties, markings, labels, references, phases, author."""

import pytest


@pytest.fixture(scope="module")
def by_name(bundle):
    return {row["name"]: row for row in bundle["objects"] if "name" in row}


def listed(value):
    """A connection or a plain list: the client accepts both."""
    return value if isinstance(value, list) else [edge["node"] for edge in value["edges"]]


def test_own_properties_of_an_intrusion_set(api, by_name):
    given = by_name["Grey Petrel"]
    row = api.intrusion_set.read(id=given["id"])
    for name in ("name", "description", "aliases", "goals", "resource_level", "confidence"):
        assert row[name] == given[name], name
    assert row["primary_motivation"] == given["primary_motivation"]
    for name in ("first_seen", "last_seen", "created", "modified"):
        assert row[name] == given[name], name
    assert row["revoked"] is False


def test_own_properties_of_an_indicator(api, by_name):
    given = by_name["Lagoon Relay address"]
    row = api.indicator.read(id=given["id"])
    for name in ("pattern", "pattern_type", "valid_from", "valid_until", "indicator_types"):
        assert row[name] == given[name], name
    assert row["x_opencti_score"] == 80 and row["x_opencti_detection"] is True
    assert row["x_opencti_main_observable_type"] == "IPv4-Addr"


def test_own_properties_of_a_vulnerability(api, by_name):
    row = api.vulnerability.read(id=by_name["CVE-2024-6387"]["id"])
    assert row["x_opencti_cvss_base_score"] == 8.1
    assert row["x_opencti_cvss_base_severity"] == "HIGH"


def test_own_properties_of_a_position(api, by_name):
    row = api.location.read(id=by_name["Pier 9"]["id"])
    assert (row["latitude"], row["longitude"]) == (60.39712, 5.31031)


def test_the_mitre_id_comes_from_the_reference(api, by_name):
    row = api.attack_pattern.read(id=by_name["Quay Crane Takeover"]["id"])
    assert row["x_mitre_id"] == "T9103" and row["x_mitre_platforms"] == ["ICS"]


def test_markings(api, by_name):
    expected = {
        "Vera Lindqvist": ("threat_actor", "TLP:RED"),
        "Copper Gull": ("threat_actor", "TLP:AMBER"),
        "Night Cormorant": ("intrusion_set", "TLP:AMBER+STRICT"),
        "BarnacleDrop": ("malware", "TLP:GREEN"),
    }
    for name, (accessor, marking) in expected.items():
        row = getattr(api, accessor).read(id=by_name[name]["id"])
        assert [mark["definition"] for mark in listed(row["objectMarking"])] == [marking], name


def test_marking_definitions(api, bundle):
    given = [row for row in bundle["objects"] if row["type"] == "marking-definition"]
    found = {row["standard_id"]: row for row in api.marking_definition.list(getAll=True)}
    for row in given:
        if row["definition_type"] == "tlp":
            assert found[row["id"]]["definition_type"] == "TLP"
    assert api.marking_definition.read(id=given[0]["id"])["id"] == found[given[0]["id"]]["id"]
    statement = next(row for row in given if row["definition_type"] == "statement")
    marking = api.marking_definition.read(id=statement["id"])
    assert marking["definition"] == statement["definition"]["statement"]


def test_labels(api, by_name, bundle):
    row = api.intrusion_set.read(id=by_name["Salt Heron"]["id"])
    assert sorted(label["value"] for label in listed(row["objectLabel"])) == [
        "espionage",
        "transport",
    ]
    values = {label for given in bundle["objects"] for label in given.get("labels", [])}
    assert {label["value"] for label in api.label.list(getAll=True)} >= values
    label = listed(row["objectLabel"])[0]
    assert api.label.read(id=label["id"])["value"] == label["value"]


def test_external_references(api, by_name):
    given = by_name["BarnacleDrop"]["external_references"][0]
    row = api.malware.read(id=by_name["BarnacleDrop"]["id"])
    (reference,) = listed(row["externalReferences"])
    assert reference["url"] == given["url"]
    assert reference["source_name"] == given["source_name"]
    # The relationship that names the same page shares the reference.
    alone = api.external_reference.read(id=reference["id"])
    assert alone["url"] == given["url"]
    urls = [row["url"] for row in api.external_reference.list(getAll=True)]
    assert urls.count(given["url"]) == 1


def test_kill_chain_phases(api, by_name):
    row = api.attack_pattern.read(id=by_name["Quay Crane Takeover"]["id"])
    phases = {phase["phase_name"] for phase in listed(row["killChainPhases"])}
    assert phases == {"foothold", "effect"}
    names = [phase["phase_name"] for phase in api.kill_chain_phase.list(getAll=True)]
    assert sorted(names) == ["approach", "effect", "foothold"]


def test_author(api, by_name):
    row = api.report.read(id=by_name["The Tide Comes In"]["id"])
    assert row["createdBy"]["name"] == "Harbourlight Institute"
    assert row["createdBy"]["entity_type"] == "Organization"


def test_objects_of_a_container(api, by_name):
    given = by_name["The Tide Comes In"]
    row = api.report.read(id=given["id"])
    held = {api.stix_core_object.read(id=ref)["id"] for ref in given["object_refs"]}
    assert {node["id"] for node in listed(row["objects"])} == held


def test_relationships(api, by_name, bundle):
    given = [row for row in bundle["objects"] if row["type"] == "relationship"]
    found = api.stix_core_relationship.list(getAll=True)
    assert len(found) == len(given)
    petrel = api.intrusion_set.read(id=by_name["Grey Petrel"]["id"])
    uses = api.stix_core_relationship.list(fromId=petrel["id"], relationship_type="uses")
    assert sorted(row["to"]["name"] for row in uses) == ["BarnacleDrop", "Forged Pilot Notices"]
    drop = next(row for row in uses if row["to"]["name"] == "BarnacleDrop")
    assert drop["start_time"] == "2025-01-10T00:00:00.000Z" and drop["confidence"] == 80
    assert [mark["definition"] for mark in listed(drop["objectMarking"])] == ["TLP:GREEN"]


def test_sightings(api):
    (row,) = api.stix_sighting_relationship.list()
    assert row["attribute_count"] == 14
    assert row["from"]["name"] == "Lagoon Relay address"
    assert row["to"]["name"] == "Quayside Shipping"


def test_observables(api, bundle):
    found = api.stix_cyber_observable.list(getAll=True)
    values = {row["observable_value"] for row in found}
    assert {"198.51.100.23", "lagoon.example", "https://lagoon.example/buoy"} <= values
    kinds = {row["entity_type"] for row in found}
    assert {"IPv4-Addr", "Domain-Name", "StixFile", "Url", "Email-Addr", "Software"} == kinds
