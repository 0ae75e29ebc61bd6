# SPDX-License-Identifier: Apache-2.0
"""The three bundles of ATT&CK: every list ends, and shows as many objects as were imported."""

import collections
import json
import os
import pathlib
import subprocess

import pytest
import requests
from pycti import OpenCTIApiClient

SHARED = os.environ.get("DURWARD_SHARED")
pytestmark = pytest.mark.skipif(not SHARED, reason="DURWARD_SHARED is not set")

# The list of the client for a type of STIX.
LISTS = {
    "attack-pattern": "attack_pattern",
    "campaign": "campaign",
    "course-of-action": "course_of_action",
    "identity": "identity",
    "intrusion-set": "intrusion_set",
    "malware": "malware",
    "marking-definition": "marking_definition",
    "tool": "tool",
}
# Lists of types that ATT&CK has none of.
EMPTY = [
    "case_incident", "channel", "data_component", "data_source", "event", "feedback", "grouping",
    "incident", "indicator", "infrastructure", "language", "location", "malware_analysis",
    "narrative", "note", "observed_data", "opinion", "report", "stix_cyber_observable",
    "stix_sighting_relationship", "threat_actor", "vulnerability",
]
ENDS = ("source_ref", "target_ref")
# A selection that is enough to count by; the whole ones are asked of the lists of each type.
SLIM = "id entity_type"


@pytest.fixture(scope="module")
def attack(start_server):
    """A server that holds all three, and their objects by id."""
    server = start_server("attack")
    objects = {}
    for file in sorted(pathlib.Path(SHARED, "data", "attack").glob("*.zst")):
        text = subprocess.run(["zstd", "-dc", file], capture_output=True, check=True).stdout
        answer = requests.post(
            server.url + "/import/stix",
            data=text,
            headers={"Authorization": "Bearer " + server.credentials["api_token"]},
            timeout=600,
        )
        assert answer.status_code == 200, answer.text
        report = answer.json()
        assert report["rejected"] == [] and report["dangling"] == [], file
        given = json.loads(text)["objects"]
        objects.update((row["id"], row) for row in given)
    token = server.credentials["opencti"]["token"]
    return OpenCTIApiClient(server.url, token, log_level="critical"), objects


def identity(row):
    """What makes an object what it is: the platform's rule, by which two bundles may agree."""
    if row["type"] in ("attack-pattern", "course-of-action"):
        for reference in row.get("external_references", []):
            if reference["source_name"].startswith("mitre-") and "external_id" in reference:
                return row["type"], reference["external_id"].lower()
    return row["type"], row["name"].strip().lower() if "name" in row else row["id"]


def count_of(given, kinds):
    return len({identity(row) for row in given.values() if row["type"] in kinds})


@pytest.mark.parametrize(("stix_type", "accessor"), LISTS.items())
def test_whole_lists_end_and_are_whole(attack, stix_type, accessor):
    client, objects = attack
    found = getattr(client, accessor).list(getAll=True)
    assert len({row["id"] for row in found}) == len(found) == count_of(objects, {stix_type})
    assert all(row.get("name") or row.get("definition") for row in found)


@pytest.mark.parametrize("accessor", EMPTY)
def test_lists_without_objects_end_too(attack, accessor):
    client, _ = attack
    assert getattr(client, accessor).list(getAll=True) == []


def test_lists_of_abstract_types_end(attack):
    client, objects = attack
    domain = set(LISTS) - {"marking-definition"}
    for methods in (client.stix_domain_object, client.stix_core_object):
        found = methods.list(getAll=True, first=5000, customAttributes=SLIM)
        assert len({row["id"] for row in found}) == len(found) == count_of(objects, domain)


def test_relationships_end_and_are_those_whose_ends_are_shown(attack):
    client, objects = attack
    shown = {id for id, row in objects.items() if row["type"] in LISTS}
    ends = {
        (row["relationship_type"], *(identity(objects[row[end]]) for end in ENDS))
        for row in objects.values()
        if row["type"] == "relationship" and {row[end] for end in ENDS} <= shown
    }
    wanted = collections.Counter(kind for kind, _, _ in ends)
    slim = "id relationship_type"
    found = client.stix_core_relationship.list(getAll=True, first=5000, customAttributes=slim)
    assert collections.Counter(row["relationship_type"] for row in found) == wanted
    # A small page and the whole selection: every page goes on to the next.
    after, seen = None, 0
    for _ in range(4):
        page = client.stix_core_relationship.list(first=100, after=after, withPagination=True)
        info = page["pagination"]
        assert info["globalCount"] == sum(wanted.values())
        assert len(page["entities"]) == 100 and info["hasNextPage"] and info["endCursor"]
        seen, after = seen + len(page["entities"]), info["endCursor"]
    assert seen == 400


def test_references_and_phases_end(attack):
    client, objects = attack
    phases = {
        (phase["kill_chain_name"], phase["phase_name"])
        for row in objects.values()
        for phase in row.get("kill_chain_phases", [])
    }
    assert len(client.kill_chain_phase.list(getAll=True)) == len(phases)
    labels = {label.lower() for row in objects.values() for label in row.get("labels", [])}
    assert len(client.label.list(getAll=True)) == len(labels)
    cited = {
        reference.get("url") or (reference.get("source_name"), reference.get("external_id"))
        for row in objects.values()
        for reference in row.get("external_references", [])
        if reference.get("url") or reference.get("external_id")
    }
    slim = "id url source_name external_id"
    found = client.external_reference.list(getAll=True, first=5000, customAttributes=slim)
    shown = {row["url"] or (row["source_name"], row["external_id"]) for row in found}
    assert cited <= shown
    assert len({row["id"] for row in found}) == len(found)
