# SPDX-License-Identifier: Apache-2.0
"""Objects that STIX allows and OpenCTI's contract has no room for: none costs a list its rows."""

import json
import uuid

import pytest
import requests
from pycti import OpenCTIApiClient

SPACE = uuid.UUID("6f9619ff-8b86-d011-b42d-00cf4fc964ff")
TLP_RED_1 = "marking-definition--5e57c739-391a-4eb3-b6be-7d15ca92d5ed"
TLP_RED_2 = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1"
TLP_2 = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d"
MOMENT = "2025-02-03T04:05:06.000Z"


def stix_id(kind, name):
    return f"{kind}--{uuid.uuid5(SPACE, kind + name)}"


def made(kind, seed, /, **members):
    return {"type": kind, "spec_version": "2.1", "id": stix_id(kind, seed), **members}


def edge(seed, source, kind, target, /, **members):
    ends = {"source_ref": source["id"], "target_ref": target["id"]}
    return made("relationship", seed, relationship_type=kind, **ends, **members)


# Every domain object type without anything that STIX does not demand.
BARE = [
    made("attack-pattern", "bare"),
    made("campaign", "bare"),
    made("course-of-action", "bare"),
    made("grouping", "bare"),
    made("identity", "bare"),
    made("indicator", "bare", pattern="[url:value = 'https://a.example/']", pattern_type="stix"),
    made("infrastructure", "bare"),
    made("intrusion-set", "bare"),
    made("location", "bare", region="northern-europe"),
    made("malware", "bare", is_family=False),
    made("malware-analysis", "bare"),
    made("note", "bare"),
    made("observed-data", "bare"),
    made("opinion", "bare"),
    made("report", "bare"),
    made("threat-actor", "bare"),
    made("tool", "bare"),
    made("vulnerability", "bare"),
]
NAMED = [
    made("malware", "named", name="Quiet Heron", is_family="true", confidence="60"),
    made("indicator", "named", name="Heron's address", pattern="[mutex:name = 'heron']"),
    made("report", "named", name="On herons", published=MOMENT, object_refs=[]),
    made(
        "tool",
        "cited",
        name="Tongs",
        revoked=True,
        external_references=[
            {"url": "https://a.example/tongs"},
            {"external_id": "T-1"},
            {"description": "seen on a pier"},
            {},
        ],
        labels=["", "Pincers"],
    ),
]
OBSERVED = [
    made(
        "process",
        "nested",
        pid=7,
        command_line="heron --quiet",
        environment_variables={"HOME": "/root", "LEVEL": 3},
        extensions={"windows-process-ext": {"aslr_enabled": True}},
    ),
    made(
        "file",
        "nested",
        hashes={"SHA-256": "ab" * 32},
        size=5_000_000_000,
        extensions={"ntfs-ext": {"sid": "1"}},
    ),
    made(
        "network-traffic",
        "nested",
        protocols=["tcp"],
        dst_port=443.0,
        extensions={"http-request-ext": {"request_header": {"Accept": ["*/*"]}}},
    ),
    made(
        "email-message",
        "nested",
        is_multipart=False,
        subject="hello",
        received_lines=["from a by b"],
        additional_header_fields={"X-Mailer": ["Heron 1"]},
    ),
    made("windows-registry-key", "nested", values=[{"name": "Run", "data": "heron"}]),
    made("user-account", "nested", extensions={"unix-account-ext": {"gid": 1}}),
    made("x509-certificate", "nested", x509_v3_extensions={"basic_constraints": "CA:FALSE"}),
    made("artifact", "nested"),
]
REFUSED = {
    "confidence": made("malware", "r1", name="a", is_family=True, confidence=85.5),
    "is_family": made("malware", "r2", name="b", is_family="perhaps"),
    "name": made("tool", "r3", name={"en": "c"}),
    "external_references": made("tool", "r4", name="d", external_references=[{"url": ["x"]}]),
    "hashes": made("file", "r5", hashes={"MD5": {"a": 1}}),
    "its marking": made("tool", "r6", name="e", object_marking_refs=[
        stix_id("marking-definition", "nobody's")]),
    "is not known": made("tool", "r7", name="f", created_by_ref=stix_id("identity", "nobody")),
}
MARKING = made("marking-definition", "own", definition_type="statement",
               definition={"statement": "for friends"})
