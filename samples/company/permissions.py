# SPDX-License-Identifier: Apache-2.0
"""Roles, policies, machine users and who may take which role in the cloud."""

from graph import DAY, TODAY, instant
from people import account_of

# The account that holds all of them.
PROD = "412098336177"
# role: (what it may do, the databases and buckets that its policy allows)
ROLES = {
    "platform-admin": ("AdministratorAccess", ["*"]),
    "shipment-service": ("shipment-data", ["shipments", "mf-waybills"]),
    "billing-service": ("billing-data", ["billing", "mf-invoices"]),
    "customer-service": ("customer-data", ["customers", "mf-customer-exports"]),
    "telematics-ingest": ("telematics-data", ["telematics", "mf-telematics-raw"]),
    "reporting-reader": ("warehouse-full", ["warehouse", "customers"]),
    "data-engineer": ("warehouse-build", ["warehouse", "mf-telematics-raw"]),
    "finance-analyst": ("invoices-read", ["mf-invoices"]),
    "backup-operator": ("backup-write", ["mf-db-backups"]),
    "partner-edi": ("partner-dropbox", ["mf-partner-dropbox", "mf-waybills"]),
    "deployer": ("deploy-services", []),
    "old-migration": ("migration-everything", ["shipments", "customers", "billing"]),
}
# machine users: name, the policy they have, how many days ago their key was made
MACHINES = [
    ("ci-deployer", "deploy-services", 1120),
    ("backup-cron", "backup-write", 610),
    ("edi-bridge", "partner-dropbox", 1460),
    ("metrics-shipper", None, 45),
]


def store(g, name):
    """The key of a production database or a bucket by its name."""
    bucket = f"aws:s3:{name}"
    return bucket if bucket in g.entities else f"aws:db:{PROD}:{name}"


def build(g):
    """Roles, policies, machine users and who may take which role."""
    home = f"aws:account:{PROD}"
    for role, (policy, allowed) in ROLES.items():
        everything = allowed == ["*"]
        key = g.entity(
            f"aws:role:{role}",
            "aws_iam_role",
            "AccessRole",
            role,
            superAdmin=everything,
            lastUsedOn=(
                instant("2023-08-02") if role == "old-migration" else TODAY - g.below(20) * DAY
            ),
        )
        rules = g.entity(
            f"aws:policy:{policy}", "aws_iam_policy", "AccessPolicy", policy, admin=everything
        )
        g.relate(home, "HAS", key)
        g.relate(home, "HAS", rules)
        g.relate(key, "ASSIGNED", rules)
        targets = (
            [
                key
                for kind in ("aws_db_instance", "aws_redshift_cluster", "aws_s3_bucket")
                for key in g.of_type(kind)
            ]
            if everything
            else [store(g, name) for name in allowed]
        )
        for target in targets:
            writes = everything or not policy.endswith("read")
            g.relate(
                rules,
                "ALLOWS",
                target,
                permission="*" if everything else ("read-write" if writes else "read"),
                admin=everything,
            )
    g.relate(
        "aws:policy:invoices-read",
        "DENIES",
        "aws:s3:mf-customer-exports",
        permission="*",
        admin=False,
    )
    for group, role in (
        ("platform", "deployer"),
        ("data", "data-engineer"),
        ("finance", "finance-analyst"),
        ("reportingpartners", "reporting-reader"),
        ("breakglass", "platform-admin"),
    ):
        g.relate(f"okta:group:{group}", "ASSIGNED", f"aws:role:{role}")
    for name in ("Noor van den Berg", "Ravi Subramanian", "Sebastian Roth"):
        g.relate(account_of(name), "ASSIGNED", "aws:role:platform-admin")
    g.relate(account_of("Miriam Castellano"), "ASSIGNED", "aws:role:billing-service")
    for name, policy, age in MACHINES:
        user = g.entity(
            f"aws:user:{name}",
            "aws_iam_user",
            "User",
            name,
            username=name,
            shortLoginId=name,
            active=True,
            mfaEnabled=False,
            createdOn=TODAY - age * DAY,
        )
        g.relate(home, "HAS", user)
        key = g.entity(
            f"aws:key:{name}",
            "aws_iam_access_key",
            "AccessKey",
            f"AKIAMF{name.upper().replace('-', '')}",
            active=True,
            createdOn=TODAY - age * DAY,
            lastUsedOn=TODAY - g.below(3) * DAY,
        )
        g.relate(user, "HAS", key)
        if policy:
            g.relate(user, "ASSIGNED", f"aws:policy:{policy}")
    for service, role in (
        ("ec2", "shipment-service"),
        ("lambda", "telematics-ingest"),
        ("ecs", "billing-service"),
        ("ecs", "customer-service"),
    ):
        key = f"aws:service:{service}"
        if key not in g.entities:
            g.entity(
                key, "aws_service", "Service", service, category=["cloud"], function=["compute"]
            )
        g.relate(f"aws:role:{role}", "TRUSTS", key)
    for name, vendor in (("301122908844", "waypoint"), ("277401956203", "northlane")):
        other = g.entity(
            f"aws:account:{name}",
            "aws_account",
            "Account",
            name,
            vendor="AWS",
            accountId=name,
            external=True,
        )
        g.relate(f"vendor:{vendor}", "HAS", other)
    g.relate("aws:role:partner-edi", "TRUSTS", "aws:account:301122908844")
    g.relate("aws:role:old-migration", "TRUSTS", "aws:account:277401956203")
