# SPDX-License-Identifier: Apache-2.0
"""A real server for the public clients: `durward init`, `durward serve`, imports."""

import json
import os
import pathlib
import subprocess
import threading
import time
import urllib.error
import urllib.request

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
SAMPLES = ROOT / "samples"
READY_SECONDS = 60


class Server:
    """One server process with a data folder of its own."""

    def __init__(self, folder, organization="Conformance", serve=()):
        self.binary = os.environ.get("DURWARD_BIN") or str(ROOT / "target" / "debug" / "durward")
        if not pathlib.Path(self.binary).is_file():
            pytest.exit(f"{self.binary} is missing: cargo build --package durward", returncode=3)
        self.data = folder / "data"
        admin = "admin@conformance.example"
        printed = self.run(
            "init", "--data", self.data, "--org", organization, "--admin", admin, "--json"
        )
        self.credentials = json.loads(printed)
        self.log = folder / "server.log"
        self.serve = [str(word) for word in serve]
        self.start()

    def start(self):
        """Starts the process and waits until it is ready."""
        words = [self.binary, "serve", "--data", str(self.data), "--listen", "127.0.0.1:0"]
        words += self.serve
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True
            )
        for line in self.process.stdout:
            if line.startswith("listening on "):
                self.url = line.removeprefix("listening on ").strip().rstrip("/")
                break
        else:
            raise AssertionError(f"the server ended early: {self.log.read_text()}")
        # Somebody must read on, or the server would block on a full pipe.
        drain = threading.Thread(target=self.process.stdout.read, daemon=True)
        drain.start()
        deadline = time.monotonic() + READY_SECONDS
        while not self.is_ready():
            assert time.monotonic() < deadline, f"not ready: {self.log.read_text()}"
            time.sleep(0.05)

    def is_ready(self):
        """Whether reads are possible."""
        try:
            # Plaintext is good enough on loopback, whatever certificate there is.
            url = self.url.replace("https://", "http://")
            with urllib.request.urlopen(url + "/readyz", timeout=5) as answer:
                return answer.status == 200
        except (urllib.error.URLError, OSError):
            return False

    def run(self, *words):
        """Runs a `durward` command and returns what it printed."""
        words = [self.binary, *map(str, words)]
        done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, f"{words[1:]} ended with {done.returncode}: {done.stderr}"
        return done.stdout

    def load(self, *words):
        """Runs `durward import` against the running server."""
        token = self.credentials["api_token"]
        return self.run("import", *words, "--url", self.url, "--token", token)

    def stop(self):
        """Ends the process."""
        self.process.terminate()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="session")
def blank(tmp_path_factory):
    """A server that holds nothing but its organization."""
    server = Server(tmp_path_factory.mktemp("blank"))
    yield server
    server.stop()


@pytest.fixture(scope="session")
def start_server(tmp_path_factory):
    """Starts servers that end with the tests."""
    started = []

    def start(name, **options):
        started.append(Server(tmp_path_factory.mktemp(name), **options))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def company(tmp_path_factory):
    """A server that holds the sample company in the scope `meridian`."""
    server = Server(tmp_path_factory.mktemp("company"))
    files = [SAMPLES / "company" / name for name in ("entities.ndjson", "relationships.ndjson")]
    server.load("graph", *files, "--scope", "meridian")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def intel(tmp_path_factory):
    """A server that holds one or more objects of every STIX type."""
    server = Server(tmp_path_factory.mktemp("intel"))
    server.load("stix", SAMPLES / "stix" / "every-type.json")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def bundle():
    """The bundle that `intel` holds."""
    return json.loads((SAMPLES / "stix" / "every-type.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def cloud(tmp_path_factory):
    """A server that holds the sample cloud organization."""
    server = Server(tmp_path_factory.mktemp("cloud"))
    files = sorted((SAMPLES / "aws").glob("*/*.json"))
    server.load("aws", *files, "--scope", "aws")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def limited(tmp_path_factory):
    """A server without data that limits how much may be asked."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DURWARD__LIMITS__RATE_PRESET", "jupiterone")
        server = Server(tmp_path_factory.mktemp("limited"))
    yield server
    server.stop()
