// SPDX-License-Identifier: Apache-2.0
//! The besieged server, its two organizations, and what the attackers hold.

mod data;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use durward_testkit::grpc::Key;
use durward_testkit::{Client, Credentials, Options, Server, repository};
use serde_json::{Value, json};

use crate::plan::Plan;

/// Descriptors that the server has.
const DESCRIPTORS: u32 = 1024;
/// The hard limit of its memory, as the kernel counts it (`RLIMIT_DATA`): private writable
/// mappings, so also what the allocator keeps and the stacks of threads, of which there may be five
/// hundred with two mebibytes each. The judge ends the server much sooner.
const DATA_BYTES_MAX: u64 = 2 << 30;
/// Types of what is written while the siege goes on.
pub(crate) const WRITTEN_TYPE: &str = "siege_write";
pub(crate) const BYSTANDER_TYPE: &str = "siege_quay";
/// Names of the organizations.
const VICTIM: &str = "Harbour";
const ATTACKER: &str = "Reef";

const ACCOUNT: &str =
    "mutation($input: CreateAccountInput!) { createAccount(input: $input) { id } }";
const CREDENTIAL: &str = "mutation($input: CreateCredentialInput!) {
  createCredential(input: $input) { secret credential { publicId } } }";
const JUPITERONE_KEY: &str = "mutation($token: TokenInput!, $input: CreateIamTokenInput) {
  createToken(token: $token, input: $input) { token } }";

/// The server with all that was put into it.
pub(crate) struct World {
    server: Server,
    attacker: Credentials,
    viewer: Viewer,
    /// Bytes of the budget that the server was given; 0 where it knows of none.
    pub(crate) budget_bytes: u64,
}

/// What the victims have.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entities {
    /// Entities that were there at the beginning.
    pub(crate) company: u64,
    /// Those that the client wrote.
    pub(crate) written: u64,
}

/// Credentials of an account that may only look.
#[derive(Debug, Clone, Default)]
pub(crate) struct Viewer {
    /// A native token.
    pub(crate) token: String,
    /// An access key.
    pub(crate) key: Option<Key>,
    /// A JupiterOne API key that may only query.
    pub(crate) narrow: String,
}

/// What the attackers know.
#[derive(Debug, Clone)]
pub(crate) struct Arsenal {
    /// The whole print-out of the attackers' own organization.
    pub(crate) own: Credentials,
    pub(crate) viewer: Viewer,
    /// The public part of a key of the victims, as it stands in logs.
    pub(crate) stolen_key_id: String,
}

impl World {
    /// Makes the data folder, fills it and starts the server.
    pub(crate) fn create(plan: &Plan) -> anyhow::Result<Self> {
        let binary = Plan::binary()?;
        let has_budget = knows_budget(&binary, plan)?;
        let config = has_budget.then(|| plan.configuration());
        let launcher = ["prlimit".to_owned(), format!("--nofile={DESCRIPTORS}")];
        let launcher = launcher
            .into_iter()
            .chain([format!("--data={DATA_BYTES_MAX}")]);
        let mut server = Server::start(Options {
            binary: Some(binary),
            organization: VICTIM.to_owned(),
            admin: "admin@harbour.example".to_owned(),
            launcher: launcher.map(OsString::from).collect(),
            config,
            ..Options::default()
        })?;
        server.stop()?;
        let attacker = second_organization(&server)?;
        fill(&server)?;
        server.restart()?;
        let mut world = Self {
            server,
            attacker,
            viewer: Viewer::default(),
            budget_bytes: if has_budget { plan.budget_bytes } else { 0 },
        };
        world.viewer = world
            .make_viewer()
            .context("making the attackers' viewer")?;
        Ok(world)
    }

    pub(crate) fn server(&self) -> &Server {
        &self.server
    }

    /// The server's address without the scheme.
    pub(crate) fn address(&self) -> &str {
        self.server.url().trim_start_matches("http://")
    }

    /// The credentials of the organization that must not notice anything.
    pub(crate) fn victim(&self) -> &Credentials {
        self.server.credentials()
    }

    pub(crate) fn arsenal(&self) -> Arsenal {
        Arsenal {
            own: self.attacker.clone(),
            viewer: self.viewer.clone(),
            stolen_key_id: self.victim().strongdm().0.to_owned(),
        }
    }

    /// How many entities the victims have of the company, and how many that were written since.
    pub(crate) fn victim_entities(&self) -> anyhow::Result<Entities> {
        let client = self.server.client();
        let document = "{ types { name count } }";
        let data = answer(&client, "/durward/graphql", document, &json!({}))?;
        let types = data.pointer("/types").and_then(Value::as_array);
        let mut entities = Entities::default();
        for row in types.context("no types")? {
            let count = row.get("count").and_then(Value::as_u64).unwrap_or(0);
            match row.get("name").and_then(Value::as_str) {
                Some(WRITTEN_TYPE) => entities.written += count,
                Some(BYSTANDER_TYPE) => {}
                _ => entities.company += count,
            }
        }
        Ok(entities)
    }

