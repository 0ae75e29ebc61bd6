// SPDX-License-Identifier: Apache-2.0
//! Relationships of a bundle: their ends may be entities or relationships, in any order.

use durward_graph::ObjectRef;
use durward_graph::store::{Operation, PutMode, Target};
use serde_json::{Map, Value as Json};

use crate::bundle::Rejected;
use crate::import::Importer;
use crate::kinds;
use crate::object::StixObject;
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

impl Importer<'_> {
    /// Writes the relationships whose ends are known, in as many rounds as that makes new ends
    /// known; the rest is rejected. Answers with those that were written.
    pub(super) fn relationships<'o>(
        &mut self,
        mut waiting: Vec<&'o StixObject>,
    ) -> Vec<&'o StixObject> {
        let mut written = Vec::with_capacity(waiting.len());
        loop {
            let before = waiting.len();
            let mut later = Vec::new();
            for object in waiting {
                match self.links(object) {
                    Ok(links) => {
                        self.relationship(object, links);
                        written.push(object);
                    }
                    Err(_) => later.push(object),
                }
            }
            waiting = later;
            if waiting.is_empty() || waiting.len() == before {
                break;
            }
        }
        for object in waiting {
            let Err(reason) = self.links(object) else {
                continue;
            };
            self.rejected.push(Rejected {
                position: object.position,
                id: object.id.clone(),
                reason,
            });
        }
        written
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
            object
                .text(member)
                .ok_or_else(|| format!("it has no {member}"))
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
    fn relationship(&mut self, object: &StixObject, links: Vec<Link>) {
        self.begin(object);
        let is_sighting = object.stix_type == "sighting";
        for (position, link) in links.into_iter().enumerate() {
            let key = link.key.clone();
            let existing = if position == 0 {
                self.find(object, &key)
            } else {
                None
            };
            let operation = self.operations.len();
            let mut properties = object.properties.clone();
            if is_sighting {
                let name = "stix-sighting-relationship";
                properties.push(("relationship_type".to_owned(), name.into()));
            }
            let target = if let Some(ObjectRef::Edge(edge)) = existing {
                let stored = self.view.property_id("modified");
                let stored = stored.map(|property| self.view.edge_value(edge, property));
                let is_newer = !super::is_older(object.modified, stored.as_ref());
                let id = self.view.edge_id(edge);
                let set = if is_newer { properties } else { Vec::new() };
                self.operations
                    .push(Operation::PatchRelationship { target: id, set });
                Target::Id(id)
            } else {
                self.operations.push(Operation::PutRelationship {
                    from: link.from.target,
                    relationship_type: format!("stix_{}", link.verb.to_lowercase()),
                    verb: link.verb,
                    to: link.to.target,
                    namespace: self.namespace.clone(),
                    key: Some(link.key),
                    properties,
                    mode: PutMode::Upsert,
                });
                Target::Result(operation)
            };
            if position == 0 {
                self.own.push(operation);
                self.remember(object, &key, &target, existing);
            }
        }
    }
}

fn deterministic(object: &StixObject, members: &Map<String, Json>) -> String {
    standard_id(&object.stix_type, members).unwrap_or_else(|| object.id.clone())
}
