# SPDX-License-Identifier: Apache-2.0
"""A small client, written as scripts for the platform are: one POST, variables as a text."""

import json

import pytest
import requests


class Refused(Exception):
    """An answer that such a script takes for a failure."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body

    @property
    def code(self):
        """Code of the first error."""
        return self.body["errors"][0]["extensions"]["code"]


class Client:
    """Holds a token and sends queries with it."""

    def __init__(self, server, token=None, organization=None, path="/graphql"):
        self.server = server
        self.token = token or server.credentials["sonrai"]["token"]
        self.organization = organization
        self.path = path

    def post(self, body, **headers):
        """One request; whatever the status, the body must be JSON."""
        headers = {"Cache-Control": "no-cache", **headers}
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        if self.organization:
            headers["sonraisecurity-com-org"] = self.organization
        url = self.server.url + self.path
        answer = requests.post(url, json=body, headers=headers, timeout=60)
        assert answer.headers["Content-Type"].startswith("application/json")
        answer.json()
        return answer

    def run(self, query, variables="{}"):
        """The data of a query."""
        given = variables if isinstance(variables, str) else json.dumps(variables)
        answer = self.post(
            {"query": query, "variables": given}, **{"query-name": "conformance"}
        )
        body = answer.json()
        if answer.status_code != 200 or "errors" in body:
            raise Refused(answer.status_code, body)
        return body["data"]


@pytest.fixture
def client(cloud):
    """A client with all rights."""
    return Client(cloud)


@pytest.fixture
def client_of():
    """Makes clients."""
    return Client


@pytest.fixture
def refused():
    """What a client raises."""
    return Refused
