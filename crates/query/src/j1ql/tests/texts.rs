// SPDX-License-Identifier: Apache-2.0
//! Query texts that have to parse.

/// The worked examples of the language reference, in its order.
#[rustfmt::skip]
pub(super) const EXAMPLES: &[&str] = &[
    "FIND DataStore",
    "find Database",
    "FIND aws_s3_bucket WITH encrypted != true",
    "FIND DataStore WITH encrypted = undefined",
    "FIND DataStore WITH classification = ('critical' OR 'restricted') AND tag.Production = true",
    "FIND * WITH _class = ('DataStore' AND 'Database')",
    "FIND * WITH _class != ('User' OR 'Person') AND displayName ^= 'a'",
    "FIND Person WITH email = 'aa@home.io'",
    "FIND User WITH email !~= '@x.io'",
    "FIND Host WITH ipAddress $= '.5'",
    "FIND (User|Person) WITH displayName = /^ALICE/i",
    "FIND User WITH createdOn > date.now - 30 days",
    "FIND DataStore WITH classification = ${param.sensitive} OR sizeGb < 60",
    r#"FIND "10.0.0.5""#,
    "'alice' WITH _class = 'User'",
    "FIND #Production DataStore",
    "FIND User THAT ASSIGNED AccessRole",
    "FIND AccessRole THAT ASSIGNED User",
    "FIND AccessRole THAT ASSIGNED >> User",
    "FIND User THAT !ASSIGNED AccessRole",
    "FIND Account THAT !HAS Host THAT HAS Finding WITH severity = 'critical'",
    "FIND User AS u THAT IS Person AS p RETURN u.username, p.firstName",
    "FIND AccessPolicy AS pol THAT ALLOWS AS perm DataStore AS d WHERE perm.admin = true RETURN \
     pol.displayName, perm.permission, d.displayName",
    "FIND User AS a THAT HAS UserGroup THAT HAS User AS b RETURN a.username, b.username",
    "FIND UNIQUE Account AS a THAT HAS * AS x THAT HAS Finding RETURN a.displayName, x.displayName",
    "FIND User (THAT IS Person AS p)? RETURN User.username, p.displayName",
    "FIND User AS u (THAT IS Person)? THAT OWNS Device AS d RETURN u.username, d.displayName",
    "FIND (User|UserGroup) AS who (THAT ASSIGNED AccessRole)? THAT ASSIGNED AccessPolicy AS pol \
     RETURN who.displayName, pol.displayName",
    "FIND Account AS a THAT HAS DataStore AS d RETURN a.displayName AS Account, count(d) AS n, \
     sum(d.sizeGb) * 2 AS cost",
    "FIND Finding AS f THAT HAS * AS x RETURN f.displayName, count(x) AS n ORDER BY n DESC LIMIT 1",
    "FIND DataStore AS d RETURN count(d.classification)",
    "FIND Risk AS r RETURN count(r)",
    "FIND DataStore AS d RETURN d.displayName, coalesce(d.encrypted, 'unknown') AS enc, \
     concat(d.sizeGb, ' GB') AS size ORDER BY d.sizeGb DESC SKIP 1 LIMIT 2",
    "FIND Person AS p THAT IS User AS u RETURN p.displayName, merge(p.email, u.email) AS emails",
    "FIND Host THAT HAS Finding WITH numericSeverity >= 7 RETURN TREE",
    "FIND Finding AS f THAT HAS DataStore AS d RETURN f, d",
    "FIND aws_s3_bucket AS b WHERE b.displayName = ( FIND DataStore WITH encrypted = true AS x \
     RETURN x.displayName )",
    "FIND DataStore AS d RETURN d.classification, count(d) AS n HAVING n > 1",
    "FIND User AS u THAT IS Person AS p WHERE u.email = p.email RETURN u.username",
    "FIND UserGroup THAT RELATES TO * AS x RETURN x.displayName",
    "FIND Account THAT !HAS Host",
    "FIND User THAT HAS UserGroup THAT !ASSIGNED AccessRole",
    "FIND Person THAT IS << User THAT OWNS Device WITH platform = 'windows' RETURN TREE",
    "FIND User WITH mfaEnabled != true AND active = true",
    "FIND DataStore WITH sizeGb >= 100 AND (encrypted = false OR encrypted = undefined)",
    "FIND DataStore AS d THAT ALLOWS AS r AccessPolicy RETURN d.displayName, r._class, r.admin \
     ORDER BY d.displayName",
];

