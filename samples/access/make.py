# SPDX-License-Identifier: Apache-2.0
"""People, groups, roles, resources, a timed grant and a policy, made with StrongDM's SDK.

    python samples/access/make.py HOST:PORT ACCESS_KEY SECRET_KEY

The server is asked in plaintext, as on loopback. Prints an instant at which two contractors
still reached the customers' database; after it one loses a role, and a policy stops the other.
"""

import datetime
import sys
import time

import strongdm

DOMAIN = "meridian-freight.example"
PEOPLE = [("Viktor", "Dragan"), ("Aisling", "Byrne"), ("Paula", "Hinojosa"), ("Neil", "Strand")]
GRANT_HOURS = 8

# Nobody outside the group of the database team connects to data of customers, whatever roles and
# grants say. `has` comes first: a forbid that cannot be judged counts as one.
POLICY = """
@error("customers' data is for the database team")
forbid (principal, action == StrongDM::Action::"connect", resource)
when {{ resource.hasTag("data") && resource.getTag("data") == "customers" }}
unless {{ principal in StrongDM::Group::"{group}" }};
"""


def resources():
    """One of four kinds; tags decide which roles reach them."""
    return [
        strongdm.Postgres(
            name="orders-postgres", hostname="orders.internal.example", port=5432,
            database="orders", username="durward", password="not-a-real-password",
            tags={"env": "production", "team": "orders"},
        ),
        strongdm.Postgres(
            name="customers-postgres", hostname="customers.internal.example", port=5432,
            database="customers", username="durward", password="not-a-real-password",
            tags={"env": "production", "data": "customers"},
        ),
        strongdm.Redis(
            name="sessions-redis", hostname="sessions.internal.example", port=6379,
            tags={"env": "production", "team": "orders"},
        ),
        strongdm.SSH(
            name="bastion-ssh", hostname="bastion.internal.example", port=22, username="ops",
            tags={"env": "staging"},
        ),
        strongdm.AmazonEKS(
            name="freight-eks", endpoint="freight.eks.internal.example", region="eu-central-1",
            cluster_name="freight", access_key="not-a-real-key",
            secret_access_key="not-a-real-secret", certificate_authority="not-a-real-authority",
            tags={"env": "production"},
        ),
    ]


def pause():
    """Lets time pass, so that an instant lies strictly between two changes."""
    time.sleep(0.05)


def make(client):
    """Makes everything; answers the instant before the last change."""
    people = {}
    for first, last in PEOPLE:
        email = f"{first}.{last}@{DOMAIN}".lower()
        user = strongdm.User(email=email, first_name=first, last_name=last)
        people[first] = client.accounts.create(user).account
    made = [client.resources.create(one).resource for one in resources()]
    by_name = {one.name: one for one in made}

    def group(name, *members):
        one = client.groups.create(strongdm.Group(name=name)).group
        for member in members:
            link = strongdm.AccountGroup(account_id=people[member].id, group_id=one.id)
            client.accounts_groups.create(link)
        return one

    def role(name, rules):
        return client.roles.create(strongdm.Role(name=name, access_rules=rules)).role

    team = group("database team", "Aisling")
    contractors = group("contractors", "Viktor", "Paula", "Neil")
    databases = role("production databases", [
        {"type": "postgres", "tags": {"env": "production"}},
        {"type": "redis", "tags": {"env": "production"}},
    ])
    staging = role("staging", [{"tags": {"env": "staging"}}])
    for holder, held in [(team, databases), (contractors, staging)]:
        client.groups_roles.create(strongdm.GroupRole(group_id=holder.id, role_id=held.id))
    # A mistake: a contractor was given the production databases directly.
    mistake = client.account_attachments.create(
        strongdm.AccountAttachment(account_id=people["Viktor"].id, role_id=databases.id)
    ).account_attachment

    start = datetime.datetime.now(datetime.timezone.utc)
    for person, resource in [("Paula", "freight-eks"), ("Neil", "customers-postgres")]:
        client.account_grants.create(
            strongdm.AccountGrant(
                account_id=people[person].id, resource_id=by_name[resource].id,
                start_from=start, valid_until=start + datetime.timedelta(hours=GRANT_HOURS),
            )
        )
    pause()
    before = datetime.datetime.now(datetime.timezone.utc)
    pause()
    # Somebody sees the mistake: a policy, and the role goes.
    client.policies.create(
        strongdm.Policy(
            name="customers' data", description="for the database team only",
            policy=POLICY.format(group=team.id),
        )
    )
    client.account_attachments.delete(mistake.id)
    return before


def main():
    """Makes everything on the server that the command line names."""
    host, access_key, secret_key = sys.argv[1:]
    before = make(strongdm.Client(access_key, secret_key, host=host, insecure=True))
    print(before.strftime("%Y-%m-%dT%H:%M:%S.%fZ"))


if __name__ == "__main__":
    main()
