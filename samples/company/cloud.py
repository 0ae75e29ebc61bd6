# SPDX-License-Identifier: Apache-2.0
"""Cloud accounts and what runs in them."""

import permissions
from graph import DAY, DOMAIN, TODAY

ORGANIZATION = "aws:org:o-mf4d7k2p9x"
PROD = permissions.PROD
STAGING, SECURITY = "530911274460", "688240195512"
ACCOUNTS = [(PROD, "meridian-prod"), (STAGING, "meridian-staging"), (SECURITY, "meridian-security")]
# account, name, engine, classification, encrypted, backup
DATABASES = [
    (PROD, "shipments", "postgres", "critical", True, True),
    (PROD, "customers", "postgres", "critical", True, True),
    (PROD, "billing", "postgres", "critical", False, True),
    (PROD, "warehouse", "redshift", "confidential", True, True),
    (PROD, "telematics", "mysql", "internal", True, False),
    (PROD, "tracking-cache", "redis", "internal", True, True),
    (STAGING, "shipments-staging", "postgres", "internal", True, False),
    (STAGING, "customers-staging", "postgres", "confidential", False, False),
]
# account, name, classification, encrypted, public
BUCKETS = [
    (PROD, "mf-waybills", "confidential", True, False),
    (PROD, "mf-customer-exports", "confidential", True, True),
    (PROD, "mf-invoices", "critical", True, False),
    (PROD, "mf-web-assets", "public", False, True),
    (PROD, "mf-telematics-raw", "internal", True, False),
    (PROD, "mf-db-backups", "critical", True, False),
    (PROD, "mf-partner-dropbox", "internal", True, False),
    (STAGING, "mf-staging-assets", "public", False, True),
    (STAGING, "mf-staging-dumps", "confidential", False, False),
    (SECURITY, "mf-audit-trail", "critical", True, False),
    (SECURITY, "mf-flow-logs", "internal", True, False),
]
# account, kind, how many, has an agent
SERVERS = [
    (PROD, "web", 6, True),
    (PROD, "api", 8, True),
    (PROD, "route-planner", 4, True),
    (PROD, "telematics-gw", 3, True),
    (PROD, "legacy-edi", 2, False),
    (PROD, "batch", 3, True),
    (STAGING, "web", 2, True),
    (STAGING, "api", 2, True),
    (STAGING, "sandbox", 2, False),
    (SECURITY, "log-collector", 2, True),
    (SECURITY, "scanner", 1, True),
]


def accounts(g):
    """The organization, its units, its accounts and their networks."""
    g.entity(
        ORGANIZATION,
        "aws_organization",
        "Organization",
        "Meridian Cloud",
        website=f"https://{DOMAIN}",
    )
    g.relate("company", "HAS", ORGANIZATION)
    for unit in ("Workloads", "Foundation"):
        g.entity(f"aws:ou:{unit.lower()}", "aws_organizational_unit", "Group", unit)
        g.relate(ORGANIZATION, "HAS", f"aws:ou:{unit.lower()}")
    g.entity(
        "internet", "internet", "Internet", "Internet", CIDR="0.0.0.0/0", CIDRv6="::/0", public=True
    )
    for number, (account, name) in enumerate(ACCOUNTS):
        unit = "foundation" if account == SECURITY else "workloads"
        g.set(
            g.entity(
                f"aws:account:{account}",
                "aws_account",
                "Account",
                name,
                vendor="AWS",
                accountId=account,
                mfaEnabled=account != STAGING,
            ),
            tag_Production=account == PROD,
        )
        g.relate(f"aws:ou:{unit}", "HAS", f"aws:account:{account}")
        vpc = g.entity(
            f"aws:vpc:{account}",
            "aws_vpc",
            "Network",
            f"{name}-vpc",
            CIDR=f"10.{20 + number}.0.0/16",
            internal=True,
            public=False,
            environment=name.split("-")[1],
        )
        g.relate(f"aws:account:{account}", "HAS", vpc)
        for zone, public in (("public", True), ("private", False)):
            subnet = g.entity(
                f"aws:subnet:{account}:{zone}",
                "aws_subnet",
                "Network",
                f"{name}-{zone}",
                CIDR=f"10.{20 + number}.{0 if public else 64}.0/18",
                internal=not public,
                public=public,
            )
            g.relate(vpc, "CONTAINS", subnet)
        key = g.entity(
            f"aws:kms:{account}",
            "aws_kms_key",
            "CryptoKey",
            f"{name}-default",
            usage="encryption",
            rotationEnabled=account != STAGING,
        )
        g.relate(f"aws:account:{account}", "HAS", key)


