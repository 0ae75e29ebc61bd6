# SPDX-License-Identifier: Apache-2.0
"""The public Python SDK of StrongDM, as its users make it."""

import pytest
import strongdm


def connect(server, access_key=None, secret_key=None):
    """A client of the server, by default with its first access key."""
    issued = server.credentials["strongdm"]
    host = server.url.removeprefix("http://")
    return strongdm.Client(
        access_key or issued["access_key"],
        secret_key or issued["secret_key"],
        host=host,
        insecure=True,
    )


@pytest.fixture(scope="session")
def server(blank):
    """The server that these tests fill."""
    return blank


@pytest.fixture(scope="session")
def client(server):
    """A client with all rights."""
    return connect(server)


@pytest.fixture
def alone(start_server):
    """A client of a server that no other test uses."""
    return connect(start_server("alone"))


@pytest.fixture(scope="session")
def connect_with(server):
    """Makes a client with another key or secret."""
    return lambda access_key=None, secret_key=None: connect(server, access_key, secret_key)
