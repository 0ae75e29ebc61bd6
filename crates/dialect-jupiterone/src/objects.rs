// SPDX-License-Identifier: Apache-2.0
//! Entities and relationships in JupiterOne's JSON shapes.

use std::collections::BTreeSet;

use durward_graph::{EdgeRef, EntityRef, View};
use durward_model::{Namespace, Value};
use serde_json::{Map, Value as Json, json};

/// UUID of an entity.
pub(super) fn entity_id(view: &View, entity: EntityRef) -> String {
    view.id_cipher().uuid_of(view.entity_id(entity))
}

/// UUID of a relationship.
pub(super) fn edge_id(view: &View, edge: EdgeRef) -> String {
    view.id_cipher().uuid_of(view.edge_id(edge))
}

/// `{id, entity, properties}` of an entity.
pub(super) fn vertex(view: &View, account: &str, entity: EntityRef) -> Json {
    let id = entity_id(view, entity);
    let namespace = view.namespace(entity);
    let ended = view.ended_at(entity);
    let classes: Vec<&str> = view
        .classes(entity)
        .into_iter()
        .map(|class| view.class_name(class))
        .collect();
    let mut core = Map::from_iter([
        ("_id".to_owned(), Json::from(id.as_str())),
        ("_key".to_owned(), view.key(entity).into()),
        ("_type".to_owned(), json!([view.type_name(entity.type_id)])),
        ("_class".to_owned(), classes.into()),
        ("_version".to_owned(), view.version(entity).into()),
        (
            "_createdOn".to_owned(),
            view.created_at(entity).as_millis().into(),
        ),
        (
            "_beginOn".to_owned(),
            view.updated_at(entity).as_millis().into(),
        ),
        ("_deleted".to_owned(), ended.is_some().into()),
        (
            "_endOn".to_owned(),
            ended.map(durward_model::Instant::as_millis).into(),
        ),
    ]);
    add_namespace(&mut core, account, &namespace);
    let mut properties = Map::new();
    for (property, value) in view.entity_properties(entity) {
        let name = view.property_name(property);
        let target = if name == "displayName" {
            &mut core
        } else {
            &mut properties
        };
        target.insert(name.to_owned(), value.to_json());
    }
    json!({"id": id, "entity": core, "properties": properties})
}

/// `{id, fromVertexId, toVertexId, relationship, properties}` of a relationship.
pub(super) fn edge(view: &View, account: &str, edge: EdgeRef) -> Json {
    let id = edge_id(view, edge);
    let verb = view
        .triple(edge.triple)
        .map_or("", |triple| view.verb_name(triple.verb));
    let ends = view.edge_ends(edge);
    let end = |end: Option<EntityRef>| {
        let entity = end.filter(|end| end.type_id != durward_graph::TypeId::RELATIONSHIP);
        entity.map(|entity| entity_id(view, entity))
    };
    let (from, to) = (end(ends.map(|ends| ends.0)), end(ends.map(|ends| ends.1)));
    let ended = view.edge_ended_at(edge);
    let mut core = Map::from_iter([
        ("_id".to_owned(), Json::from(id.as_str())),
        ("_key".to_owned(), view.edge_key(edge).into()),
        ("_type".to_owned(), view.edge_type(edge).into()),
        ("_class".to_owned(), verb.into()),
        ("_fromEntityId".to_owned(), from.clone().into()),
        ("_toEntityId".to_owned(), to.clone().into()),
        ("_version".to_owned(), view.edge_version(edge).into()),
        (
            "_createdOn".to_owned(),
            view.edge_created_at(edge).as_millis().into(),
        ),
        (
            "_beginOn".to_owned(),
            view.edge_updated_at(edge).as_millis().into(),
        ),
        ("_deleted".to_owned(), ended.is_some().into()),
        (
            "_endOn".to_owned(),
            ended.map(durward_model::Instant::as_millis).into(),
        ),
        ("displayName".to_owned(), verb.into()),
    ]);
    add_namespace(&mut core, account, &view.edge_namespace(edge));
    let mut properties = Map::new();
    for (property, value) in view.edge_properties(edge) {
        let name = view.property_name(property);
        let target = if name == "displayName" {
            &mut core
        } else {
            &mut properties
        };
        target.insert(name.to_owned(), value.to_json());
    }
    json!({
        "id": id, "fromVertexId": from, "toVertexId": to, "relationship": core,
        "properties": properties,
    })
}

fn add_namespace(core: &mut Map<String, Json>, account: &str, namespace: &Namespace) {
    core.insert("_source".to_owned(), namespace.source.as_str().into());
    core.insert("_scope".to_owned(), namespace.scope.as_str().into());
    core.insert("_accountId".to_owned(), account.into());
}

/// Leaves the ids of an object, and what its writer sent.
pub(super) fn keep_sent(object: &mut Json, sent: &BTreeSet<&str>) {
    let ends = [
        ("fromVertexId", "_fromEntityId"),
        ("toVertexId", "_toEntityId"),
    ];
    for (shown, argument) in ends {
        if let Some(end) = object.get_mut(shown).filter(|_| !sent.contains(argument)) {
            *end = Json::Null;
        }
    }
    for part in ["entity", "relationship", "properties"] {
        if let Some(members) = object.get_mut(part).and_then(Json::as_object_mut) {
            members.retain(|name, _| name == "_id" || sent.contains(name.as_str()));
        }
    }
}

/// Properties from a JSON argument; a null value removes a property.
///
/// # Errors
/// A sentence for the client about the first property that cannot be one.
pub(super) fn properties(argument: Option<&Json>) -> Result<Vec<(String, Value)>, String> {
    let members = match argument {
        None | Some(Json::Null) => return Ok(Vec::new()),
        Some(Json::Object(members)) => members,
        Some(_) => return Err("properties must be an object".to_owned()),
    };
    let mut properties = Vec::with_capacity(members.len());
    for (name, json) in members {
        if name.starts_with('_') {
            return Err(format!(
                "property {name:?}: names that begin with _ are reserved"
            ));
        }
        let value =
            Value::from_json(json).map_err(|error| format!("property {name:?}: {error}"))?;
        properties.push((name.clone(), value));
    }
    Ok(properties)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_checked() {
        let good = json!({"a": 1, "b": null, "tag.x": ["y"]});
        let expected = vec![
            ("a".to_owned(), Value::Int(1)),
            ("b".to_owned(), Value::Null),
            ("tag.x".to_owned(), Value::from(vec!["y"])),
        ];
        assert_eq!(properties(Some(&good)), Ok(expected));
        for bad in [
            json!({"_id": "x"}),
            json!({"a": {}}),
            json!({"a": [1, "x"]}),
            json!("x"),
        ] {
            assert!(properties(Some(&bad)).is_err(), "{bad}");
        }
    }
}
