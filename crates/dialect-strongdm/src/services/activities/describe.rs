// SPDX-License-Identifier: Apache-2.0
//! Tells what a transaction did.

use std::collections::BTreeSet;

use durward_access::{Kind, reader, resource_kind};
use durward_catalog::kinds::property;
use durward_catalog::kinds::verb::{ALLOWS, OWNS};
use durward_catalog::{CREDENTIAL, ids};
use durward_graph::{EntityRef, View};
use durward_identity::Organization;
use durward_model::change::{Change, EndType, PatchColumn, Triple};
use durward_model::transaction::Transaction;
use durward_model::{EntityNumber, Instant, ObjectId, ObjectNumber, RelationshipNumber};

use super::verbs::{self, Facts};
use crate::services::history::activity_id;
use crate::services::objects::id_prefix;

/// Most objects that one activity names.
const ENTITIES_MAX: usize = 100;

/// A transaction as StrongDM's clients see it.
#[derive(Debug)]
pub(super) struct Activity {
    pub(super) id: String,
    pub(super) at: Instant,
    pub(super) verb: String,
    pub(super) description: String,
    pub(super) actor: Option<Actor>,
    /// Id, address and name of the actor.
    pub(super) actor_texts: Vec<String>,
    pub(super) entities: Vec<Touched>,
    pub(super) entity_ids: Vec<String>,
    pub(super) entity_types: Vec<String>,
    pub(super) entity_names: Vec<String>,
    /// All of these together.
    pub(super) entity_texts: Vec<String>,
    pub(super) ip_address: String,
    pub(super) user_agent: String,
}

/// Who did it, as they were called then.
#[derive(Debug)]
pub(super) struct Actor {
    pub(super) id: String,
    pub(super) email: String,
    pub(super) first_name: String,
    pub(super) last_name: String,
    pub(super) external_id: String,
}

/// To what it was done, as it was called then.
#[derive(Debug)]
pub(super) struct Touched {
    object: ObjectId,
    pub(super) id: String,
    pub(super) kind: &'static str,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) external_id: String,
}

impl Activity {
    /// The objects that it names.
    pub(super) fn objects(&self) -> impl Iterator<Item = ObjectId> {
        self.entities.iter().map(|entity| entity.object)
    }
}

/// What came of looking at a transaction.
pub(super) struct Described {
    /// `None` when it is of no concern here: data of other kinds, or a mere use of a credential.
    pub(super) activity: Option<Activity>,
    /// How many objects it changed.
    pub(super) changed: usize,
}

/// Tells what a transaction did.
pub(super) fn describe(organization: &Organization, transaction: &Transaction) -> Described {
    let view = organization.store().view(Some(transaction.committed_at));
    let mut looked = Look::default();
    for change in &transaction.changes {
        looked.at(&view, change);
    }
    let activity = activity(&view, transaction, &looked);
    Described {
        activity,
        changed: looked.changed,
    }
}

fn activity(view: &View, transaction: &Transaction, looked: &Look) -> Option<Activity> {
    let origin = &transaction.origin;
    let facts = looked.facts(view, transaction.committed_at);
    let verb = verbs::verb(&origin.activity, &facts)?;
    let entities: Vec<Touched> = looked
        .entities
        .iter()
        .filter_map(|entity| touched(view, *entity))
        .collect();
    let actor = origin.actor.and_then(|actor| actor_at(view, actor));
    let by = actor.as_ref().map_or("the system", |actor| &actor.email);
    let list = |of: fn(&Touched) -> String| entities.iter().map(of).collect::<Vec<String>>();
    let entity_names = list(|entity| entity.name.clone());
    let shown = entity_names
        .iter()
        .take(5)
        .cloned()
        .collect::<Vec<_>>()
        .join(", ");
    let description = match shown.as_str() {
        "" => format!("{verb} by {by}"),
        shown => format!("{verb} by {by}: {shown}"),
    };
    let entity_ids = list(|entity| entity.id.clone());
    let entity_types = list(|entity| entity.kind.to_owned());
    let mut entity_texts = entity_ids.clone();
    entity_texts.extend(entity_types.iter().cloned());
    entity_texts.extend(entity_names.iter().cloned());
    entity_texts.extend(entities.iter().map(|entity| entity.email.clone()));
    let actor_texts = actor.as_ref().map_or_else(Vec::new, |actor| {
        let name = format!("{} {}", actor.first_name, actor.last_name);
        vec![
            actor.id.clone(),
            actor.email.clone(),
            name.trim().to_owned(),
        ]
    });
    Some(Activity {
        id: activity_id(transaction.sequence.0),
        at: transaction.committed_at,
        verb,
        description,
        actor,
        actor_texts,
        entities,
        entity_ids,
        entity_types,
        entity_names,
        entity_texts,
        ip_address: origin.source_address.clone(),
        user_agent: origin.user_agent.clone(),
    })
}

fn actor_at(view: &View, id: ObjectId) -> Option<Actor> {
    let ObjectNumber::Entity(number) = view.id_cipher().number_of(id)? else {
        return None;
    };
    let entity = view.entity_of(number)?;
    let text = |property| reader::text(view, entity, property);
    let email = match text(property::EMAIL) {
        email if email.is_empty() => text(property::DISPLAY_NAME),
        email => email,
    };
    Some(Actor {
        id: ids::prefixed(Kind::USER.prefix(), id),
        email,
        first_name: text(property::FIRST_NAME),
        last_name: text(property::LAST_NAME),
        external_id: text(property::EXTERNAL_ID),
    })
}

