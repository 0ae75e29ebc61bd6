// SPDX-License-Identifier: Apache-2.0
//! Entities that many objects share: external references, kill-chain phases, labels, markings.

use durward_graph::store::{Operation, PutMode, Target};
use durward_model::Value;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::canonical::canonical_json;
use crate::import::{End, Importer};
use crate::kinds;
use crate::markings::Tlp;
use crate::room::Stop;
use crate::standard_id::standard_id;

/// Colour of a label that nobody gave one.
const LABEL_COLOR: &str = "#7a8599";

impl Importer<'_> {
    /// The entity of an external reference, and what this citation says otherwise than the entity.
    ///
    /// Two citations with one URL are one entity; a differing description or name of the source
    /// then stands on the relationship, so that nothing is lost.
    pub(super) fn external_reference(
        &mut self,
        content: &Map<String, Json>,
    ) -> Result<(Target, Vec<(String, Value)>), Stop> {
        let key = standard_id("external-reference", content).unwrap_or_else(|| {
            let text = canonical_json(&Json::Object(content.clone()));
            format!(
                "external-reference--{}",
                Uuid::new_v5(&Uuid::NAMESPACE_OID, text.as_bytes())
            )
        });
        let mut properties: Vec<(String, Value)> = content
            .iter()
            .filter(|(_, json)| !json.is_null())
            .map(|(name, json)| {
                let value =
                    Value::from_json(json).unwrap_or_else(|_| Value::Document(json.clone().into()));
                (name.clone(), value)
            })
            .collect();
        let text = |name: &str| content.get(name).and_then(Json::as_str).unwrap_or_default();
        let name = match (text("source_name").trim(), text("external_id").trim()) {
            ("", "") => [text("url"), text("description"), &key]
                .into_iter()
                .map(|text| text.lines().next().unwrap_or_default().trim())
                .find(|text| !text.is_empty())
                .unwrap_or_default()
                .to_owned(),
            ("", id) => id.to_owned(),
            (source, "") => source.to_owned(),
            (source, id) => format!("{source} {id}"),
        };
        properties.push(("displayName".to_owned(), name.into()));
        let first = self.first_content(&key);
        let differs = |(name, value): &(String, Value)| match &first {
            Some(first) => !first.contains(&(name.clone(), value.clone())),
            None => false,
        };
        let own = properties
            .iter()
            .filter(|item| differs(item))
            .cloned()
            .collect();
        let entity_type = kinds::EXTERNAL_REFERENCE;
        let target = self.shared(entity_type, "external-reference", &key, properties)?;
        Ok((target, own))
    }

    /// What the entity of a shared reference holds, in this draft or in the graph.
    fn first_content(&self, key: &str) -> Option<Vec<(String, Value)>> {
        if let Some(Target::Result(position)) = self.shared_targets.get(key) {
            match self.operations.get(*position)? {
                Operation::PutEntity { properties, .. } => Some(properties.clone()),
                _ => None,
            }
        } else {
            let entity = self.view.find_by_key(&self.namespace, key)?;
            let named = self.view.entity_properties(entity).into_iter();
            Some(
                named
                    .map(|(property, value)| (self.view.property_name(property).to_string(), value))
                    .collect(),
            )
        }
    }

    pub(super) fn phase(&mut self, chain: &str, phase: &str) -> Result<Target, Stop> {
        let content = Map::from_iter([
            ("kill_chain_name".to_owned(), chain.into()),
            ("phase_name".to_owned(), phase.into()),
        ]);
        let key = standard_id("kill-chain-phase", &content).unwrap_or_default();
        let properties = vec![
            (
                "displayName".to_owned(),
                Value::from(format!("{chain}: {phase}")),
            ),
            ("kill_chain_name".to_owned(), chain.into()),
            ("phase_name".to_owned(), phase.into()),
            ("x_opencti_order".to_owned(), Value::Int(0)),
        ];
        self.shared(
            kinds::KILL_CHAIN_PHASE,
            "kill-chain-phase",
            &key,
            properties,
        )
    }

    pub(super) fn label(&mut self, label: &str) -> Result<Target, Stop> {
        let value = label.trim().to_lowercase();
        let content = Map::from_iter([("value".to_owned(), value.clone().into())]);
        let key = standard_id("label", &content).unwrap_or_default();
        let properties = vec![
            ("color".to_owned(), LABEL_COLOR.into()),
            ("displayName".to_owned(), Value::from(value.clone())),
            ("value".to_owned(), value.into()),
        ];
        self.shared(kinds::LABEL, "label", &key, properties)
    }

    /// A marking of the Traffic Light Protocol, which need not be in any bundle.
    pub(super) fn well_known_marking(&mut self, tlp: &Tlp, id: &str) -> Result<End, Stop> {
        let key = tlp.id();
        let end = if let Some(end) = self.ends.get(&key) {
            end.clone()
        } else {
            let properties = vec![
                ("definition".to_owned(), tlp.name.into()),
                ("definition_type".to_owned(), "TLP".into()),
                ("displayName".to_owned(), tlp.name.into()),
                ("x_opencti_color".to_owned(), tlp.color.into()),
                ("x_opencti_order".to_owned(), Value::Int(tlp.order)),
            ];
            let entity_type = kinds::MARKING_DEFINITION;
            let target = self.shared(entity_type, "marking-definition", &key, properties)?;
            End {
                target,
                standard_id: key.clone(),
            }
        };
        // The id of the other version of the protocol finds it too, from now on.
        if id != key && !self.ends.contains_key(id) && self.by_id(id).is_none() {
            self.push(Operation::AddAlias {
                target: end.target.clone(),
                alias: id.to_owned(),
            })?;
        }
        self.ends.insert(id.to_owned(), end.clone());
        Ok(end)
    }

    /// Makes a shared entity once. One that is there keeps what it has.
    fn shared(
        &mut self,
        entity_type: &str,
        stix_type: &str,
        key: &str,
        properties: Vec<(String, Value)>,
    ) -> Result<Target, Stop> {
        if let Some(target) = self.shared_targets.get(key) {
            return Ok(target.clone());
        }
        self.room
            .hold(2 * (size_of::<(String, Target)>() + key.len()))?;
        let target = if let Some(entity) = self.view.find_by_key(&self.namespace, key) {
            Target::Id(self.view.entity_id(entity))
        } else {
            let position = self.operations.len();
            self.shared.push(position);
            self.push(Operation::PutEntity {
                entity_type: entity_type.to_owned(),
                classes: Some(kinds::classes(stix_type)),
                namespace: self.namespace.clone(),
                key: key.to_owned(),
                properties,
                aliases: Vec::new(),
                mode: PutMode::Upsert,
            })?;
            Target::Result(position)
        };
        self.shared_targets.insert(key.to_owned(), target.clone());
        Ok(target)
    }
}
