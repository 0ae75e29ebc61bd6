// SPDX-License-Identifier: Apache-2.0
//! The core as the handlers use it: objects by their hexadecimal ids, and changes that read an
//! object, work out its new properties and write them, without losing anybody else's change.

use durward_access::access::Sight;
use durward_access::{
    Access, AccessError, Kind, NewObject, Object, ObjectChange, Properties, reader,
};
use durward_graph::ObjectRef;
use durward_graph::store::{Operation, Target};
use durward_identity::{Caller, IdentityError, Planned};
use durward_model::{ErrorKind, ObjectId, Value};
use durward_policy::Action;
use durward_vault::random;
use serde_json::Value as Json;

use crate::error::ApiError;
use crate::fields;

/// How often a change is tried when others change the same object meanwhile.
const TRIES_MAX: usize = 8;

/// The core, for one caller.
#[derive(Clone, Copy)]
pub(crate) struct Core<'a> {
    pub(crate) access: &'a Access,
    pub(crate) caller: &'a Caller,
    /// What the route asks for.
    pub(crate) action: Action,
}

impl Core<'_> {
    /// All objects of a kind that the caller may see, in order of creation.
    pub(crate) fn list(&self, kind: Kind) -> Result<Vec<Object>, ApiError> {
        let view = self.access.view(None);
        let all = self.access.list(self.caller, &view, kind)?.into_iter();
        Ok(all
            .map(|object| Object::read(&view, kind, object))
            .collect())
    }

    /// The object of an id as this dialect writes it. Whether it may be seen was decided with the
    /// route: some routes look at a part of an object that has a permission of its own.
    pub(crate) fn get(&self, kind: Kind, id: &str) -> Result<Object, ApiError> {
        let view = self.access.view(None);
        let found = ObjectId::parse_hex(id).and_then(|id| reader::find(&view, kind, id));
        let sight = Sight::of(self.caller, &view);
        match found.filter(|object| sight.sees(*object)) {
            Some(object) => Ok(Object::read(&view, kind, object)),
            None => Err(absent(kind, id)),
        }
    }

    pub(crate) fn create(&self, kind: Kind, properties: Properties) -> Result<Object, ApiError> {
        self.create_new(NewObject::entity(kind, properties))
    }

    pub(crate) fn create_new(&self, new: NewObject) -> Result<Object, ApiError> {
        let kind = new.kind;
        match self.access.create(self.caller, new) {
            Ok(created) => Ok(created.object),
            Err(error) => Err(named(kind, error)),
        }
    }

    /// Changes an object by what `work` makes of it as it is; again when somebody else was faster.
    pub(crate) fn change<T>(
        &self,
        kind: Kind,
        id: &str,
        mut work: impl FnMut(&Object) -> Result<(ObjectChange, T), ApiError>,
    ) -> Result<T, ApiError> {
        let mut tries = 1;
        loop {
            let before = self.get(kind, id)?;
            let (mut change, result) = work(&before)?;
            change.expected_version = Some(before.version);
            match self.access.update(self.caller, kind, before.id, change) {
                Ok(_) => return Ok(result),
                Err(error) if error.kind() == ErrorKind::Conflict && tries < TRIES_MAX => {
                    tries += 1;
                }
                Err(error) => return Err(named(kind, error)),
            }
        }
    }

    /// Writes what no command of the access is for. The action is that of the route; the caller is
    /// judged again where it is written.
    pub(crate) fn write(&self, activity: &str, operations: Vec<Operation>) -> Result<(), ApiError> {
        let (action, activity) = (self.action, activity.to_owned());
        let written = self.caller.commit(move |caller, _| {
            caller.require_action(action)?;
            let origin = caller.origin(&activity);
            Ok::<_, IdentityError>(Planned::core(origin, operations, ()))
        });
        Ok(written.map(|_| ())?)
    }

    /// Sets one document of an object whose permission is another than the object's own.
    pub(crate) fn set_document(
        &self,
        kind: Kind,
        id: &str,
        activity: &str,
        (name, document): (&str, Json),
    ) -> Result<(), ApiError> {
        let before = self.get(kind, id)?;
        let value = if document.is_null() {
            Value::Null
        } else {
            Value::Document(document.into())
        };
        let patch = Operation::PatchEntity {
            target: Target::Id(before.id),
            set: vec![(name.to_owned(), value)],
            classes: None,
            expected_version: None,
        };
        self.write(activity, vec![patch])
    }

    pub(crate) fn delete(&self, kind: Kind, id: &str) -> Result<Object, ApiError> {
        let found = self.get(kind, id)?;
        Ok(self.access.delete(self.caller, kind, found.id)?)
    }
}

/// A change of properties only.
pub(crate) fn changing(properties: Properties) -> ObjectChange {
    ObjectChange {
        properties,
        ..ObjectChange::default()
    }
}

/// A change of one document; null takes it away.
pub(crate) fn setting(name: &str, document: Json) -> ObjectChange {
    let value = if document.is_null() {
        Value::Null
    } else {
        Value::Document(document.into())
    };
    changing(Properties::from([(name.to_owned(), value)]))
}

/// A document of an object; `None` when there is none.
pub(crate) fn document<'a>(object: &'a Object, name: &str) -> Option<&'a Json> {
    match object.properties.get(name) {
        Some(Value::Document(document)) => Some(document),
        _ => None,
    }
}

/// A document that is a list of objects; empty when there is none.
pub(crate) fn entries(object: &Object, name: &str) -> Vec<fields::Object> {
    let items = document(object, name).and_then(Json::as_array);
    let items = items.map(Vec::as_slice).unwrap_or_default();
    items
        .iter()
        .filter_map(|item| item.as_object().cloned())
        .collect()
}

/// A list of texts; empty when there is none.
pub(crate) fn texts(object: &Object, name: &str) -> Vec<String> {
    match object.properties.get(name) {
        Some(Value::List(items)) => {
            let texts = items.iter().filter_map(Value::as_str);
            texts.map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// A list property.
pub(crate) fn list_value(texts: Vec<String>) -> Value {
    Value::List(texts.into_iter().map(Value::String).collect())
}

/// A new id of something that lives inside an object.
pub(crate) fn new_id() -> Result<String, ApiError> {
    random::hex::<8>().map_err(|error| {
        tracing::error!(%error, "no random id");
        ApiError::new(ErrorKind::Internal, "an internal error occurred")
    })
}

/// An error from below; a name that is taken in the words of this dialect.
fn named(kind: Kind, error: AccessError) -> ApiError {
    if error.kind() == ErrorKind::AlreadyExists {
        let message = format!("a {} with this name already exists", kind.cyral_noun());
        return ApiError::new(ErrorKind::AlreadyExists, message);
    }
    error.into()
}

/// No such object; clients look for the words at the start.
fn absent(kind: Kind, id: &str) -> ApiError {
    let shown: String = id.chars().take(64).collect();
    let sentence = format!("there is no {} {shown:?}", kind.cyral_noun());
    ApiError::not_found(match kind.entry().cyral.missing.as_str() {
        "" => sentence,
        begin => format!("{begin}: {sentence}"),
    })
}

impl Core<'_> {
    /// Whether an object of this kind and id is there for the caller.
    pub(crate) fn has(&self, kind: Kind, id: &str) -> bool {
        self.get(kind, id).is_ok()
    }

    /// The living entity of the caller's own account.
    pub(crate) fn own_account(&self) -> Option<ObjectRef> {
        self.access.view(None).resolve(self.caller.account()?)
    }
}
