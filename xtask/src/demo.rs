// SPDX-License-Identifier: Apache-2.0
//! `cargo xtask demo`: from a fresh clone to a running server with a company and ATT&CK in it.

mod server;
mod tour;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use crate::python::Environment;
use crate::shell::{self, Stopwatch, heading};
use crate::suite::target_folder;
use server::Server;

const ORGANIZATION: &str = "Meridian Freight";
const ADMIN: &str = "admin@meridian-freight.example";
/// Where the demo listens unless told otherwise; any free port when it is taken.
const LISTEN: &str = "127.0.0.1:8080";
const LISTEN_ANYWHERE: &str = "127.0.0.1:0";

/// What the command line asked for.
#[derive(Debug)]
pub(crate) struct Demo {
    pub(crate) listen: Option<String>,
    pub(crate) release: bool,
    pub(crate) exit: bool,
}

/// Builds, imports, prints what to try, and keeps the server running until Ctrl-C.
pub(crate) fn run(root: &Path, demo: &Demo) -> anyhow::Result<()> {
    let watch = Stopwatch::start();
    let binary = build(root, demo.release)?;
    let work = target_folder(root).join("demo");
    if work.exists() {
        std::fs::remove_dir_all(&work).with_context(|| format!("removing {}", work.display()))?;
    }
    std::fs::create_dir_all(&work).with_context(|| format!("making {}", work.display()))?;

    heading("ATT&CK");
    let attack = attack_bundle(root, &work);

    heading("a fresh data folder");
    let data = work.join("data");
    let credentials = init(root, &binary, &data)?;
    println!("  {}", data.display());

    heading("the server");
    let mut server = start(demo, &binary, &data, &work)?;
    println!("  listening on {}", server.url());
    // The tour asks what the graph was before the imports: a whole second between the two commits.
    std::thread::sleep(Duration::from_secs(1));
    let empty_at = shell::output(shell::command("date", root).args(["-u", "+%FT%TZ"]))?;

    let has_attack = attack.is_some();
    fill(root, &binary, &server, &credentials, attack)?;
    heading("people, roles, resources, grants and a policy, by StrongDM's SDK");
    let before = make_access(root, &server, &credentials)?;

    let environment = Environment::open(root)?;
    let tour = tour::Tour {
        before: before.trim().to_owned(),
        python: shown(root, &environment.python()),
        binary: shown(root, &binary),
        url: server.url().to_owned(),
        credentials: &credentials,
        empty_at: empty_at.trim().to_owned(),
        has_attack,
    };
    tour.print()?;
    println!("\nready after {}", watch.seconds());
    shell::flush();
    if demo.exit {
        tour.check(root)?;
        return server.stop();
    }
    println!(
        "The server runs until you press Ctrl-C; its log is {}",
        server.log().display()
    );
    server.wait()
}

/// Imports all sample data.
fn fill(
    root: &Path,
    binary: &Path,
    server: &Server,
    credentials: &Value,
    attack: Option<PathBuf>,
) -> anyhow::Result<()> {
    let token = credentials.get("api_token").and_then(Value::as_str);
    let token = token.context("`durward init --json` printed no api_token")?;
    let import = |what: &str, words: &[&str], files: &[PathBuf]| {
        heading(&format!("import of {what}"));
        let watch = Stopwatch::start();
        let mut command = shell::command(binary, root);
        command.arg("import").args(words).args(files);
        command.args(["--url", server.url(), "--token", token]);
        shell::run(&mut command)?;
        println!("  done in {}", watch.seconds());
        anyhow::Ok(())
    };
    let company = root.join("samples").join("company");
    let files = [
        company.join("entities.ndjson"),
        company.join("relationships.ndjson"),
    ];
    import(
        "the sample company",
        &["graph", "--scope", "meridian"],
        &files,
    )?;
    if let Some(bundle) = attack {
        import("ATT&CK", &["stix"], &[bundle])?;
    }
    let aws = aws_files(root)?;
    import("cloud accounts", &["aws", "--scope", "aws"], &aws)
}

fn build(root: &Path, release: bool) -> anyhow::Result<PathBuf> {
    heading("build (the first one takes some minutes)");
    let mut command = shell::cargo(root);
    command.args(["build", "--locked", "--package", "durward"]);
    if release {
        command.arg("--release");
    }
    shell::run(&mut command)?;
    let profile = if release { "release" } else { "debug" };
    Ok(target_folder(root).join(profile).join("durward"))
}

/// The bundle, or nothing when it cannot be had: the demo goes on without it.
fn attack_bundle(root: &Path, work: &Path) -> Option<PathBuf> {
    let bundle = work.join("enterprise-attack.json");
    match make_attack_bundle(root, &bundle) {
        Ok(()) => Some(bundle),
        Err(error) => {
            println!("  {error:#}");
            println!("  ATT&CK could not be fetched (is there a network?): going on without it");
            None
        }
    }
}

fn make_attack_bundle(root: &Path, bundle: &Path) -> anyhow::Result<()> {
    let environment = Environment::open(root)?;
    environment.install("samples/attack/requirements.txt")?;
    shell::run(
        environment
            .command(["samples/attack/to_stix.py", "--out"])
            .arg(bundle),
    )
}

/// What the AWS command line printed, for `durward import aws`.
fn aws_files(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for folder in entries(&root.join("samples").join("aws"))? {
        if folder.is_dir() {
            let inside = entries(&folder)?.into_iter();
            files.extend(inside.filter(|path| path.extension().is_some_and(|e| e == "json")));
        }
    }
    files.sort();
    Ok(files)
}

fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let read = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    read.map(|entry| Ok(entry?.path())).collect()
}

/// Makes what people, groups, roles and grants there are; gives an instant before the last change.
fn make_access(root: &Path, server: &Server, credentials: &Value) -> anyhow::Result<String> {
    let environment = Environment::open(root)?;
    environment.install("samples/access/requirements.txt")?;
    let key = |name: &str| {
        let found = credentials.pointer(name).and_then(Value::as_str);
        found.context("`durward init --json` printed no access key")
    };
    let host = server.url().trim_start_matches("http://");
    let mut command = environment.command(["samples/access/make.py", host]);
    command.args([key("/strongdm/access_key")?, key("/strongdm/secret_key")?]);
    shell::output(&mut command)
}

fn init(root: &Path, binary: &Path, data: &Path) -> anyhow::Result<Value> {
    let mut command = shell::command(binary, root);
    command.arg("init").arg("--data").arg(data);
    command.args(["--org", ORGANIZATION, "--admin", ADMIN, "--json"]);
    let printed = shell::output(&mut command)?;
    serde_json::from_str(&printed).context("reading what `durward init --json` printed")
}

fn start(demo: &Demo, binary: &Path, data: &Path, work: &Path) -> anyhow::Result<Server> {
    let serve = |listen: &str| {
        let mut command = Command::new(binary);
        command
            .arg("serve")
            .arg("--data")
            .arg(data)
            .args(["--listen", listen]);
        command.current_dir(work);
        Server::start(command, work.join("server.log"))
    };
    if let Some(listen) = &demo.listen {
        return serve(listen);
    }
    serve(LISTEN).or_else(|error| {
        println!("  {LISTEN} is not free, taking any port ({error:#})");
        serve(LISTEN_ANYWHERE)
    })
}

/// The path as one would type it from the root of the repository.
fn shown(root: &Path, path: &Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .display()
        .to_string()
}
