# SPDX-License-Identifier: Apache-2.0
"""A server on Cyral's port 8000, with a certificate of an authority that the tests make."""

import socket
import subprocess

import pytest
import requests

HOST = "localhost:8000"


def openssl(folder, *words):
    """Runs openssl in a folder."""
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    """A folder with `ca.pem`, and with a certificate of it for localhost."""
    folder = tmp_path_factory.mktemp("authority")
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl(folder, "req", "-x509", *curve, "-days", "2", "-subj", "/CN=Conformance CA",
            "-addext", "basicConstraints=critical,CA:TRUE",
            "-addext", "keyUsage=critical,keyCertSign",
            "-keyout", "ca.key", "-out", "ca.pem")
    openssl(folder, "req", *curve, "-subj", "/CN=localhost", "-keyout", "key.pem",
            "-out", "request.pem")
    (folder / "names.txt").write_text(
        "subjectAltName=DNS:localhost,IP:127.0.0.1\nauthorityKeyIdentifier=keyid\n"
    )
    openssl(folder, "x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", "names.txt", "-out", "cert.pem")
    return folder


@pytest.fixture(scope="session")
def plane(start_server, authority):
    """The server; its second listener is the control plane that customers' scripts know."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", 8000))
        except OSError:
            pytest.fail("port 8000 of this machine is in use; the clients' scripts name it")
    return start_server(
        "plane",
        serve=["--also-listen", "127.0.0.1:8000",
               "--tls-cert", authority / "cert.pem", "--tls-key", authority / "key.pem"],
    )


class Api:
    """The REST interface, as a customer's script asks it."""

    def __init__(self, authority, client_id, client_secret):
        self.authority = str(authority / "ca.pem")
        self.client_id, self.client_secret = client_id, client_secret
        self.renew()

    def renew(self):
        """Gets an access token."""
        self.granted = self.grant(grant_type="client_credentials").json()
        self.token = self.granted["access_token"]

    def grant(self, **form):
        """Asks the token endpoint."""
        form = {"client_id": self.client_id, "client_secret": self.client_secret, **form}
        url = f"https://{HOST}/v1/users/oidc/token"
        return requests.post(url, data=form, verify=self.authority, timeout=30)

    def ask(self, method, path, body=None, status=200, **more):
        """The JSON of an answer that must have a status."""
        headers = {"authorization": f"Bearer {self.token}", "content-type": "application/json"}
        url = f"https://{HOST}{path}"
        answer = requests.request(method, url, json=body, headers=headers, timeout=30,
                                  verify=self.authority, **more)
        assert answer.status_code == status, f"{method} {path}: {answer.text}"
        said = answer.json()
        if status >= 400:
            assert set(said) == {"code", "message", "details"} and said["details"] == []
        return said

    def get(self, path, **more):
        """GET"""
        return self.ask("GET", path, **more)

    def post(self, path, body=None, **more):
        """POST"""
        return self.ask("POST", path, body, **more)

    def put(self, path, body=None, **more):
        """PUT"""
        return self.ask("PUT", path, body, **more)

    def delete(self, path, body=None, **more):
        """DELETE"""
        return self.ask("DELETE", path, body, **more)


@pytest.fixture(scope="session")
def api(plane, authority):
    """The interface for the administrator's client."""
    given = plane.credentials["cyral"]
    return Api(authority, given["client_id"], given["client_secret"])


@pytest.fixture
def client(api, authority):
    """Makes clients with some permissions."""

    def make(*permissions, name="client"):
        made = api.post("/v1/users/serviceAccounts",
                        {"displayName": name, "roleIds": list(permissions)})
        return Api(authority, made["clientId"], made["clientSecret"])

    return make


@pytest.fixture
def repo(api, request):
    """A repository of PostgreSQL that is deleted after the test."""
    body = {"name": request.node.name, "type": "postgresql",
            "repoNodes": [{"host": "db.example", "port": 5432}]}
    identity = api.post("/v1/repos", body)["id"]
    yield identity
    if identity in [row["id"] for row in api.get("/v1/repos")["repos"]]:
        api.delete(f"/v1/repos/{identity}")


@pytest.fixture
def sidecar(api, request):
    """A sidecar that is deleted after the test."""
    identity = api.post("/v1/sidecars", {"name": request.node.name})["id"]
    yield identity
    if identity in [row["id"] for row in api.get("/v1/sidecars")]:
        api.delete(f"/v1/sidecars/{identity}")