MARKED = [
    made("tool", "m1", name="Marked one", object_marking_refs=[TLP_RED_2]),
    made("tool", "m2", name="Marked two", object_marking_refs=[MARKING["id"]]),
    made("tool", "m3", name="Marked three", granular_markings=[
        {"marking_ref": TLP_RED_1, "selectors": ["name"]}]),
    {"type": "marking-definition", "spec_version": "2.1", "id": TLP_RED_2, "name": "TLP:RED",
     "created": MOMENT,
     "extensions": {TLP_2: {"extension_type": "property-extension", "tlp_2_0": "red"}}},
    MARKING,
]
FOREIGN = [made("x-heron-nest", f"nest {number}", name=f"nest {number}") for number in range(30)]
# Hidden ones before, between and behind those that are shown.
EDGES = [
    edge(f"hidden {number}", nest, "related-to", NAMED[0]) for number, nest in enumerate(FOREIGN)
] + [
    edge("shown 1", NAMED[1], "indicates", NAMED[0]),
    edge("shown 2", NAMED[0], "uses", NAMED[3]),
] + [
    edge(f"hidden back {number}", NAMED[0], "related-to", nest)
    for number, nest in enumerate(FOREIGN)
]


@pytest.fixture(scope="module")
def hostile(start_server):
    """A server with all of it, and what the import said."""
    server = start_server("hostile")
    objects = [
        *EDGES, *REFUSED.values(), *MARKED, *BARE, *NAMED, *OBSERVED, *FOREIGN, 7, {"type": "tool"},
    ]
    answer = requests.post(
        server.url + "/import/stix",
        json={"type": "bundle", "id": "bundle--1", "objects": objects},
        headers={"Authorization": "Bearer " + server.credentials["api_token"]},
        timeout=60,
    )
    assert answer.status_code == 200, answer.text
    report = answer.json()
    token = server.credentials["opencti"]["token"]
    return OpenCTIApiClient(server.url, token, log_level="critical"), report


@pytest.fixture(scope="module")
def client(hostile):
    return hostile[0]


def equals(key, *values, operator="eq"):
    condition = {"key": key, "values": list(values), "operator": operator, "mode": "or"}
    return {"mode": "and", "filters": [condition], "filterGroups": []}


def of(client, accessor, **given):
    return getattr(client, accessor).list(getAll=True, **given)


def test_what_cannot_be_taken_is_named_and_all_else_arrives(hostile):
    _, report = hostile
    reasons = {row["id"]: row["reason"] for row in report["rejected"]}
    for word, row in REFUSED.items():
        assert word in reasons.pop(row["id"]), word
    # The two that are no objects at all.
    assert len(reasons) <= 1 and len(report["rejected"]) == len(REFUSED) + 2
    arrived = len(EDGES) + len(MARKED) + len(BARE) + len(NAMED) + len(OBSERVED) + len(FOREIGN)
    assert report["created"] == arrived
    assert report["dangling"] == []


def test_no_list_fails_and_none_loses_a_row(client):
    lists = {
        "attack_pattern": 1, "campaign": 1, "course_of_action": 1, "grouping": 1, "identity": 1,
        "indicator": 2, "infrastructure": 1, "intrusion_set": 1, "location": 1, "malware": 2,
        "malware_analysis": 1, "note": 1, "observed_data": 1, "opinion": 1, "report": 2,
        "threat_actor": 1, "tool": 5, "vulnerability": 1, "external_reference": 4, "label": 1,
        "stix_cyber_observable": len(OBSERVED), "stix_core_relationship": 2,
        "stix_domain_object": len(BARE) + len(NAMED) + 3,
        "stix_core_object": len(BARE) + len(NAMED) + 3 + len(OBSERVED),
    }
    for accessor, count in lists.items():
        assert len(of(client, accessor)) == count, accessor
        page = getattr(client, accessor).list(first=1, withPagination=True)
        assert page["pagination"]["globalCount"] == count, accessor