def firewalls(g):
    """Security groups, and what they let in from the Internet."""
    rules = {
        "web": [443],
        "api": [],
        "route-planner": [],
        "telematics-gw": [8883],
        "legacy-edi": [21, 22],
        "batch": [],
        "sandbox": [22],
        "log-collector": [],
        "scanner": [],
    }
    for account, kind, *_ in SERVERS:
        key = g.entity(
            f"aws:sg:{account}:{kind}",
            "aws_security_group",
            "Firewall",
            f"{kind}-sg",
            category=["network"],
            isStateful=True,
        )
        g.relate(f"aws:account:{account}", "HAS", key)
        g.relate(key, "PROTECTS", f"aws:vpc:{account}")
        ports = rules[kind]
        if ports:
            g.relate(
                key,
                "ALLOWS",
                "internet",
                ingress=True,
                egress=False,
                fromPort=min(ports),
                toPort=max(ports),
                ipProtocol="tcp",
            )


def servers(g):
    """Virtual machines with their disks, addresses and agents."""
    number = 0
    for account, kind, count, protected in SERVERS:
        for index in range(count):
            number += 1
            name = f"{kind}-{index + 1}"
            zone = (
                "public" if kind in ("web", "telematics-gw", "legacy-edi", "sandbox") else "private"
            )
            inner = f"10.{20 + [a for a, _ in ACCOUNTS].index(account)}.{64 + number}.{10 + index}"
            outer = [f"203.0.113.{number}"] if zone == "public" else []
            instance = f"i-0{0x5e1f00 + 977 * number:x}"
            key = g.entity(
                f"aws:instance:{instance}",
                "aws_instance",
                "Host",
                name,
                category="server",
                deviceId=instance,
                instanceId=instance,
                hostname=name,
                fqdn=f"{name}.{kind}.internal",
                ipAddress=[inner, *outer],
                privateIpAddresses=[inner],
                publicIpAddresses=outer,
                platform="linux",
                osName="Debian",
                osVersion="9" if kind == "legacy-edi" else "12",
                make="AWS",
                model="m6i.large",
                lastSeenOn=TODAY,
            )
            g.set(
                key,
                tag_Production=account == PROD,
                tag_Owner="operations" if kind == "legacy-edi" else "platform",
            )
            g.relate(f"aws:account:{account}", "HAS", key)
            g.relate(f"aws:subnet:{account}:{zone}", "HAS", key)
            g.relate(f"aws:sg:{account}:{kind}", "PROTECTS", key)
            disk = g.entity(
                f"aws:volume:{instance}",
                "aws_ebs_volume",
                "Disk",
                f"{name}-root",
                classification="internal",
                encrypted=kind != "legacy-edi",
                sizeGb=40 + 20 * g.below(5),
            )
            g.relate(key, "USES", disk)
            if protected:
                agent = g.entity(
                    f"edr:agent:{instance}",
                    "edr_agent",
                    "HostAgent",
                    f"edr-{name}-{account[:4]}",
                    function=["endpoint-protection"],
                    version=g.pick(["7.4.1", "7.4.2"]),
                    lastSeenOn=TODAY,
                )
                g.relate(agent, "PROTECTS", key)
    for account, name in ((PROD, "edge-prod"), (STAGING, "edge-staging")):
        gateway = g.entity(
            f"aws:alb:{name}",
            "aws_alb",
            "Gateway",
            name,
            category=["network"],
            function=["load-balancing"],
            public=True,
        )
        g.relate(f"aws:account:{account}", "HAS", gateway)
        g.relate("internet", "CONNECTS", gateway)
        for key in g.of_type("aws_instance"):
            if (
                g.entities[key]["displayName"].startswith("web-")
                and f"aws:account:{account}|has|{key}" in g.relationships
            ):
                g.relate(gateway, "CONNECTS", key)
    edi = g.entity(
        "aws:eip:legacy-edi",
        "aws_eip_gateway",
        "Gateway",
        "legacy-edi-address",
        category=["network"],
        function=["address"],
        public=True,
    )
    g.relate("internet", "CONNECTS", edi)
    for key in g.of_type("aws_instance"):
        if g.entities[key]["displayName"].startswith("legacy-edi"):
            g.relate(edi, "CONNECTS", key)


