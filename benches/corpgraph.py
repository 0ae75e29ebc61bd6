#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""corpgraph: a deterministic synthetic company, as a security graph.

Writes two NDJSON files in the shape that a synchronization upload takes:

  entities.ndjson        {"_key","_type","_class",[properties]}
  relationships.ndjson   {"_key","_type","_class","_fromEntityKey","_toEntityKey"}

The same --scale and --seed give the same bytes everywhere (pure standard library).
Degrees are skewed the way real estates are: few huge groups, many small ones; a few
"crown jewel" data stores; most hosts have an agent and some do not.

  ./corpgraph.py --scale 0.01 --out DIR     about 10 thousand entities, 37 thousand relationships
  ./corpgraph.py --scale 1    --out DIR     1 million entities, 3.9 million relationships
"""
import argparse
import os
import random

COUNTS = {  # at scale 1
    "user": 200_000, "group": 20_000, "role": 60_000, "policy": 40_000, "account": 500,
    "host": 250_000, "agent": 180_000, "db": 30_000, "bucket": 60_000, "finding": 159_500,
}
DEPARTMENTS = ["engineering", "finance", "sales", "support", "legal", "people", "security", "data"]
REGIONS = ["us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2"]
CLASSIFICATIONS = ["public", "internal", "internal", "internal", "confidential", "critical"]
SEVERITIES = ["info", "low", "low", "medium", "medium", "high", "critical"]


def skewed(rng, n):
    """An index below n, small ones far likelier (a power law, exponent about 2)."""
    return min(n - 1, int(n * rng.random() ** 3))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--scale", type=float, default=0.01)
    ap.add_argument("--seed", type=int, default=20261122)
    ap.add_argument("--out", required=True)
    a = ap.parse_args()
    rng = random.Random(a.seed)
    n = {k: max(8, int(v * a.scale)) for k, v in COUNTS.items()}
    os.makedirs(a.out, exist_ok=True)

    with open(os.path.join(a.out, "entities.ndjson"), "w", buffering=1 << 20) as f:
        w = f.write
        for i in range(n["account"]):
            w(f'{{"_key":"acct:{i}","_type":"aws_account","_class":["Account"],"displayName":"account {i}","accountId":"{100000000000 + i}","production":{"true" if i % 3 == 0 else "false"}}}\n')
        for i in range(n["user"]):
            d = DEPARTMENTS[rng.randrange(8)]
            w(f'{{"_key":"user:{i}","_type":"okta_user","_class":["User"],"displayName":"User {i}","email":"user{i}@corp.example","department":"{d}","active":{"false" if rng.random() < 0.07 else "true"},"mfaEnabled":{"false" if rng.random() < 0.12 else "true"},"createdOn":{1577836800000 + rng.randrange(210_000_000) * 1000}}}\n')
        for i in range(n["group"]):
            w(f'{{"_key":"group:{i}","_type":"okta_user_group","_class":["UserGroup"],"displayName":"Group {i}","privileged":{"true" if rng.random() < 0.04 else "false"}}}\n')
        for i in range(n["role"]):
            acct = 100000000000 + rng.randrange(n["account"])
            w(f'{{"_key":"role:{i}","_type":"aws_iam_role","_class":["AccessRole"],"displayName":"role-{i}","accountId":"{acct}","admin":{"true" if rng.random() < 0.02 else "false"},"lastUsedDays":{rng.randrange(400)}}}\n')
        for i in range(n["policy"]):
            w(f'{{"_key":"policy:{i}","_type":"aws_iam_policy","_class":["AccessPolicy"],"displayName":"policy-{i}","wildcard":{"true" if rng.random() < 0.08 else "false"}}}\n')
        for i in range(n["host"]):
            acct = 100000000000 + skewed(rng, n["account"])
            w(f'{{"_key":"host:{i}","_type":"aws_instance","_class":["Host"],"displayName":"i-{i:08x}","accountId":"{acct}","region":"{REGIONS[rng.randrange(5)]}","public":{"true" if rng.random() < 0.05 else "false"},"ipAddress":"10.{(i >> 16) & 255}.{(i >> 8) & 255}.{i & 255}"}}\n')
        for i in range(n["agent"]):
            w(f'{{"_key":"agent:{i}","_type":"edr_agent","_class":["HostAgent"],"displayName":"agent {i}","version":"{6 + rng.randrange(2)}.{rng.randrange(12)}.{rng.randrange(9)}"}}\n')
        for i in range(n["db"]):
            w(f'{{"_key":"db:{i}","_type":"aws_rds_instance","_class":["Database","DataStore"],"displayName":"db-{i}","engine":"{"postgres" if rng.random() < 0.6 else "mysql"}","classification":"{CLASSIFICATIONS[rng.randrange(6)]}","encrypted":{"false" if rng.random() < 0.1 else "true"}}}\n')
        for i in range(n["bucket"]):
            w(f'{{"_key":"bucket:{i}","_type":"aws_s3_bucket","_class":["DataStore"],"displayName":"bucket-{i}","classification":"{CLASSIFICATIONS[rng.randrange(6)]}","public":{"true" if rng.random() < 0.02 else "false"}}}\n')
        for i in range(n["finding"]):
            w(f'{{"_key":"finding:{i}","_type":"vuln_finding","_class":["Finding","Vulnerability"],"displayName":"CVE-{2015 + rng.randrange(12)}-{1000 + rng.randrange(40000)}","severity":"{SEVERITIES[rng.randrange(7)]}","numericSeverity":{rng.randrange(100) / 10},"open":{"true" if rng.random() < 0.6 else "false"}}}\n')

    seen = set()
    with open(os.path.join(a.out, "relationships.ndjson"), "w", buffering=1 << 20) as f:
        def rel(frm, verb, to, typ):
            key = f"{frm}|{verb}|{to}"
            h = hash((frm, verb, to))
            if h in seen:
                return
            seen.add(h)
            f.write(f'{{"_key":"{key}","_type":"{typ}","_class":"{verb}","_fromEntityKey":"{frm}","_toEntityKey":"{to}"}}\n')

        for i in range(n["user"]):
            for _ in range(1 + int(rng.expovariate(1 / 5))):
                rel(f"group:{skewed(rng, n['group'])}", "HAS", f"user:{i}", "okta_user_group_has_user")
        for i in range(n["group"]):
            for _ in range(1 + int(rng.expovariate(1 / 4))):
                rel(f"group:{i}", "ASSIGNED", f"role:{skewed(rng, n['role'])}", "okta_user_group_assigned_aws_iam_role")
        for i in range(n["role"]):
            rel(f"acct:{rng.randrange(n['account'])}", "HAS", f"role:{i}", "aws_account_has_aws_iam_role")
            for _ in range(1 + int(rng.expovariate(1 / 3))):
                rel(f"role:{i}", "HAS", f"policy:{skewed(rng, n['policy'])}", "aws_iam_role_has_aws_iam_policy")
            if rng.random() < 0.15:
                rel(f"role:{i}", "TRUSTS", f"role:{rng.randrange(n['role'])}", "aws_iam_role_trusts_aws_iam_role")
        for i in range(n["policy"]):
            for _ in range(1 + int(rng.expovariate(1 / 12))):
                if rng.random() < 0.4:
                    rel(f"policy:{i}", "ALLOWS", f"db:{skewed(rng, n['db'])}", "aws_iam_policy_allows_aws_rds_instance")
                else:
                    rel(f"policy:{i}", "ALLOWS", f"bucket:{skewed(rng, n['bucket'])}", "aws_iam_policy_allows_aws_s3_bucket")
        for i in range(n["host"]):
            rel(f"acct:{skewed(rng, n['account'])}", "HAS", f"host:{i}", "aws_account_has_aws_instance")
            for _ in range(int(rng.expovariate(1 / 4))):
                rel(f"host:{i}", "HAS", f"finding:{skewed(rng, n['finding'])}", "aws_instance_has_vuln_finding")
            if rng.random() < 0.5:
                rel(f"host:{i}", "USES", f"role:{skewed(rng, n['role'])}", "aws_instance_uses_aws_iam_role")
            for _ in range(int(rng.expovariate(1 / 2))):
                rel(f"host:{i}", "CONNECTS", f"host:{rng.randrange(n['host'])}", "aws_instance_connects_aws_instance")
        for i in range(n["agent"]):
            rel(f"agent:{i}", "PROTECTS", f"host:{rng.randrange(n['host'])}", "edr_agent_protects_aws_instance")
        for i in range(n["db"]):
            rel(f"acct:{skewed(rng, n['account'])}", "HAS", f"db:{i}", "aws_account_has_aws_rds_instance")
        for i in range(n["bucket"]):
            rel(f"acct:{skewed(rng, n['account'])}", "HAS", f"bucket:{i}", "aws_account_has_aws_s3_bucket")


if __name__ == "__main__":
    main()
