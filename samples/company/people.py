# SPDX-License-Identifier: Apache-2.0
"""People, their accounts at the identity provider, groups, devices and what they signed."""

from graph import DAY, DOMAIN, TODAY, instant

# department: manager first, then the others; (first name, last name, title)
STAFF = {
    "Executive": [
        ("Ingrid", "Halvorsen", "Chief Executive"),
        ("Tomás", "Villanueva", "Chief Financial Officer"),
        ("Adaeze", "Okonkwo", "Chief Technology Officer"),
    ],
    "Engineering": [("Rasmus", "Lindqvist", "Head of Engineering")]
    + [
        (f, l, "Software Engineer")
        for f, l in [
            ("Priya", "Raghavan"),
            ("Jonas", "Weidmann"),
            ("Claire", "Dubreuil"),
            ("Mateus", "Carvalho"),
            ("Yuki", "Tanimoto"),
            ("Olga", "Petrenko"),
            ("Samir", "Haddad"),
            ("Fionn", "Gallagher"),
            ("Lerato", "Mokoena"),
            ("Hanna", "Virtanen"),
            ("Diego", "Salcedo"),
            ("Aisling", "Byrne"),
            ("Kofi", "Boateng"),
        ]
    ],
    "Platform": [("Noor", "van den Berg", "Head of Platform")]
    + [
        (f, l, "Site Reliability Engineer")
        for f, l in [
            ("Emeka", "Nwosu"),
            ("Sigrid", "Aalto"),
            ("Bastian", "Krüger"),
            ("Mei", "Zhao"),
            ("Ravi", "Subramanian"),
            ("Elif", "Yıldız"),
        ]
    ],
    "Security": [
        ("Katarzyna", "Wójcik", "Head of Security"),
        ("Daniel", "Ferreira", "Security Engineer"),
        ("Leila", "Mansouri", "Security Analyst"),
        ("Patrick", "O'Donnell", "Security Analyst"),
    ],
    "Data": [
        ("Chidi", "Eze", "Head of Data"),
        ("Marta", "Kowalczyk", "Data Engineer"),
        ("Anton", "Sokolov", "Data Engineer"),
        ("Soo-jin", "Park", "Analyst"),
        ("Beatriz", "Moura", "Analyst"),
    ],
    "Finance": [("Henrik", "Sørensen", "Head of Finance")]
    + [
        (f, l, "Accountant")
        for f, l in [
            ("Giulia", "Ferrante"),
            ("Nadia", "Bakshi"),
            ("Owen", "Pritchard"),
            ("Zofia", "Nowicka"),
            ("Luis", "Arrieta"),
        ]
    ],
    "Operations": [("Marguerite", "Lacroix", "Head of Operations")]
    + [
        (f, l, "Dispatcher")
        for f, l in [
            ("Abdou", "Diallo"),
            ("Stefan", "Iliev"),
            ("Greta", "Baumann"),
            ("Ivo", "Horvat"),
            ("Rosa", "Quintana"),
            ("Tariq", "Aziz"),
            ("Wanjiru", "Kamau"),
            ("Piotr", "Zieliński"),
            ("Lars", "Nyström"),
            ("Camille", "Besson"),
            ("Jamal", "Whitaker"),
        ]
    ],
    "Sales": [("Victoria", "Ashworth", "Head of Sales")]
    + [
        (f, l, "Account Manager")
        for f, l in [
            ("Bruno", "Tavares"),
            ("Isla", "Macrae"),
            ("Kenji", "Morita"),
            ("Amira", "Saleh"),
            ("Dmitri", "Volkov"),
            ("Elena", "Popescu"),
            ("Farah", "Naseri"),
        ]
    ],
    "People": [
        ("Josephine", "Achterberg", "Head of People"),
        ("Malik", "Johnson", "Recruiter"),
        ("Teresa", "Blanco", "HR Partner"),
    ],
}
CONTRACTORS = [
    ("Viktor", "Dragan", "Data", "Reporting Consultant"),
    ("Paula", "Hinojosa", "Engineering", "Frontend Contractor"),
    ("Neil", "Strand", "Platform", "Migration Contractor"),
    ("Oksana", "Marchenko", "Operations", "Route Planner"),
    ("Gabriel", "Antunes", "Security", "Penetration Tester"),
]
# People who left: (first name, last name, department, title, last day)
LEAVERS = [
    ("Sebastian", "Roth", "Platform", "Site Reliability Engineer", "2025-06-30"),
    ("Miriam", "Castellano", "Finance", "Accountant", "2025-09-12"),
    ("Theo", "Vandermeer", "Engineering", "Software Engineer", "2025-11-28"),
    ("Ines", "Duarte", "Sales", "Account Manager", "2025-03-31"),
    ("Callum", "Reid", "Operations", "Dispatcher", "2024-12-20"),
]
# Forgotten when these two left: their accounts still work.
STILL_ACTIVE = {"Sebastian Roth", "Miriam Castellano"}
# Works with administrator rights and without a second factor.
NO_SECOND_FACTOR = {"Tomás Villanueva", "Ravi Subramanian", "Ivo Horvat"}
# Laptops whose disks are in the clear, and laptops without an agent.
CLEAR_DISKS = {"Giulia Ferrante", "Kenji Morita"}
NO_AGENT = {"Ingrid Halvorsen", "Paula Hinojosa", "Isla Macrae"}
# The dispatchers who share one account.
DESK = ["Abdou Diallo", "Stefan Iliev", "Greta Baumann", "Rosa Quintana"]
APPLICATIONS = [
    ("Ledgerline", "finance", ["Finance", "Executive"]),
    ("Cartographer TMS", "transport management", ["Operations", "Sales"]),
    ("Beacon CRM", "customers", ["Sales", "Executive"]),
    ("Source Harbor", "source code", ["Engineering", "Platform", "Data", "Security"]),
    ("Pagerline", "on call", ["Engineering", "Platform", "Security"]),
    ("Inkwell Wiki", "documents", ["Everyone"]),
    ("Parley Chat", "chat", ["Everyone"]),
    ("Cloud Console", "cloud", ["Platform", "Security"]),
    ("Lantern BI", "reports", ["Data", "Finance", "Executive"]),
    ("Roster HR", "people", ["People"]),
]
ASCII = str.maketrans(
    {
        "á": "a",
        "ą": "a",
        "ç": "c",
        "é": "e",
        "ó": "o",
        "ø": "o",
        "ö": "o",
        "ü": "u",
        "ń": "n",
        "ı": "i",
        "ł": "l",
        "'": "",
        " ": "",
        "-": "",
    }
)


