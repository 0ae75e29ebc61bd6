# SPDX-License-Identifier: Apache-2.0
"""The public Python client of JupiterOne, as its users make it."""

import pytest
from jupiterone import JupiterOneClient


def connect(server, token=None, account=None):
    """A client of the server."""
    given = server.credentials["jupiterone"]
    return JupiterOneClient(
        account=account or given["account"],
        token=token or given["api_key"],
        url=server.url + "/graphql",
        sync_url=server.url,
    )


@pytest.fixture(scope="session")
def client(company):
    """A client with all rights."""
    return connect(company)


@pytest.fixture(scope="session")
def connect_with(company):
    """Makes a client with another token or account."""
    return lambda **given: connect(company, **given)


@pytest.fixture
def entity(client):
    """Makes entities that are deleted after the test."""
    made = []

    def make(key, **properties):
        reply = client.create_entity(
            entity_key=key,
            entity_type="conformance_thing",
            entity_class="Record",
            properties=properties,
        )
        made.append(reply["entity"]["_id"])
        return made[-1]

    yield make
    for identity in made:
        found = client.query_v1(f"FIND * WITH _id = '{identity}'")["data"]
        if found:
            client.delete_entity(identity)
