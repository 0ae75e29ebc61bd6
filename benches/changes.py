#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Changes about ten per cent of a corpgraph, in ten steps.

Writes the bodies of ten synchronization uploads, `step-0.json` to `step-9.json`: property changes,
ended relationships and new relationships. The same graph and seed give the same changes.

  ./changes.py --data DIR --out DIR
"""
import argparse
import json
import os
import random

STEPS = 10
# Shares of the entities that change a property, of the relationships that end, and that begin.
PROPERTY_SHARE, ENDED_SHARE, BEGUN_SHARE = 0.094, 0.0488, 0.0488
DEPARTMENTS = ["engineering", "finance", "sales", "support", "legal", "people", "security", "data"]
CLASSIFICATIONS = ["public", "internal", "confidential", "critical"]
REGIONS = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2"]
SEVERITIES = ["info", "low", "medium", "high", "critical"]


def change(rng, row):
    """Another value for one property that the queries look at, or None."""
    kind = row["_type"]
    if kind == "okta_user":
        name = rng.choice(["active", "mfaEnabled", "department"])
        value = rng.choice(DEPARTMENTS) if name == "department" else not row[name]
    elif kind == "okta_user_group":
        name, value = "privileged", not row["privileged"]
    elif kind == "aws_iam_role":
        name, value = "admin", not row["admin"]
    elif kind == "aws_instance":
        name = rng.choice(["public", "region"])
        value = rng.choice(REGIONS) if name == "region" else not row[name]
    elif kind == "aws_rds_instance":
        name, value = "classification", rng.choice(CLASSIFICATIONS)
    elif kind == "vuln_finding":
        name = rng.choice(["severity", "open"])
        value = rng.choice(SEVERITIES) if name == "severity" else not row[name]
    else:
        name, value = "displayName", row["displayName"] + " (changed)"
    if row.get(name) == value:
        return None
    return {"_key": row["_key"], "_type": kind, "_class": row["_class"], name: value}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--seed", type=int, default=20270101)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    steps = [{"entities": [], "relationships": [], "deleteRelationships": []} for _ in range(STEPS)]
    with open(os.path.join(given.data, "entities.ndjson")) as lines:
        for line in lines:
            if rng.random() >= PROPERTY_SHARE * 1.07:  # some changes draw the value that is there
                continue
            changed = change(rng, json.loads(line))
            if changed:
                rng.choice(steps)["entities"].append(changed)
    ends = {}
    with open(os.path.join(given.data, "relationships.ndjson")) as lines:
        for line in lines:
            draw = rng.random()
            if draw < ENDED_SHARE:
                key = json.loads(line)["_key"]
                rng.choice(steps)["deleteRelationships"].append({"_key": key})
            elif draw < ENDED_SHARE + BEGUN_SHARE:
                # A new relationship from here to where another one of the same kind leads.
                row = json.loads(line)
                kind = row["_type"]
                other, ends[kind] = ends.get(kind), row["_toEntityKey"]
                if other and other != row["_toEntityKey"]:
                    row["_toEntityKey"] = other
                    row["_key"] = "{}|{}|{}".format(row["_fromEntityKey"], row["_class"], other)
                    rng.choice(steps)["relationships"].append(row)
    os.makedirs(given.out, exist_ok=True)
    for number, step in enumerate(steps):
        # A relationship that comes twice in one upload would be an error.
        step["relationships"] = list({row["_key"]: row for row in step["relationships"]}.values())
        ended = {row["_key"] for row in step["deleteRelationships"]}
        step["relationships"] = [row for row in step["relationships"] if row["_key"] not in ended]
        with open(os.path.join(given.out, f"step-{number}.json"), "w") as out:
            json.dump(step, out, separators=(",", ":"))
    counts = {name: sum(len(step[name]) for step in steps) for name in steps[0]}
    print(json.dumps(counts))


if __name__ == "__main__":
    main()
