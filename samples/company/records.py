# SPDX-License-Identifier: Apache-2.0
"""What people keep about the company: vendors, code, findings, risks, standards, policies."""

from cloud import PROD, STAGING
from graph import DAY, DOMAIN, TODAY, instant
from people import account_of

VENDORS = [
    ("okta", "Okta", "identity", True),
    ("aws", "Amazon Web Services", "cloud", True),
    ("sentryline", "Sentryline", "endpoint protection", True),
    ("waypoint", "Waypoint EDI", "data exchange", True),
    ("northlane", "Northlane Migrations", "consulting", False),
    ("ledgerline", "Ledgerline", "finance", True),
    ("beacon", "Beacon CRM", "sales", True),
    ("parley", "Parley Chat", "communication", True),
    ("tachograph", "Tachograph Nordic", "telematics", True),
    ("papertrail", "Papertrail Shredding", "office", True),
]
# name, public, owner's department
REPOSITORIES = [
    ("shipment-service", False, "engineering"),
    ("billing-service", False, "engineering"),
    ("customer-portal", False, "engineering"),
    ("route-planner", False, "engineering"),
    ("telematics-gateway", False, "engineering"),
    ("edi-bridge", False, "engineering"),
    ("mobile-driver-app", False, "engineering"),
    ("design-system", True, "engineering"),
    ("freight-sdk", True, "engineering"),
    ("terraform-live", False, "platform"),
    ("cluster-config", False, "platform"),
    ("runbooks", False, "platform"),
    ("detections", False, "security"),
    ("warehouse-models", False, "data"),
]
# number, repository, who opened it, who approved it
CHANGES = [
    (412, "shipment-service", "Priya Raghavan", "Jonas Weidmann"),
    (418, "shipment-service", "Claire Dubreuil", "Priya Raghavan"),
    (97, "billing-service", "Mateus Carvalho", "Mateus Carvalho"),
    (233, "terraform-live", "Emeka Nwosu", "Sigrid Aalto"),
    (234, "terraform-live", "Ravi Subramanian", None),
    (58, "route-planner", "Yuki Tanimoto", "Olga Petrenko"),
    (71, "telematics-gateway", "Samir Haddad", "Hanna Virtanen"),
    (12, "warehouse-models", "Anton Sokolov", "Marta Kowalczyk"),
    (19, "freight-sdk", "Diego Salcedo", "Aisling Byrne"),
]
# key, cve, name, severity, score, the hosts that have it (by the start of their names)
VULNERABILITIES = [
    (
        "log4shell",
        "CVE-2021-44228",
        "Remote lookup in a Java logger",
        "critical",
        10.0,
        ["legacy-edi", "route-planner-1"],
    ),
    (
        "regresshion",
        "CVE-2024-6387",
        "Race in an SSH server",
        "high",
        8.1,
        ["legacy-edi", "sandbox"],
    ),
    ("looney", "CVE-2023-4911", "Overflow in a dynamic loader", "high", 7.8, ["batch"]),
    ("heartbleed", "CVE-2014-0160", "Over-read in a TLS library", "high", 7.5, ["legacy-edi-1"]),
    (
        "http2-reset",
        "CVE-2023-44487",
        "Stream resets exhaust a server",
        "high",
        7.5,
        ["web", "api-1"],
    ),
    (
        "curl-socks",
        "CVE-2023-38545",
        "Overflow behind a SOCKS proxy",
        "medium",
        5.9,
        ["telematics-gw"],
    ),
    (
        "terrapin",
        "CVE-2023-48795",
        "Truncated SSH handshake",
        "medium",
        5.9,
        ["log-collector", "scanner"],
    ),
]
RISKS = [
    ("edi", "The old EDI servers fall", 4, 5, "accepted"),
    ("dispatch", "Shipments are changed and nobody knows by whom", 3, 4, "open"),
    ("vendor", "A former consultant's account reaches our data", 2, 5, "open"),
    ("billing", "Invoices leak from a stolen disk", 2, 5, "in progress"),
]


