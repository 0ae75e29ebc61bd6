# SPDX-License-Identifier: Apache-2.0
"""How the company works: endpoints, addresses, data, rules, commits and the papers about them."""

from cloud import PROD, SECURITY
from graph import DAY, DOMAIN, TODAY
from people import account_of

HOME = f"aws:account:{PROD}"


def network(g):
    """Endpoints, addresses, ports and logs."""
    endpoint = g.entity(
        "endpoint:track",
        "api_endpoint",
        "ApplicationEndpoint",
        "Tracking API",
        address=f"https://track.{DOMAIN}/v2",
    )
    g.relate("product:shipment", "HAS", endpoint)
    host = next(
        key for key in g.of_type("aws_instance") if g.entities[key]["displayName"] == "legacy-edi-1"
    )
    row = g.entities[host]
    card = g.entity(
        "eni:legacy-edi-1",
        "aws_network_interface",
        "NetworkInterface",
        "legacy-edi-1 eth0",
        macAddress="06:5e:1f:00:4d:10",
        ipAddress=row["privateIpAddresses"][0],
    )
    g.relate(host, "HAS", card)
    address = g.entity(
        "ip:legacy-edi-1",
        "ip_address",
        "IpAddress",
        row["publicIpAddresses"][0],
        ipAddress=row["publicIpAddresses"][0],
        ipVersion=4,
    )
    g.relate(host, "USES", address)
    g.relate(
        "company",
        "OWNS",
        g.entity(
            "range:edge",
            "ip_range",
            "IpRange",
            "Edge addresses",
            begin="203.0.113.0",
            end="203.0.113.255",
            cidr=["203.0.113.0/24"],
            active=True,
            public=True,
        ),
    )
    for number, service in ((21, "ftp"), (22, "ssh")):
        port = g.entity(
            f"port:legacy-edi-1:{number}",
            "port",
            "Port",
            f"legacy-edi-1:{number}",
            port=number,
            protocol="tcp",
            open=True,
            service=service,
        )
        g.relate(host, "HAS", port)
    process = g.entity("process:edi-daemon", "process", "Process", "edi-daemon", state="running")
    g.relate(host, "RUNS", process)
    private = g.entity("privatelink:s3", "aws_vpc_endpoint", "NetworkEndpoint", "s3-endpoint")
    g.relate(f"aws:vpc:{PROD}", "HAS", private)
    logs = g.entity("logs:trail", "aws_log_group", "Logs", "organization-trail", type="audit")
    g.relate(f"aws:account:{SECURITY}", "HAS", logs)
    g.relate(logs, "SENDS", "aws:s3:mf-audit-trail")
    channel = g.entity("chat:incidents", "chat_channel", "Channel", "#incidents", encrypted=True)
    g.relate("team:security", "USES", channel)
    g.relate(
        "okta:account",
        "USES",
        g.entity("directory:hr", "directory", "Directory", "Roster HR directory", type="people"),
    )


def data(g):
    """What the stores hold."""
    papers = g.entity(
        "data:customers",
        "data_collection",
        "DataCollection",
        "Customer records",
        classification="confidential",
        PII=True,
        encryptionRequired=True,
    )
    for store in (f"aws:db:{PROD}:customers", "aws:s3:mf-customer-exports"):
        g.relate(store, "HAS", papers)
    export = g.entity(
        "data:export-2025-12",
        "data_object",
        "DataObject",
        "customers-2025-12.csv",
        classification="confidential",
        PII=True,
        encrypted=True,
        public=True,
        format="csv",
    )
    g.relate("aws:s3:mf-customer-exports", "HAS", export)
    model = g.entity("model:eta", "ml_model", "Model", "Arrival times", encrypted=True)
    g.relate("team:data", "OWNS", model)
    g.relate(model, "USES", f"aws:db:{PROD}:warehouse")
    robot = g.entity(
        "nhi:ci-deployer",
        "machine_identity",
        "NHI",
        "ci-deployer",
        nhiType="service account",
        owner="platform",
        isAi=False,
    )
    g.relate(robot, "IS", "aws:user:ci-deployer")
    deploy_key = g.entity(
        "key:terraform-deploy",
        "deploy_key",
        "Key",
        "terraform-live deploy key",
        usage="deployment",
        fingerprint="SHA256:kTq3v0y9aWkQ",
    )
    g.relate("code:repo:terraform-live", "USES", deploy_key)


