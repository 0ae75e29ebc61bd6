// SPDX-License-Identifier: Apache-2.0
//! `durward org`

use std::io::Write as _;
use std::path::Path;

use durward_dialect_sync::set_aside_in;
use durward_identity::IdentityError;
use serde_json::{Value as Json, json};

use crate::arguments::{OrgCommand, OrgDeleteArguments, Target};
use crate::command::init;
use crate::offline::{self, Offline};

/// Manages the organizations of a data folder that no server is using.
pub(crate) fn run(command: &OrgCommand) -> anyhow::Result<()> {
    match command {
        OrgCommand::Create(arguments) => {
            let organizations = offline::open(&arguments.data)?;
            let output = organizations.create(&arguments.org, &arguments.admin)?;
            organizations.close()?;
            init::print(&output, arguments.json)
        }
        OrgCommand::List(arguments) => list(&arguments.data, arguments.json),
        OrgCommand::Suspend(named) => set_suspended(&named.data, &named.org, true),
        OrgCommand::Resume(named) => set_suspended(&named.data, &named.org, false),
        OrgCommand::Export(named) => {
            let target = Target {
                url: None,
                token: None,
                data: Some(named.data.clone()),
                org: Some(named.org.clone()),
            };
            export(&target)
        }
        OrgCommand::Delete(arguments) => delete(arguments),
    }
}

/// Lists the organizations, with what cannot be opened or was set aside.
fn list(data: &Path, as_json: bool) -> anyhow::Result<()> {
    let organizations = offline::open_any(data)?;
    for summary in organizations.list() {
        let jobs = organizations
            .folder_of(&summary.id)
            .join(offline::JOBS_FOLDER);
        let aside = set_aside_in(&jobs);
        let (id, name, suspended) = (summary.id.to_string(), summary.name, summary.suspended);
        if as_json {
            let aside = aside
                .iter()
                .map(|job| json!({"path": job.folder.display().to_string(), "reason": job.reason}));
            let mut line = json!({"id": id, "name": name, "suspended": suspended});
            if let Some(members) = line.as_object_mut() {
                let aside: Vec<Json> = aside.collect();
                members.insert("unavailable".to_owned(), summary.unavailable.into());
                members.insert("setAside".to_owned(), aside.into());
            }
            println!("{line}");
            continue;
        }
        if let Some(reason) = &summary.unavailable {
            println!("{id}  unavailable  {reason}");
        } else {
            let state = if suspended { "suspended" } else { "active" };
            println!("{id}  {state:<9}  {name}");
        }
        for job in aside {
            let (path, reason) = (job.folder.display(), job.reason);
            println!("    set aside: {path}: {reason}");
        }
    }
    Ok(organizations.close()?)
}

fn set_suspended(data: &Path, name: &str, suspended: bool) -> anyhow::Result<()> {
    let organizations = offline::open(data)?;
    organizations.set_suspended(name, suspended)?;
    organizations.close()?;
    println!(
        "{name} is {}",
        if suspended { "suspended" } else { "active" }
    );
    Ok(())
}

fn delete(arguments: &OrgDeleteArguments) -> anyhow::Result<()> {
    let organizations = offline::open_any(&arguments.named.data)?;
    let name = match organizations.find_or_only(Some(&arguments.named.org)) {
        Ok(organization) => organization.name(),
        // Its name is in what cannot be opened; its id stands for it.
        Err(IdentityError::OrganizationUnavailable { name, .. }) => name,
        Err(error) => return Err(error.into()),
    };
    anyhow::ensure!(
        arguments.confirm == name,
        "--confirm must repeat the organization's name, {name:?}: nothing brings it back"
    );
    organizations.delete(&arguments.named.org)?;
    organizations.close()?;
    println!("{name} is deleted");
    Ok(())
}

/// Writes entities and relationships in the shape that `import graph` reads; secrets stay.
fn export(target: &Target) -> anyhow::Result<()> {
    let offline = Offline::open(target)?;
    let view = offline.organization().store().view(None);
    let mut output = std::io::BufWriter::new(std::io::stdout().lock());
    for type_id in view.types() {
        for row in &view.live_rows(type_id) {
            let entity = durward_graph::EntityRef { type_id, row };
            let classes: Vec<&str> = view
                .classes(entity)
                .into_iter()
                .map(|class| view.class_name(class))
                .collect();
            let mut record = json!({
                "_key": view.key(entity), "_type": view.type_name(type_id), "_class": classes,
            });
            if let Some(members) = record.as_object_mut() {
                for (property, value) in view.written_properties(entity) {
                    members.insert(view.property_name(property).to_owned(), value.to_json());
                }
            }
            writeln!(output, "{record}")?;
        }
    }
    for triple in view.triples() {
        if triple.from.is_relationship() || triple.to.is_relationship() {
            continue;
        }
        for edge in &view.live_edge_rows(triple.id) {
            let edge = durward_graph::EdgeRef {
                triple: triple.id,
                edge,
            };
            let Some((from, to)) = view.edge_ends(edge) else {
                continue;
            };
            let mut record = json!({
                "_key": view.edge_key(edge), "_type": view.edge_type(edge),
                "_class": view.verb_name(triple.verb),
                "_fromEntityKey": view.key(from), "_toEntityKey": view.key(to),
            });
            if let Some(members) = record.as_object_mut() {
                for (property, value) in view.edge_properties(edge) {
                    members.insert(view.property_name(property).to_owned(), value.to_json());
                }
            }
            writeln!(output, "{record}")?;
        }
    }
    output.flush()?;
    drop(output);
    drop(view);
    offline.close()
}
