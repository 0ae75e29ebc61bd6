// SPDX-License-Identifier: Apache-2.0
//! Relationships of a bundle: their ends may be entities or relationships, in any order.

use std::collections::HashMap;

use durward_graph::ObjectRef;
use durward_graph::store::{Operation, PutMode, Target};
use durward_model::Value;
use serde_json::{Map, Value as Json};

use crate::bundle::properties_bytes;
use crate::import::Importer;
use crate::kinds;
use crate::object::{Reference, StixObject};
use crate::room::Stop;
use crate::standard_id::standard_id;

/// Where an object of a bundle is, or will be.
#[derive(Clone, Debug)]
pub(crate) struct End {
    pub(crate) target: Target,
    pub(crate) standard_id: String,
}

/// What a relationship of the graph is made of.
struct Link {
    from: End,
    to: End,
    verb: String,
    key: String,
}

/// A relationship that is not written yet, its properties, and what it refers to.
type Waiting<'o> = (&'o StixObject, Vec<(String, Value)>, Vec<Reference>);
/// A relationship that is written, and what it refers to.
type Written<'o> = (&'o StixObject, Vec<Reference>);

impl Importer<'_> {
    /// Writes the relationships, each when its ends are known: one may lead to another. What is
    /// left then leads round in a circle, and is rejected. Answers with those that were written.
    pub(super) fn relationships<'o>(
        &mut self,
        relationships: Vec<Waiting<'o>>,
    ) -> Result<Vec<Written<'o>>, Stop> {
        let mut written = Vec::with_capacity(relationships.len());
        let mut waiting: HashMap<String, Vec<Waiting<'o>>> = HashMap::new();
        for relationship in relationships {
            // What can be tried now: at first this one, then those that waited for it.
            let mut ready = vec![relationship];
            while let Some((object, properties, references)) = ready.pop() {
                if let Some(id) = self.unknown_end(object) {
                    let others = waiting.entry(id.to_owned()).or_default();
                    others.push((object, properties, references));
                    continue;
                }
                match self.links(object) {
                    Ok(links) => {
                        let moved = properties_bytes(&properties);
                        self.relationship(object, properties, links)?;
                        self.room.let_go(moved);
                        written.push((object, references));
                        ready.extend(object.ids().flat_map(|id| {
                            let others = waiting.remove(id);
                            others.unwrap_or_default()
                        }));
                    }
                    Err(reason) => self.reject(object, reason)?,
                }
            }
        }
        for (id, others) in waiting {
            for (object, _, _) in others {
                self.reject(object, format!("{id} is not known"))?;
            }
        }
        Ok(written)
    }

    /// The first end of a relationship that leads nowhere yet.
    fn unknown_end<'o>(&self, object: &'o StixObject) -> Option<&'o str> {
        object.ends().find(|id| self.end(id).is_none())
    }

    /// Where a STIX id leads: into this bundle, or to what the graph has.
    pub(super) fn end(&self, id: &str) -> Option<End> {
        if let Some(end) = self.ends.get(id) {
            return Some(end.clone());
        }
        let found = self.by_id(id)?;
        Some(match found {
            ObjectRef::Entity(entity) => End {
                target: Target::Id(self.view.entity_id(entity)),
                standard_id: self.view.key(entity),
            },
            ObjectRef::Edge(edge) => End {
                target: Target::Id(self.view.edge_id(edge)),
                standard_id: self.view.edge_key(edge),
            },
        })
    }

    /// The relationships of the graph that one STIX relationship or sighting stands for.
    fn links(&self, object: &StixObject) -> Result<Vec<Link>, String> {
        let named = |member: &str| {
            let text = object.text(member).filter(|text| !text.trim().is_empty());
            text.ok_or_else(|| format!("it has no {member}"))
                .map(str::to_owned)
        };
        let known = |id: &str| self.end(id).ok_or_else(|| format!("{id} is not known"));
        if object.stix_type == "relationship" {
            let relationship_type = named("relationship_type")?;
            let from = known(&named("source_ref")?)?;
            let to = known(&named("target_ref")?)?;
            let mut members = object.members.clone();
            members.insert("source_ref".to_owned(), from.standard_id.clone().into());
            members.insert("target_ref".to_owned(), to.standard_id.clone().into());
            let key = deterministic(object, &members);
            return Ok(vec![Link {
                from,
                to,
                verb: kinds::verb(&relationship_type),
                key,
            }]);
        }
        let from = known(&named("sighting_of_ref")?)?;
        let places = object
            .members
            .get("where_sighted_refs")
            .and_then(Json::as_array);
        let places = places.into_iter().flatten().filter_map(Json::as_str);
        let places: Vec<End> = places.map(known).collect::<Result<_, _>>()?;
        if places.is_empty() {
            return Err("it says not where the sighting was (where_sighted_refs)".to_owned());
        }
        let mut members = object.members.clone();
        members.insert(
            "sighting_of_ref".to_owned(),
            from.standard_id.clone().into(),
        );
        let ids: Vec<&str> = places
            .iter()
            .map(|place| place.standard_id.as_str())
            .collect();
        members.insert("where_sighted_refs".to_owned(), ids.into());
        let key = deterministic(object, &members);
        let link = |(position, to): (usize, End)| Link {
            from: from.clone(),
            to,
            verb: kinds::SIGHTED.to_owned(),
            key: if position == 0 {
                key.clone()
            } else {
                format!("{key}#{position}")
            },
        };
        Ok(places.into_iter().enumerate().map(link).collect())
    }

    /// Writes a relationship. Its STIX id leads to the first one where it stands for several.
    fn relationship(
        &mut self,
        object: &StixObject,
        mut properties: Vec<(String, Value)>,
        links: Vec<Link>,
    ) -> Result<(), Stop> {
        self.begin(object);
        if object.stix_type == "sighting" {
            let name = "stix-sighting-relationship";
            properties.push(("relationship_type".to_owned(), name.into()));
        }
        for (position, link) in links.into_iter().enumerate() {
            let key = link.key.clone();
            let existing = if position == 0 {
                self.find(object, &key)
            } else {
                None
            };
            let operation = self.operations.len();
            let properties = properties.clone();
            let target = if let Some(ObjectRef::Edge(edge)) = existing {
                let stored = self.view.property_id("modified");
                let stored = stored.map(|property| self.view.edge_value(edge, property));
                let is_newer = !super::is_older(object.modified, stored.as_ref());
                let id = self.view.edge_id(edge);
                let set = if is_newer { properties } else { Vec::new() };
                self.push(Operation::PatchRelationship { target: id, set })?;
                Target::Id(id)
            } else {
                self.push(Operation::PutRelationship {
                    from: link.from.target,
                    relationship_type: format!("stix_{}", link.verb.to_lowercase()),
                    verb: link.verb,
                    to: link.to.target,
                    namespace: self.namespace.clone(),
                    key: Some(link.key),
                    properties,
                    mode: PutMode::Upsert,
                })?;
                Target::Result(operation)
            };
            if position == 0 {
                self.own.push(operation);
                self.remember(object, &key, &target, existing)?;
            }
        }
        Ok(())
    }
}

fn deterministic(object: &StixObject, members: &Map<String, Json>) -> String {
    standard_id(&object.stix_type, members).unwrap_or_else(|| object.id.clone())
}
