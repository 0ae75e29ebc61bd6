# SPDX-License-Identifier: Apache-2.0
"""The public Python client of OpenCTI, as its users make it."""

import pytest
from pycti import OpenCTIApiClient


def connect(server, token=None):
    """A client of the server; making one sends the health check."""
    token = token or server.credentials["opencti"]["token"]
    return OpenCTIApiClient(server.url, token, log_level="critical")


@pytest.fixture(scope="session")
def api(intel):
    """A client with all rights."""
    return connect(intel)


@pytest.fixture(scope="session")
def connect_with(intel):
    """Makes a client with another token."""
    return lambda token: connect(intel, token)