    /// Ends the server as an operator would and starts it again.
    pub(crate) fn restart(&mut self) -> anyhow::Result<()> {
        self.server.restart()
    }

    /// Ends the server whatever it does and starts it again.
    pub(crate) fn revive(&mut self) -> anyhow::Result<()> {
        // One that has ended already is as good.
        let _ = self.server.kill9();
        self.server.restart()
    }

    /// Ends the server and verifies the journals of both organizations.
    pub(crate) fn verify(&mut self) -> anyhow::Result<()> {
        self.server.stop()?;
        let data = self.server.data();
        for organization in [VICTIM, ATTACKER] {
            self.server
                .run(&[
                    "audit",
                    "verify",
                    "--data",
                    text(&data)?,
                    "--org",
                    organization,
                ])
                .with_context(|| format!("the journal of {organization}"))?;
        }
        Ok(())
    }

    fn make_viewer(&self) -> anyhow::Result<Viewer> {
        let chief = self
            .server
            .anonymous()
            .with_token(self.attacker.api_token());
        let input = json!({"email": "viewer@reef.example", "role": "Viewer"});
        let made = answer(
            &chief,
            "/durward/graphql",
            ACCOUNT,
            &json!({"input": input}),
        )?;
        let account = part(&made, "/createAccount/id")?;
        let credential = |kind: &str| {
            let input = json!({"account": account, "kind": kind, "name": kind});
            answer(
                &chief,
                "/durward/graphql",
                CREDENTIAL,
                &json!({"input": input}),
            )
        };
        let token = part(&credential("api_token")?, "/createCredential/secret")?;
        let key = credential("strongdm_key")?;
        let (account, api_key) = self.attacker.jupiterone();
        let jupiterone = self.server.anonymous().with_token(api_key);
        let jupiterone = jupiterone.with_header("JupiterOne-Account", account);
        let policy = json!({"permissions": [{"effect": "ALLOW", "resources": ["*"],
            "actions": ["query:ReadGraphData"]}]});
        let token_input = json!({"name": "narrow", "policy": policy.to_string()});
        let variables = json!({"token": token_input, "input": {}});
        let narrow = answer(
            &jupiterone,
            "/jupiterone/graphql",
            JUPITERONE_KEY,
            &variables,
        )?;
        Ok(Viewer {
            token,
            key: Some(Key {
                access: part(&key, "/createCredential/credential/publicId")?,
                secret: part(&key, "/createCredential/secret")?,
            }),
            narrow: part(&narrow, "/createToken/token")?,
        })
    }
}

/// Whether the program can be told of a budget.
fn knows_budget(binary: &Path, plan: &Plan) -> anyhow::Result<bool> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), plan.configuration())?;
    let mut check = Command::new(binary);
    let out = check.args(["config", "check"]).arg(file.path()).output()?;
    Ok(out.status.success())
}

fn second_organization(server: &Server) -> anyhow::Result<Credentials> {
    let data = server.data();
    let words = ["org", "create", "--data", text(&data)?, "--org", ATTACKER];
    let rest = ["--admin", "admin@reef.example", "--json"];
    Credentials::parse(&server.run(&[&words[..], &rest[..]].concat())?)
}

/// The sample company for both, and for the attackers a graph in which much leads to much.
fn fill(server: &Server) -> anyhow::Result<()> {
    let company = repository().join("samples").join("company");
    let company = ["entities.ndjson", "relationships.ndjson"].map(|name| company.join(name));
    let folder = tempfile::TempDir::with_prefix("durward-siege-")?;
    let dense = folder.path().join("dense.ndjson");
    std::fs::write(&dense, data::dense())?;
    import(server, VICTIM, "company", &company)?;
    import(server, ATTACKER, "company", &company)?;
    import(server, ATTACKER, "dense", &[dense])
}

fn import(server: &Server, org: &str, scope: &str, files: &[PathBuf]) -> anyhow::Result<()> {
    let data = server.data();
    let words = [
        "import",
        "graph",
        "--data",
        text(&data)?,
        "--org",
        org,
        "--scope",
        scope,
    ];
    let files = files.iter().map(|file| text(file));
    let files = files.collect::<anyhow::Result<Vec<_>>>()?;
    server.run(&[&words[..], &files].concat()).map(drop)
}

/// The `data` of a GraphQL answer without errors.
pub(crate) fn answer(
    client: &Client,
    path: &str,
    document: &str,
    variables: &Value,
) -> anyhow::Result<Value> {
    let mut answer = client.graphql(path, document, variables)?;
    if answer.get("errors").is_some() {
        bail!("{answer}");
    }
    let data = answer.get_mut("data").map(Value::take);
    data.context("an answer without data")
}

fn part(value: &Value, pointer: &str) -> anyhow::Result<String> {
    let text = value.pointer(pointer).and_then(Value::as_str);
    Ok(text.with_context(|| format!("no {pointer}"))?.to_owned())
}

fn text(path: &Path) -> anyhow::Result<&str> {
    path.to_str().context("a path that is no text")
}