def login(first, last):
    """The part of the address before the @."""
    return f"{first}.{last}".lower().translate(ASCII)


def person(g, number, first, last, department, title, employment, ended=None):
    """A person with the account, the device and the group memberships that everybody gets."""
    name, user = f"{first} {last}", login(first, last)
    address = f"{user}@{DOMAIN}"
    key = g.entity(
        f"hr:person:{1000 + number}",
        "employee",
        "Person",
        name,
        firstName=first,
        lastName=last,
        email=[address],
        title=title,
        department=department,
        employeeId=str(1000 + number),
        employmentType=employment,
        active=ended is None,
        startedOn=TODAY - (200 + 37 * number) * DAY,
        endedOn=ended,
    )
    active = ended is None or name in STILL_ACTIVE
    second = name not in NO_SECOND_FACTOR
    account = g.entity(
        f"okta:user:{user}",
        "okta_user",
        "User",
        name,
        username=address,
        shortLoginId=user,
        firstName=first,
        lastName=last,
        email=[address],
        active=active,
        mfaEnabled=second,
        mfaType="webauthn" if second else "none",
        createdOn=TODAY - (195 + 37 * number) * DAY,
        lastLoginOn=(ended or TODAY) - g.below(9) * DAY,
    )
    g.relate(account, "IS", key)
    g.relate("okta:account", "HAS", account)
    if active:
        g.relate(f"okta:group:{department.lower()}", "HAS", account)
        g.relate("okta:group:everyone", "HAS", account)
    if ended is None:
        device(g, number, key, name)
    return key


def device(g, number, owner, name):
    """A laptop, with the agent that protects it unless it was forgotten."""
    system = g.pick(["macOS 15.2", "macOS 15.1", "Windows 11 24H2", "Ubuntu 24.04"])
    serial = f"MF{70000 + 13 * number}"
    host = f"mf-lt-{number:03}"
    laptop = g.entity(
        f"mdm:device:{serial}",
        "user_endpoint",
        "Device",
        host,
        category="laptop",
        make="Apple" if system.startswith("mac") else "Lenovo",
        model="MacBook Pro 14" if system.startswith("mac") else "ThinkPad X1",
        serial=serial,
        deviceId=serial,
        hostname=host,
        fqdn=f"{host}.corp.{DOMAIN}",
        osName=system.split()[0],
        osDetails=system,
        osVersion=system.split()[1],
        encrypted=name not in CLEAR_DISKS,
        lastSeenOn=TODAY - g.below(5) * DAY,
    )
    g.relate(owner, "OWNS", laptop)
    if name not in NO_AGENT:
        agent = g.entity(
            f"edr:agent:{serial}",
            "edr_agent",
            "HostAgent",
            f"edr-{host}",
            function=["endpoint-protection"],
            version=g.pick(["7.4.1", "7.4.2", "7.3.9"]),
            lastSeenOn=TODAY - g.below(3) * DAY,
        )
        g.relate(agent, "PROTECTS", laptop)
        g.relate("vendor:sentryline", "PROVIDES", agent)


