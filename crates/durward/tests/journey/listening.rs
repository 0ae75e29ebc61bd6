// SPDX-License-Identifier: Apache-2.0
//! The listener, its lock and its configuration.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use serde_json::json;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::common::{self, NATIVE, binary, data, done, run, run_command, text_of};

#[test]
fn two_servers_do_not_share_a_folder() {
    let server = common::start();
    let folder = text_of(&server.data());
    let ran = run(&["serve", "--data", &folder, "--listen", "127.0.0.1:0"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    let id = server.process_id().to_string();
    assert!(
        ran.err.contains("is in use by") && ran.err.contains(&id),
        "{}",
        ran.err
    );
    let head = data(
        &server.client(),
        NATIVE,
        "{ head { sequence } }",
        &json!({}),
    );
    assert!(
        head["head"]["sequence"].is_number(),
        "the first server still serves"
    );
}

#[test]
fn the_lock_of_a_killed_server_holds_nobody_up() {
    let mut server = common::start();
    server.kill9().unwrap();
    done(&["audit", "verify", "--data", &text_of(&server.data())]);
    server.restart().unwrap();
}

#[test]
fn configuration_is_checked_described_and_heeded() {
    let reference = done(&["config", "reference"]);
    let folder = tempfile::tempdir().unwrap();
    let file = text_of(&folder.path().join("durward.toml"));
    std::fs::write(&file, &reference).unwrap();
    assert_eq!(
        done(&["config", "check", &file]),
        format!("{file} is usable\n")
    );
    let checked = |name: &str, value: &str| {
        let mut command = Command::new(binary());
        run_command(command.args(["config", "check", &file]).env(name, value)).code
    };
    assert_eq!(checked("DURWARD__LIMITS__QUERY_PATHS_MAX", "5"), 0);
    assert_eq!(checked("DURWARD__LIMITS__QUERY_PATHS_MAX", "0"), 1);
    assert_eq!(checked("DURWARD__LIMITS__NOTHING", "5"), 1);
    let server = common::start_configured(
        "[server]\nalso_listen = \"127.0.0.1:0\"\nanonymous_introspection = true\n\
         public_url = \"https://durward.example/\"\n[limits]\nrate_preset = \"jupiterone\"\n",
    );
    let types = data(
        &server.anonymous(),
        NATIVE,
        "{ __schema { queryType { name } } }",
        &json!({}),
    );
    assert_eq!(types["__schema"]["queryType"]["name"], "Query");
    let client = common::jupiterone(&server);
    let text = "{ queryV1(query: \"FIND *\", deferredResponse: FORCE) { url } }";
    let deferred = data(&client, common::JUPITERONE, text, &json!({}));
    let url = deferred["queryV1"]["url"].as_str().unwrap();
    assert!(
        url.starts_with("https://durward.example/jupiterone/results/"),
        "{url}"
    );
    let answer = client
        .post(common::JUPITERONE, &json!({"query": "{ entityCount }"}))
        .unwrap();
    assert!(
        answer.header("ratelimit-limit").is_some(),
        "{:?}",
        answer.headers
    );
}

/// Makes a certificate for localhost and its key; `false` where there is no tool for it.
fn certificate(folder: &Path) -> bool {
    let mut command = Command::new("openssl");
    command.args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
    ]);
    command.args(["-nodes", "-days", "30", "-subj", "/CN=localhost"]);
    command.args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]);
    command.args(["-addext", "basicConstraints=critical,CA:FALSE"]);
    command
        .args(["-keyout", "key.pem", "-out", "cert.pem"])
        .current_dir(folder);
    match command.output() {
        Ok(output) if output.status.success() => true,
        other => {
            eprintln!("SKIPPED: no certificate can be made with openssl: {other:?}");
            false
        }
    }
}

/// A process that ends with the test.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        // Ended already is fine.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn one_port_speaks_tls_and_on_loopback_plaintext() {
    let folder = tempfile::tempdir().unwrap();
    if !certificate(folder.path()) {
        return;
    }
    let path = |name: &str| text_of(&folder.path().join(name));
    let init = [
        "init",
        "--data",
        &path("data"),
        "--org",
        "T",
        "--admin",
        "t@t.example",
        "--json",
    ];
    let made: serde_json::Value = serde_json::from_str(&done(&init)).unwrap();
    let token = made["api_token"].as_str().unwrap();
    let mut command = Command::new(binary());
    command.args(["serve", "--data", &path("data"), "--listen", "127.0.0.1:0"]);
    // More addresses of the same server.
    let further = ["--also-listen", "127.0.0.1:0"];
    command.args(further).args(further).args([
        "--tls-cert",
        &path("cert.pem"),
        "--tls-key",
        &path("key.pem"),
    ]);
    let mut child = Ending(
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    let mut next = || {
        let line = lines.next().unwrap().unwrap();
        let address = line.strip_prefix("listening on https://");
        address.unwrap().to_owned()
    };
    let addresses = [next(), next(), next()];
    let pem = std::fs::read(path("cert.pem")).unwrap();
    let trusted = Certificate::from_pem(&pem).unwrap();
    let document = json!({"query": "{ organization { name } }"}).to_string();
    let ask = |agent: &ureq::Agent, url: &str| {
        let request = agent
            .post(url)
            .header("authorization", format!("Bearer {token}"));
        let request = request.header("content-type", "application/json");
        request
            .send(document.as_bytes())
            .map(|mut answer| answer.body_mut().read_to_string().unwrap())
    };
    let agent = agent(RootCerts::from(vec![trusted]));
    let expected = r#"{"data":{"organization":{"name":"T"}}}"#;
    let distrusting = self::agent(RootCerts::from(Vec::<Certificate<'static>>::new()));
    for address in &addresses {
        for scheme in ["https", "http"] {
            let url = format!("{scheme}://{address}{NATIVE}");
            assert_eq!(ask(&agent, &url).unwrap(), expected);
        }
        assert!(ask(&distrusting, &format!("https://{address}{NATIVE}")).is_err());
    }
}

#[test]
fn an_address_that_cannot_be_bound_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let data = text_of(&folder.path().join("data"));
    done(&[
        "init",
        "--data",
        &data,
        "--org",
        "T",
        "--admin",
        "t@t.example",
    ]);
    let serve = |also: &str| {
        let words = [
            "serve",
            "--data",
            &data,
            "--listen",
            "127.0.0.1:0",
            "--also-listen",
            also,
        ];
        run(&words)
    };
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let held = holder.local_addr().unwrap().to_string();
    let cases = [
        (held.as_str(), "choose another --also-listen address"),
        ("0.0.0.0:0", "is not a loopback address"),
        ("nowhere", "choose another --also-listen address"),
    ];
    for (also, expected) in cases {
        let ran = serve(also);
        assert_eq!(ran.code, 1, "{also}: {}", ran.err);
        assert!(
            ran.err.contains(expected) && ran.err.contains("--also-listen"),
            "{}",
            ran.err
        );
        assert!(!ran.out.contains("listening on"), "{}", ran.out);
    }
}

fn agent(roots: RootCerts) -> ureq::Agent {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = TlsConfig::builder()
        .root_certs(roots)
        .unversioned_rustls_crypto_provider(provider)
        .build();
    ureq::Agent::config_builder()
        .tls_config(tls)
        .build()
        .new_agent()
}