def company(g):
    """The root of everything, its places, and who it buys from."""
    g.entity(
        "company",
        "company",
        ["Root", "Organization"],
        "Meridian Freight",
        website=f"https://www.{DOMAIN}",
        emailDomain=DOMAIN,
    )
    for key, name, location in (
        ("gothenburg", "Gothenburg Office", "Gothenburg"),
        ("rotterdam", "Rotterdam Hub", "Rotterdam"),
        ("porto", "Porto Office", "Porto"),
    ):
        g.relate(
            "company",
            "HAS",
            g.entity(
                f"site:{key}", "office", "Site", name, location=location, secured=key != "porto"
            ),
        )
    for key, name, category, active in VENDORS:
        vendor = g.entity(
            f"vendor:{key}",
            "vendor",
            "Vendor",
            name,
            category=category,
            active=active,
            contractEndsOn=instant("2027-06-30") if active else instant("2024-02-29"),
        )
        g.relate("company", "USES", vendor)
    zone = g.entity("dns:zone", "domain_zone", "DomainZone", DOMAIN, domainName=DOMAIN)
    domain = g.entity(
        "dns:domain",
        "internet_domain",
        "Domain",
        DOMAIN,
        domainName=DOMAIN,
        registrar="Fjord Names",
        expiresOn=instant("2027-03-01"),
    )
    g.relate("company", "OWNS", domain)
    g.relate(domain, "HAS", zone)
    for host, kind, value in (
        ("www", "A", "203.0.113.200"),
        ("login", "CNAME", "meridian.okta.example"),
        ("track", "A", "203.0.113.201"),
        ("old-portal", "CNAME", "mf-portal-2019.pages.example"),
    ):
        g.relate(
            zone,
            "HAS",
            g.entity(
                f"dns:record:{host}",
                "domain_record",
                "DomainRecord",
                f"{host}.{DOMAIN}",
                type=kind,
                TTL=300,
                value=value,
            ),
        )
    for host, left in (("www", 61), ("track", 9), ("login", 200)):
        certificate = g.entity(
            f"tls:{host}",
            "tls_certificate",
            "Certificate",
            f"{host}.{DOMAIN}",
            expiresOn=TODAY + left * DAY,
        )
        g.relate(domain, "HAS", certificate)


def code(g):
    """Repositories, changes to them, and modules that they use."""
    account = g.entity(
        "code:account",
        "code_account",
        "Account",
        "Source Harbor",
        vendor="Source Harbor",
        mfaEnabled=True,
    )
    g.relate("company", "HAS", account)
    modules = [
        g.entity(f"module:{name}", "code_module", "CodeModule", name, public=True, version=version)
        for name, version in (
            ("axum", "0.8"),
            ("react", "19.0"),
            ("log4j-core", "2.14.1"),
            ("django", "5.1"),
            ("pandas", "2.2"),
        )
    ]
    for name, public, owner in REPOSITORIES:
        repository = g.entity(
            f"code:repo:{name}", "code_repo", "CodeRepo", name, public=public, application=name
        )
        g.relate(account, "OWNS", repository)
        g.relate(f"team:{owner}", "OWNS", repository)
        g.relate(
            repository,
            "USES",
            (
                "module:log4j-core"
                if name in ("edi-bridge", "route-planner")
                else g.pick([module for module in modules if module != "module:log4j-core"])
            ),
        )
    for number, repository, author, approver in CHANGES:
        change = g.entity(
            f"code:pr:{repository}:{number}",
            "code_pr",
            "PR",
            f"{repository}#{number}",
            title=f"Change {number}",
            repository=repository,
            source=f"change-{number}",
            target="main",
            state="merged",
            approved=approver is not None,
        )
        g.relate(f"code:repo:{repository}", "HAS", change)
        g.relate(account_of(author), "OPENED", change)
        if approver:
            g.relate(account_of(approver), "APPROVED", change)
    leak = g.entity(
        "finding:leak:freight-sdk",
        "secret_scan_finding",
        "Finding",
        "Carrier token in a public repository",
        category="secret",
        severity="critical",
        numericSeverity=9.5,
        open=True,
        foundOn=TODAY - 3 * DAY,
    )
    g.relate("code:repo:freight-sdk", "HAS", leak)
    g.relate(leak, "IDENTIFIED", "aws:secret:carrier-api-token")


