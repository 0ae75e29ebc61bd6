# SPDX-License-Identifier: Apache-2.0
"""One organization with an administrator, and credentials that may do little."""

import datetime

import pytest
import requests
import strongdm
from jupiterone import JupiterOneClient


class Organization:
    """The server as its administrator sees it, and ways to make lesser credentials."""

    def __init__(self, server):
        self.server = server
        self.first = server.credentials
        self.sdm = self.strongdm(**self.first["strongdm"])
        self.administrator = next(self.sdm.roles.list("name:Administrator"))
        self.chief = next(self.sdm.accounts.list("email:admin@conformance.example"))
        self.made = 0

    def unique(self, name):
        """A name that nothing has yet."""
        self.made += 1
        return f"{name}-{self.made}"

    def strongdm(self, access_key, secret_key):
        """A client of the StrongDM SDK."""
        host = self.server.url.removeprefix("http://")
        return strongdm.Client(access_key, secret_key, host=host, insecure=True)

    def weak(self, *permissions):
        """A client of the administrator's account with these permissions only."""
        end = datetime.timedelta(hours=1)
        token = strongdm.Token(
            name=self.unique("weak"),
            account_type="api",
            duration=end,
            permissions=list(permissions),
        )
        made = self.sdm.accounts.create(token)
        return self.strongdm(made.access_key, made.secret_key)

    def user(self, **given):
        """A new user."""
        email = f"{self.unique('user')}@conformance.example"
        user = strongdm.User(email=email, first_name="A", last_name="B", **given)
        return self.sdm.accounts.create(user).account

    def graphql(self, path, query, variables=None, token=None):
        """The answer to a GraphQL document, whatever it says."""
        token = token or self.first["api_token"]
        return requests.post(
            self.server.url + path,
            json={"query": query, "variables": variables or {}},
            headers={"Authorization": f"Bearer {token}"},
            timeout=30,
        )

    def native(self, query, **variables):
        """The data of a document of the native schema."""
        answer = self.graphql("/durward/graphql", query, variables).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def credential(self, account, kind, rights=None):
        """Public half and secret of a credential of an account (by StrongDM's id)."""
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
        made = self.native(
            "mutation($input: CreateCredentialInput!) { createCredential(input: $input) {"
            " secret credential { id publicId } } }",
            input={
                "account": account.split("-")[1],
                "kind": kind,
                "name": self.unique(kind),
                "rights": rights,
                "expiresAt": end.isoformat(),
            },
        )["createCredential"]
        return made["credential"]["publicId"], made["secret"]

    def jupiterone(self, token=None):
        """A client of JupiterOne."""
        return JupiterOneClient(
            account=self.first["jupiterone"]["account"],
            token=token or self.first["jupiterone"]["api_key"],
            url=self.server.url + "/graphql",
            sync_url=self.server.url,
        )

    def cyral(self, client_id, client_secret):
        """A session of Cyral's API."""
        answer = requests.post(
            self.server.url + "/v1/users/oidc/token",
            data={
                "grant_type": "client_credentials",
                "client_id": client_id,
                "client_secret": client_secret,
            },
            timeout=30,
        )
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return session

    def entity_id(self, kind, name):
        """Id of a core entity as JupiterOne's clients name it."""
        query = f"FIND {kind} WITH displayName = '{name}' OR email = '{name}'"
        return self.jupiterone().query_v1(query)["data"][0]["entity"]["_id"]


@pytest.fixture(scope="session")
def acme(start_server):
    """The organization."""
    return Organization(start_server("escalation"))