def deliveries(g):
    """From a commit to a deployment."""
    commit = g.entity(
        "code:commit:9f31c7",
        "code_commit",
        "CodeCommit",
        "9f31c7",
        branch="main",
        message="Round invoices half up",
        merge=True,
        versionBump=False,
    )
    g.relate("code:pr:billing-service:97", "CONTAINS", commit)
    deploy = g.entity(
        "code:deploy:billing-204",
        "code_deploy",
        "CodeDeploy",
        "billing-service #204",
        jobName="billing-service",
        jobNumber=204,
        production=True,
    )
    g.relate(commit, "TRIGGERS", deploy)
    review = g.entity(
        "code:review:418",
        "code_review",
        ["CodeReview", "Review"],
        "Review of shipment-service#418",
        title="Looks right",
        state="approved",
    )
    g.relate("code:pr:shipment-service:418", "HAS", review)
    g.relate(account_of("Priya Raghavan"), "PERFORMED", review)
    flow = g.entity("workflow:release", "workflow", "Workflow", "Release")
    g.relate("code:account", "HAS", flow)
    g.relate(flow, "TRIGGERS", deploy)
    module = g.entity("module:vpc", "terraform_module", "Module", "meridian-vpc", public=False)
    g.relate("code:repo:terraform-live", "USES", module)
    images = g.entity(
        "registry:harbor", "image_registry", "Repository", "Harbor registry", public=False
    )
    for key in g.of_type("container_image"):
        g.relate(images, "HAS", key)
    setting = g.entity(
        "config:cluster",
        "configuration",
        "Configuration",
        "Cluster configuration",
        allowPrivileged=True,
    )
    g.relate("k8s:cluster", "USES", setting)


def paperwork(g):
    """Rules, programs, questions, and what is known of attackers."""
    rules = g.entity(
        "rules:detections", "detection_ruleset", "Ruleset", "Detections", category="monitoring"
    )
    for key, name in (("spray", "Password spraying"), ("travel", "Impossible travel")):
        rule = g.entity(f"rule:{key}", "detection_rule", "Rule", name, category="identity")
        g.relate(rules, "HAS", rule)
    g.relate("team:security", "MANAGES", rules)
    guard = g.entity(
        "scp:regions",
        "aws_service_control_policy",
        "ControlPolicy",
        "Only our regions",
        category="cloud",
    )
    g.relate(guard, "ENFORCES", "aws:ou:workloads")
    program = g.entity("program:bounty", "program", "Program", "Bug bounty", type="bug-bounty")
    g.relate("company", "HAS", program)
    section = g.entity(
        "policy:access:leavers", "section", "Section", "Leavers lose access within a day"
    )
    g.relate("policy:access", "HAS", section)
    g.relate(
        "company",
        "HAS",
        g.entity("document:plan", "document", "Document", "Continuity plan", version="7"),
    )
    question = g.entity(
        "question:leavers",
        "question",
        "Question",
        "Who left and can still sign in?",
        queries=["FIND Person WITH active = false THAT IS User WITH active = true"],
    )
    g.relate("team:security", "OWNS", question)
    plan = g.entity(
        "subscription:intel",
        "subscription",
        "Subscription",
        "Threat notes",
        authenticated=True,
        pending=False,
    )
    g.relate("team:security", "HAS", plan)
    g.relate(
        plan,
        "PROVIDES",
        g.entity(
            "intel:spray",
            "threat_intel",
            "ThreatIntel",
            "Spraying against freight companies",
            references=["https://notes.harbourlight.example/spray"],
        ),
    )
    attacker = g.entity("attacker:sprayer", "attacker", "Attacker", "Unknown sprayer")
    g.relate("incident:2025-11", "HAS", attacker)
    problem = g.entity(
        "problem:leavers",
        "problem",
        "Problem",
        "Leavers keep their accounts",
        category="identity",
        severity="high",
        numericSeverity=8,
        open=True,
        foundOn=TODAY - 60 * DAY,
    )
    g.relate(problem, "VIOLATES", "control:5.18")
    issue = g.entity(
        "issue:MF-1881",
        "issue",
        ["Issue", "Record"],
        "MF-1881 Close the accounts of leavers",
        open=True,
    )
    g.relate(problem, "HAS", issue)
    weakness = g.entity(
        "weakness:502",
        "cwe",
        "Weakness",
        "CWE-502",
        cweId="CWE-502",
        open=True,
        summary="Untrusted data is deserialized",
    )
    g.relate("vulnerability:log4shell", "EXPLOITS", weakness)


def build(g):
    """All of it."""
    network(g)
    data(g)
    deliveries(g)
    paperwork(g)