def test_the_nameless_are_called_by_their_pattern_value_or_id(client):
    indicator = client.indicator.read(id=BARE[5]["id"])
    assert indicator["name"] == BARE[5]["pattern"]
    # Found by what is shown.
    for accessor, row in (("indicator", BARE[5]), ("malware", BARE[9]), ("report", BARE[14])):
        methods = getattr(client, accessor)
        shown = methods.read(id=row["id"])
        assert shown["name"]
        found = methods.list(filters=equals("name", shown["name"]))
        assert [one["id"] for one in found] == [shown["id"]], accessor
    names = {row["source_name"] for row in of(client, "external_reference")}
    assert {"https://a.example/tongs", "T-1", "seen on a pier"} < names and len(names) == 4


def test_pages_of_hidden_relationships_do_not_stop_the_walk(client):
    seen, after = [], None
    for _ in range(10):
        page = client.stix_core_relationship.list(first=1, after=after, withPagination=True)
        seen += [row["relationship_type"] for row in page["entities"]]
        info = page["pagination"]
        assert info["globalCount"] == 2
        if not info["hasNextPage"]:
            break
        assert info["endCursor"] and info["endCursor"] != after
        after = info["endCursor"]
    else:
        raise AssertionError("the walk does not end")
    assert sorted(seen) == ["indicates", "uses"]


def test_nested_values_of_observables_are_shown(client):
    rows = {row["entity_type"]: row for row in of(client, "stix_cyber_observable")}
    process = rows["Process"]
    assert sorted(process["environment_variables"]) == ["HOME=/root", "LEVEL=3"]
    assert "aslr_enabled" in json.loads(process["extensions"])["windows-process-ext"]
    assert rows["Network-Traffic"]["dst_port"] == 443
    file = rows["StixFile"]
    assert file["observable_value"] == "ab" * 32
    # Beyond 32 bits: only the object's STIX can say it.
    assert file["size"] is None
    whole = client.query('{ stix(id: "%s") }' % file["id"])["data"]["stix"]
    assert json.loads(whole)["size"] == 5_000_000_000
    named = client.malware.read(id=NAMED[0]["id"])
    assert named["is_family"] is True and named["confidence"] == 60


def test_markings_are_never_lost(client):
    def marks(row):
        tool = client.tool.read(id=row["id"])
        return [mark["definition"] for mark in tool["objectMarking"]]

    assert marks(MARKED[0]) == ["TLP:RED"]
    assert marks(MARKED[1]) == ["for friends"]
    assert marks(MARKED[2]) == ["TLP:RED"]
    assert client.tool.read(id=REFUSED["its marking"]["id"]) is None
    by_id = [client.marking_definition.read(id=one)["id"] for one in (TLP_RED_1, TLP_RED_2)]
    assert by_id[0] == by_id[1]


# List, key, what is shown where nothing is stored.
DEFAULTS = [
    ("tool", "revoked", False),
    ("malware", "revoked", False),
    ("stix_core_relationship", "revoked", False),
    ("identity", "identity_class", "individual"),
    ("grouping", "context", "unspecified"),
    ("observed_data", "number_observed", 1),
    ("marking_definition", "x_opencti_order", 0),
    ("location", "entity_type", "Region"),
    ("stix_cyber_observable", "spec_version", "2.1"),
]


@pytest.mark.parametrize(("accessor", "key", "value"), DEFAULTS)
def test_filters_see_what_is_shown(client, accessor, key, value):
    methods = getattr(client, accessor)
    rows = methods.list(getAll=True)
    shown = sorted(row["id"] for row in rows if row.get(key, value) == value)
    assert shown
    for given in (value, str(value).lower()) if isinstance(value, bool) else (value,):
        found = methods.list(filters=equals(key, given), getAll=True)
        assert sorted(row["id"] for row in found) == shown
    others = methods.list(filters=equals(key, value, operator="not_eq"), getAll=True)
    assert len(others) == len(rows) - len(shown)