def stores(g):
    """Databases with their backups, and buckets."""
    for account, name, engine, classification, encrypted, backup in DATABASES:
        key = g.entity(
            f"aws:db:{account}:{name}",
            "aws_redshift_cluster" if engine == "redshift" else "aws_db_instance",
            ["Database", "DataStore"],
            name,
            engine=engine,
            classification=classification,
            encrypted=encrypted,
            public=False,
            hasBackup=backup,
            sizeGb=80 + 60 * g.below(12),
        )
        g.set(key, tag_Production=account == PROD, tag_PII="customers" in name)
        g.relate(f"aws:account:{account}", "HAS", key)
        if encrypted:
            g.relate(key, "USES", f"aws:kms:{account}")
        if backup:
            copy = g.entity(
                f"aws:snapshot:{account}:{name}",
                "aws_db_snapshot",
                "Backup",
                f"{name}-nightly",
                encrypted=encrypted,
                createdOn=TODAY,
            )
            g.relate(key, "HAS", copy)
    for account, name, classification, encrypted, public in BUCKETS:
        key = g.entity(
            f"aws:s3:{name}",
            "aws_s3_bucket",
            "DataStore",
            name,
            classification=classification,
            encrypted=encrypted,
            public=public,
            location="eu-north-1",
        )
        g.set(key, tag_Production=account == PROD)
        g.relate(f"aws:account:{account}", "HAS", key)
    for owner, logs in (
        ("aws:account:" + PROD, "mf-audit-trail"),
        ("aws:account:" + SECURITY, "mf-flow-logs"),
    ):
        g.relate(owner, "LOGS", f"aws:s3:{logs}")


def services(g):
    """Functions, queues, secrets and the cluster with its workloads."""
    home = f"aws:account:{PROD}"
    for name, role in (
        ("price-quote", "shipment-service"),
        ("label-printer", "shipment-service"),
        ("invoice-mailer", "billing-service"),
        ("telematics-decoder", "telematics-ingest"),
        ("customs-form", "customer-service"),
    ):
        key = g.entity(
            f"aws:lambda:{name}",
            "aws_lambda_function",
            "Function",
            name,
            runtime=g.pick(["python3.12", "nodejs20.x"]),
            memorySize="512",
        )
        g.relate(home, "HAS", key)
        g.relate(key, "ASSIGNED", f"aws:role:{role}")
    for name in ("shipment-events", "invoice-jobs", "telematics-in"):
        g.relate(
            home,
            "HAS",
            g.entity(
                f"aws:sqs:{name}", "aws_sqs_queue", "Queue", name, encrypted=name != "telematics-in"
            ),
        )
    vault = g.entity("aws:secrets", "aws_secrets_manager", "Vault", "Production secrets")
    g.relate(home, "HAS", vault)
    for name, age in (
        ("billing-db-password", 700),
        ("carrier-api-token", 120),
        ("sms-gateway-key", 35),
    ):
        g.relate(
            vault,
            "CONTAINS",
            g.entity(
                f"aws:secret:{name}", "aws_secret", "Secret", name, rotatedOn=TODAY - age * DAY
            ),
        )
    cluster = g.entity("k8s:cluster", "kube_cluster", "Cluster", "harbor-prod", version="1.31")
    g.relate(home, "HAS", cluster)
    for name in ("tracking-api", "booking-web", "notification", "geofence", "rate-engine", "docs"):
        image = g.entity(
            f"image:{name}",
            "container_image",
            "Image",
            f"registry.{DOMAIN}/{name}:2026.01",
            signed=name != "geofence",
        )
        load = g.entity(
            f"k8s:workload:{name}",
            "kube_deployment",
            ["Workload", "Deployment"],
            name,
            desiredSize=3,
            currentSize=3,
        )
        g.relate(cluster, "CONTAINS", load)
        for index in range(2):
            box = g.entity(
                f"k8s:container:{name}:{index}",
                "kube_container",
                "Container",
                f"{name}-{index}",
                image=f"{name}:2026.01",
                privileged=name == "geofence",
            )
            g.relate(load, "CONTAINS", box)
            g.relate(box, "USES", image)


def build(g):
    """Everything in the cloud."""
    accounts(g)
    firewalls(g)
    servers(g)
    stores(g)
    permissions.build(g)
    services(g)