def directory(g):
    """The identity provider: account, groups, administrator roles, applications."""
    g.entity(
        "okta:account",
        "okta_account",
        "Account",
        "Meridian Okta",
        vendor="Okta",
        accessURL=f"https://login.{DOMAIN}",
        mfaEnabled=True,
    )
    g.relate("company", "HAS", "okta:account")
    for department in [*STAFF, "Everyone"]:
        group = g.entity(
            f"okta:group:{department.lower()}",
            "okta_user_group",
            "UserGroup",
            department,
            email=f"{department.lower()}@{DOMAIN}",
        )
        g.relate("okta:account", "HAS", group)
    for name, what in [
        ("Reporting Partners", "external people who build reports"),
        ("Break Glass", "emergency access"),
        ("Release Managers", "may deploy"),
    ]:
        group = g.entity(
            f"okta:group:{login(name, '')[:-1]}",
            "okta_user_group",
            "UserGroup",
            name,
            description=what,
        )
        g.relate("okta:account", "HAS", group)
    for name, everything in [
        ("Super Administrator", True),
        ("Help Desk Administrator", False),
        ("Read-only Administrator", False),
    ]:
        role = g.entity(
            f"okta:role:{name.split()[0].lower()}",
            "okta_role",
            "AccessRole",
            name,
            superAdmin=everything,
            systemRole=True,
        )
        g.relate("okta:account", "HAS", role)
    for name, category, departments in APPLICATIONS:
        app = g.entity(
            f"okta:app:{login(name, '')[:-1]}",
            "okta_application",
            "Application",
            name,
            category=category,
            SaaS=True,
            external=True,
        )
        g.relate("okta:account", "HAS", app)
        for department in departments:
            g.relate(f"okta:group:{department.lower()}", "ASSIGNED", app)


def teams_and_training(g):
    """Teams that own things, and courses that people completed."""
    for department in STAFF:
        g.entity(
            f"team:{department.lower()}",
            "team",
            "Team",
            f"{department} team",
            email=f"{department.lower()}@{DOMAIN}",
        )
        g.relate("company", "HAS", f"team:{department.lower()}")
    for key, name in [
        ("phishing", "Phishing Drill 2025"),
        ("secure-code", "Secure Coding Basics"),
        ("privacy", "Customer Data and You"),
    ]:
        g.entity(f"training:{key}", "training", "Training", name, requiredOn=instant("2025-12-31"))


def build(g):
    """Everybody, and the mistakes that concern people."""
    directory(g)
    teams_and_training(g)
    number, everybody = 0, {}
    for department, rows in STAFF.items():
        head = None
        for first, last, title in rows:
            number += 1
            key = person(g, number, first, last, department, title, "employee")
            everybody[f"{first} {last}"] = key
            g.relate(f"team:{department.lower()}", "HAS", key)
            if head:
                g.relate(head, "MANAGES", key)
            head = head or key
            if number % 7:
                g.relate(
                    key, "COMPLETED", "training:phishing", completedOn=TODAY - (40 + number) * DAY
                )
            if department in ("Engineering", "Platform", "Data"):
                g.relate(
                    key,
                    "COMPLETED",
                    "training:secure-code",
                    completedOn=TODAY - (90 + number) * DAY,
                )
    for first, last, department, title in CONTRACTORS:
        number += 1
        everybody[f"{first} {last}"] = person(
            g, number, first, last, department, title, "contractor"
        )
    for first, last, department, title, ended in LEAVERS:
        number += 1
        everybody[f"{first} {last}"] = person(
            g, number, first, last, department, title, "employee", instant(ended)
        )
    for name in ("Katarzyna Wójcik", "Noor van den Berg", "Ravi Subramanian", "Sebastian Roth"):
        g.relate(account_of(name), "ASSIGNED", "okta:role:super")
    for name in ("Malik Johnson", "Leila Mansouri"):
        g.relate(account_of(name), "ASSIGNED", "okta:role:help")
    g.relate(account_of("Daniel Ferreira"), "ASSIGNED", "okta:role:read-only")
    g.relate("okta:group:reportingpartners", "HAS", account_of("Viktor Dragan"))
    for name in ("Noor van den Berg", "Adaeze Okonkwo"):
        g.relate("okta:group:breakglass", "HAS", account_of(name))
    for name in ("Priya Raghavan", "Jonas Weidmann", "Emeka Nwosu"):
        g.relate("okta:group:releasemanagers", "HAS", account_of(name))
    # One account, four people: nobody can say who moved a shipment.
    desk = g.entity(
        "okta:user:dispatch-desk",
        "okta_user",
        "User",
        "dispatch-desk",
        username=f"dispatch-desk@{DOMAIN}",
        shortLoginId="dispatch-desk",
        email=[f"dispatch-desk@{DOMAIN}"],
        active=True,
        mfaEnabled=False,
        mfaType="none",
        createdOn=instant("2022-02-01"),
        lastLoginOn=TODAY,
    )
    g.relate("okta:account", "HAS", desk)
    g.relate("okta:group:operations", "HAS", desk)
    for name in DESK:
        g.relate(desk, "IS", everybody[name])
    return everybody


def account_of(name):
    """The key of a person's account."""
    first, last = name.split(" ", 1)
    return f"okta:user:{login(first, last)}"