/// Queries over the public permission graphs.
#[rustfmt::skip]
pub(super) const GRAPH_QUERIES: &[&str] = &[
    "FIND UNIQUE github_user AS u THAT HAS AS m github_account WHERE m.admin = true RETURN \
     u.username",
    "FIND UNIQUE github_user AS u THAT HAS github_team THAT ALLOWS AS p github_repo WHERE \
     p.permission = 'admin' RETURN u.username",
    "FIND UNIQUE github_user AS u THAT HAS github_team THAT ALLOWS AS p github_repo AS repo WHERE \
     p.permission = 'admin' RETURN u.username, repo.displayName",
    "FIND github_user THAT !HAS github_team",
    "FIND github_user THAT !HAS github_account",
    "FIND github_repo THAT !ALLOWS github_team",
    "FIND github_account AS a THAT HAS github_user AS u RETURN a.name, count(u) AS n ORDER BY n \
     DESC LIMIT 1",
    "FIND AccessPolicy THAT ALLOWS Permission WITH displayName = 'iam:PassRole'",
    "FIND AccessPolicy THAT ALLOWS Permission WITH displayName = 'iam:CreateAccessKey'",
    "FIND AccessPolicy THAT ALLOWS Permission WITH displayName = 'sts:AssumeRole'",
    "FIND AccessPolicy THAT ALLOWS Permission WITH displayName = 'kms:Decrypt'",
    "FIND UNIQUE AccessPolicy AS p THAT ALLOWS AS g Permission WITH displayName = 'iam:PassRole' \
     WHERE g.conditional = false AND g.allResources = true RETURN p.name",
    "FIND AccessPolicy AS p THAT ALLOWS Permission THAT HAS Service AS s RETURN s.displayName, \
     count(p) AS n ORDER BY n DESC LIMIT 3",
    "FIND AccessPolicy THAT !ALLOWS Permission WITH accessLevel = 'Permissions management'",
    "FIND Permission WITH displayName = 'iam:PassRole' THAT ALLOWS AccessPolicy AS p THAT ALLOWS \
     Permission WITH displayName = 'lambda:CreateFunction' RETURN p.name",
    "FIND * AS x RETURN count(x)",
];

/// The benchmark queries.
#[rustfmt::skip]
pub(super) const BENCHMARKS: &[&str] = &[
    "FIND okta_user WITH email = 'user424@corp.example' AS u RETURN u._key",
    "FIND aws_iam_role WITH accountId = '100000000042' AND admin = true AS r RETURN count(r) AS n",
    "FIND okta_user_group WITH privileged = true AS g THAT HAS okta_user WITH department = \
     'finance' AS u RETURN g.displayName, count(u) AS n",
    "FIND okta_user WITH active = true AND mfaEnabled = false AS u THAT HAS okta_user_group THAT \
     ASSIGNED aws_iam_role THAT HAS aws_iam_policy THAT ALLOWS aws_rds_instance WITH \
     classification = 'critical' RETURN count(u) AS n",
    "FIND aws_instance WITH public = true AS h THAT !PROTECTS edr_agent RETURN count(h) AS n",
    "FIND aws_instance AS h THAT HAS vuln_finding WITH severity = 'critical' AND open = true AS f \
     RETURN h.region, count(f) AS n ORDER BY n DESC",
    "FIND okta_user WITH _key = 'user:424' THAT HAS okta_user_group THAT ASSIGNED aws_iam_role \
     THAT HAS aws_iam_policy THAT ALLOWS aws_rds_instance AS d RETURN count(d) AS n",
];