/// Type of an entity in StrongDM's words and what its ids begin with; `None` for other data.
fn word(entity_type: &str) -> Option<(&'static str, &'static str)> {
    if entity_type == CREDENTIAL {
        return Some((CREDENTIAL, id_prefix(&Kind::ACCOUNTS)));
    }
    let name = Kind::of_type(entity_type)?.strongdm()?;
    Some((&name.word, &name.prefix))
}

fn touched(view: &View, entity: EntityRef) -> Option<Touched> {
    let (kind, prefix) = word(view.type_name(entity.type_id))?;
    let object = view.entity_id(entity);
    let text = |property| reader::text(view, entity, property);
    Some(Touched {
        object,
        id: ids::prefixed(prefix, object),
        kind,
        name: text(property::DISPLAY_NAME),
        email: text(property::EMAIL),
        external_id: text(property::EXTERNAL_ID),
    })
}

/// What was found in the changes of a transaction.
#[derive(Default)]
struct Look {
    entities: Vec<EntityRef>,
    columns: BTreeSet<String>,
    patched: Option<EntityRef>,
    changed: usize,
}

impl Look {
    fn at(&mut self, view: &View, change: &Change) {
        match change {
            Change::CreateEntities(batch) => {
                let count = batch.keys.len();
                self.changed += count;
                let first = batch.first.0;
                let numbers = (0..count).map(|at| EntityNumber(first.saturating_add(at as u32)));
                self.add(view, &batch.entity_type, numbers);
            }
            Change::PatchEntities(patch) => {
                self.changed += patch.entities.len();
                self.add(view, &patch.entity_type, patch.entities.iter().copied());
                if word(&patch.entity_type).is_some() {
                    self.patch(&patch.columns);
                    let first = patch.entities.first();
                    self.patched = first.and_then(|number| view.entity_of(*number));
                }
            }
            Change::DeleteEntities {
                entity_type,
                entities,
            } => {
                self.changed += entities.len();
                self.add(view, entity_type, entities.iter().copied());
            }
            Change::CreateRelationships(batch) => {
                self.changed += batch.from.len();
                if is_binding(&batch.triple) {
                    let ends = batch.from.iter().zip(&batch.to);
                    for (from, to) in ends.take(ENTITIES_MAX) {
                        self.add_entity(view.entity_of(EntityNumber(*from)));
                        self.add_entity(view.entity_of(EntityNumber(*to)));
                    }
                }
            }
            Change::DeleteRelationships {
                triple,
                relationships,
            } => {
                self.changed += relationships.len();
                if is_binding(triple) {
                    self.add_ends(view, relationships);
                }
            }
            Change::PatchRelationships(patch) => {
                self.changed += patch.relationships.len();
                if is_binding(&patch.triple) {
                    self.add_ends(view, &patch.relationships);
                }
            }
            Change::AddAlias { .. } | Change::RemoveAlias { .. } => self.changed += 1,
        }
    }

    fn patch(&mut self, columns: &[PatchColumn]) {
        let names = columns.iter().map(|column| column.property.clone());
        self.columns.extend(names);
    }

    fn add(&mut self, view: &View, entity_type: &str, numbers: impl Iterator<Item = EntityNumber>) {
        if word(entity_type).is_none() {
            return;
        }
        for number in numbers.take(ENTITIES_MAX) {
            self.add_entity(view.entity_of(number));
        }
    }

    fn add_ends(&mut self, view: &View, relationships: &[RelationshipNumber]) {
        for number in relationships.iter().take(ENTITIES_MAX) {
            let ends = view.edge_of(*number).and_then(|edge| view.edge_ends(edge));
            if let Some((from, to)) = ends {
                self.add_entity(Some(from));
                self.add_entity(Some(to));
            }
        }
    }

    fn add_entity(&mut self, entity: Option<EntityRef>) {
        let fresh = entity.filter(|entity| !self.entities.contains(entity));
        if self.entities.len() < ENTITIES_MAX {
            self.entities.extend(fresh);
        }
    }

    fn facts(&self, view: &View, at: Instant) -> Facts {
        let mut facts = Facts {
            columns: self.columns.clone(),
            is_core: !self.entities.is_empty(),
            ..Facts::default()
        };
        for entity in &self.entities {
            let text = |property| reader::text(view, *entity, property);
            let type_name = view.type_name(entity.type_id);
            match Kind::of_type(type_name) {
                Some(Kind::SERVICE) => facts.has_service = true,
                Some(Kind::RESOURCE) => {
                    let known = resource_kind::named(&text(property::KIND));
                    facts.category = known.map_or("datasource", crate::filter::category);
                }
                None if type_name == CREDENTIAL => {
                    facts.credential_kind = text(property::KIND);
                    facts.token_type = text("accountType");
                }
                _ => {}
            }
        }
        let role = self
            .patched
            .filter(|entity| reader::is_of_kind(view, *entity, Kind::ROLE));
        if let Some(role) = role.filter(|_| self.columns.contains(RULES)) {
            let before = view.snapshot().view(Some(at.plus_micros(-1)));
            facts.had_rules = has_rules(&reader::text(&before, role, RULES));
            facts.has_rules = has_rules(&reader::text(view, role, RULES));
        }
        facts
    }
}

/// Property of a role with its rules.
const RULES: &str = "accessRules";

fn has_rules(text: &str) -> bool {
    !matches!(text.trim(), "" | "[]" | "{}" | "null")
}

/// Whether relationships of a triple bind accounts and groups to roles, groups and resources. What
/// follows from the rules of roles is left out: the rules tell it.
fn is_binding(triple: &Triple) -> bool {
    let (EndType::Entity(from), EndType::Entity(to)) = (&triple.from, &triple.to) else {
        return false;
    };
    let follows = from == Kind::ROLE.type_name() && triple.verb == ALLOWS;
    let is_owner = triple.verb == OWNS;
    !follows && !is_owner && word(from).is_some() && word(to).is_some()
}
