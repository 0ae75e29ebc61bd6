// SPDX-License-Identifier: Apache-2.0
//! Members that an object carries in another place than the graph keeps them: extensions, ids in
//! references, what markings say.

use durward_catalog::stix;
use serde_json::{Map, Value as Json};

use super::ObjectError;
use crate::markings;
use crate::standard_id::location_type;

/// OpenCTI's extensions (objects, observables, MITRE), whose members are lifted to the object.
const LIFTED_EXTENSIONS: &[&str] = &[
    "extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba",
    "extension-definition--f93e2c80-4231-4f9a-af8b-95c9bd566a82",
    "extension-definition--322b8f77-262a-4cb8-a915-1e441e00329b",
];
/// Members of those extensions that describe the sending platform, not the object.
const NOT_LIFTED: &[&str] = &[
    "extension_type",
    "id",
    "stix_ids",
    "created_at",
    "updated_at",
];

/// Lifts the members of OpenCTI's extensions to `x_opencti_<member>` (MITRE's to
/// `x_mitre_<member>`) where the object has none of its own. Answers with the further STIX ids.
pub(super) fn extensions(members: &mut Map<String, Json>) -> Result<Vec<String>, ObjectError> {
    let mut other_ids = Vec::new();
    let mut take_ids = |json: Option<&Json>| {
        let items = json.and_then(Json::as_array).into_iter().flatten();
        other_ids.extend(items.filter_map(Json::as_str).map(str::to_owned));
    };
    take_ids(members.remove("x_opencti_stix_ids").as_ref());
    let Some(extensions) = members.get("extensions").cloned() else {
        return Ok(other_ids);
    };
    let expected = "an object of objects";
    let wrong = || ObjectError::Wrong {
        member: "extensions".to_owned(),
        expected,
    };
    let extensions = extensions.as_object().ok_or_else(wrong)?.clone();
    for key in LIFTED_EXTENSIONS {
        let Some(extension) = extensions.get(*key) else {
            continue;
        };
        let extension = extension.as_object().ok_or_else(wrong)?;
        take_ids(extension.get("stix_ids"));
        let is_mitre = key.ends_with("1e441e00329b");
        for (name, value) in extension {
            let is_mitre_id = is_mitre && name == "id";
            if (NOT_LIFTED.contains(&name.as_str()) && !is_mitre_id)
                || name.ends_with("_ref")
                || name.ends_with("_refs")
            {
                continue;
            }
            let prefix = if is_mitre { "x_mitre_" } else { "x_opencti_" };
            let lifted = if name.starts_with(prefix) {
                name.clone()
            } else {
                format!("{prefix}{name}")
            };
            members.entry(lifted).or_insert_with(|| value.clone());
        }
    }
    Ok(other_ids)
}

/// OpenCTI's form of a marking: the definition is a text, and a marking of the Traffic Light
/// Protocol is named whole, with its place in the order. Version 2.0 of the protocol says in an
/// extension what version 1 says in the definition.
pub(super) fn name_marking(members: &mut Map<String, Json>) -> Result<(), ObjectError> {
    let wrong = |member: &str, expected| ObjectError::Wrong {
        member: member.to_owned(),
        expected,
    };
    if let Some(said) = markings::of_extension(members) {
        let tlp = said
            .as_str()
            .and_then(|said| markings::named(&format!("TLP:{said}")))
            .ok_or_else(|| wrong("tlp_2_0", "a level of the Traffic Light Protocol"))?;
        members.insert("definition".to_owned(), tlp.name.into());
        members.insert("definition_type".to_owned(), "TLP".into());
    }
    let definition = match members.get("definition") {
        None => return Ok(()),
        Some(Json::Object(inner)) => inner.values().next().cloned().unwrap_or_default(),
        Some(other) => other.clone(),
    };
    let definition = definition
        .as_str()
        .ok_or_else(|| wrong("definition", "a text"))?;
    let kind = members
        .get("definition_type")
        .and_then(Json::as_str)
        .unwrap_or_default();
    let is_tlp = kind.eq_ignore_ascii_case("tlp");
    let upper = definition.to_uppercase();
    let name = match upper.starts_with("TLP:") {
        _ if !is_tlp => definition.to_owned(),
        true => upper,
        false => format!("TLP:{upper}"),
    };
    if is_tlp {
        members.insert("definition_type".to_owned(), "TLP".into());
        if let Some(tlp) = markings::named(&name) {
            members.insert("x_opencti_order".to_owned(), tlp.order.into());
            members
                .entry("x_opencti_color")
                .or_insert_with(|| tlp.color.into());
        }
    }
    members.insert("definition".to_owned(), name.into());
    Ok(())
}

/// ATT&CK's techniques and mitigations carry their id in the external reference of a `mitre-*`
/// source.
pub(super) fn mitre_id(stix_type: &str, members: &mut Map<String, Json>) {
    if !matches!(stix_type, "attack-pattern" | "course-of-action")
        || members.contains_key("x_mitre_id")
    {
        return;
    }
    let references = members.get("external_references").and_then(Json::as_array);
    let found = references.into_iter().flatten().find_map(|reference| {
        let source = reference.get("source_name")?.as_str()?;
        let id = reference.get("external_id")?.as_str()?;
        source.starts_with("mitre-").then(|| id.to_owned())
    });
    if let Some(id) = found {
        members.insert("x_mitre_id".to_owned(), id.into());
    }
}

/// Says what kind of place a location is: it says so itself, or its most precise member does.
pub(super) fn place(members: &mut Map<String, Json>) -> Result<(), ObjectError> {
    let Some(kind) = location_type(members).map(str::to_owned) else {
        return Ok(());
    };
    let is_known = stix::named("location").is_some_and(|known| known.opencti.contains(&kind));
    if !is_known {
        return Err(ObjectError::Wrong {
            member: "x_opencti_location_type".to_owned(),
            expected: "a kind of location",
        });
    }
    members.insert("x_opencti_location_type".to_owned(), kind.into());
    Ok(())
}