def findings(g):
    """Vulnerabilities and where the scanner has seen them."""
    scanner = g.entity(
        "scanner",
        "vulnerability_scanner",
        ["Service", "Scanner"],
        "Plumb Scanner",
        category=["security"],
        function=["vulnerability-scan"],
    )
    for account in (PROD, STAGING):
        g.relate(scanner, "SCANS", f"aws:account:{account}")
    for key, cve, name, severity, score, prefixes in VULNERABILITIES:
        vulnerability = g.entity(
            f"vulnerability:{key}",
            "cve",
            "Vulnerability",
            cve,
            summary=name,
            cveId=cve,
            severity=severity,
            numericSeverity=score,
            score=score,
            open=True,
        )
        for host in g.of_type("aws_instance"):
            label = g.entities[host]["displayName"]
            if not any(label.startswith(prefix) for prefix in prefixes):
                continue
            fixed = g.below(4) == 0 and not label.startswith("legacy-edi")
            finding = g.entity(
                f"finding:{key}:{host.rsplit(':', 1)[1]}",
                "scanner_finding",
                "Finding",
                f"{cve} on {label}",
                category="host",
                severity=severity,
                numericSeverity=score,
                open=not fixed,
                foundOn=TODAY - (5 + g.below(80)) * DAY,
            )
            g.relate(host, "HAS", finding)
            g.relate(finding, "IS", vulnerability)
            g.relate(scanner, "IDENTIFIED", finding)


def governance(g):
    """Standards, policies, risks, incidents and the tasks that came of them."""
    standard = g.entity(
        "standard:iso",
        "standard",
        ["Standard", "Framework"],
        "ISO 27001",
        version="2022",
        standard="ISO 27001",
    )
    for number, title in (
        ("5.15", "Access control"),
        ("5.18", "Access rights"),
        ("8.2", "Privileged access rights"),
        ("8.13", "Information backup"),
        ("8.24", "Use of cryptography"),
    ):
        requirement = g.entity(
            f"requirement:{number}",
            "requirement",
            "Requirement",
            f"ISO 27001 {number}",
            title=title,
        )
        g.relate(standard, "HAS", requirement)
        control = g.entity(
            f"control:{number}",
            "control",
            "Control",
            f"Control for {title.lower()}",
            function="technical",
        )
        g.relate(control, "IMPLEMENTS", requirement)
    for key, title in (
        ("access", "Access Policy"),
        ("crypto", "Encryption Policy"),
        ("leavers", "Leaver Procedure"),
    ):
        kind = "Procedure" if key == "leavers" else "Policy"
        policy = g.entity(
            f"policy:{key}",
            kind.lower(),
            kind,
            title,
            title=title,
            summary=f"{title} of Meridian Freight",
            content=f"See Inkwell Wiki, page {key}",
            adopted=True,
        )
        g.relate("company", "HAS", policy)
    for key, name, probability, impact, status in RISKS:
        risk = g.entity(
            f"risk:{key}",
            "risk",
            "Risk",
            name,
            probability=probability,
            impact=impact,
            score=probability * impact,
            status=status,
        )
        g.relate("company", "HAS", risk)
    incident = g.entity(
        "incident:2025-11",
        "incident",
        "Incident",
        "Password spraying in November",
        category="identity",
        severity="medium",
        reportable=False,
        openedOn=instant("2025-11-07"),
    )
    for name in ("Ines Duarte", "Callum Reid", "Tomás Villanueva"):
        g.relate(incident, "HAS", account_of(name))
    alert = g.entity(
        "alert:impossible-travel",
        "alert",
        "Alert",
        "Two countries within an hour",
        severity="high",
        open=True,
    )
    g.relate(alert, "HAS", account_of("Sebastian Roth"))
    for key, name in (
        ("rotate", "Rotate the key of edi-bridge"),
        ("retire-edi", "Retire the old EDI servers"),
    ):
        g.relate(
            "risk:edi", "HAS", g.entity(f"task:{key}", "task", ["Task", "Record"], name, open=True)
        )
    project = g.entity(
        "project:compass", "project", "Project", "Compass: one login for all", key="COMPASS"
    )
    g.relate("team:security", "MANAGES", project)
    settings = g.entity(
        "okta:password-policy",
        "okta_password_policy",
        "PasswordPolicy",
        "Default password policy",
        minLength=10,
        requireNumbers=True,
        maxAgeDays=0,
    )
    g.relate("okta:account", "HAS", settings)
    assessment = g.entity(
        "assessment:pentest-2025",
        "assessment",
        "Assessment",
        "Penetration test 2025",
        category="penetration-test",
        summary="Two weeks, external network and customer portal",
        internal=False,
        startedOn=instant("2025-10-06"),
        completedOn=instant("2025-10-17"),
    )
    g.relate("company", "HAS", assessment)
    g.relate(assessment, "IDENTIFIED", "finding:leak:freight-sdk")
    for name in ("shipment tracking", "customs papers"):
        g.relate(
            "company",
            "HAS",
            g.entity(
                f"product:{name.split()[0]}",
                "product",
                "Product",
                name.capitalize(),
                category="logistics",
            ),
        )
