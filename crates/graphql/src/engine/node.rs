// SPDX-License-Identifier: Apache-2.0
//! What a dialect answers with: values, objects, lists and errors.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use super::lookahead::Lookahead;
use super::plan::{FieldPlan, Scope};

/// A JSON object: arguments, variables, error data.
pub type JsonMap = serde_json::Map<String, Value>;

/// An error of one field. It reaches the client, so its text must be safe for the client.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldError {
    /// Goes to `extensions.code`.
    pub code: Cow<'static, str>,
    /// One clear sentence.
    pub message: String,
    /// Goes to the member `name` of the error, which only some dialects have.
    pub name: Option<Cow<'static, str>>,
    /// Goes to `extensions.data`; null leaves it out.
    pub data: Box<Value>,
}

impl FieldError {
    /// An error with a code and a message.
    pub fn new(code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
            name: None,
            data: Box::default(),
        }
    }

    /// The error of a field that the contract has and this build does not serve.
    pub fn unsupported(field: &str) -> Self {
        Self::new("NOT_SUPPORTED", format!("`{field}` is not supported"))
    }

    /// The same error with `data`.
    #[must_use]
    pub fn with_data(mut self, data: Value) -> Self {
        self.data = Box::new(data);
        self
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for FieldError {}

/// One value of an answer. `C` is the context of the dialect; the lifetime lets values borrow from
/// the object that they come from, and from the context.
pub enum Node<'a, C> {
    /// Null.
    Null,
    /// A boolean.
    Boolean(bool),
    /// An integer.
    Int(i64),
    /// A number. Infinite ones and those that are no number fail the field.
    Float(f64),
    /// A text.
    Text(Cow<'a, str>),
    /// JSON text that is written as it is where a custom scalar is declared.
    Raw(Cow<'a, [u8]>),
    /// A JSON value. Lists and objects are followed where the contract declares such types.
    Json(Cow<'a, Value>),
    /// An object, asked field by field.
    Object(Handle<'a, C>),
    /// A list.
    List(Vec<Node<'a, C>>),
    /// A list whose items stand for themselves: one that fails, or is null where that is not
    /// allowed, is left out and named among the errors, and its neighbours stay.
    Rows(Vec<Node<'a, C>>),
    /// A list whose items are made one by one while they are written.
    Lazy(Box<dyn Iterator<Item = Node<'a, C>> + Send + 'a>),
    /// An error in the place of a value, so that one item of a list can fail alone.
    Failed(Box<FieldError>),
}

impl<'a, C> Node<'a, C> {
    /// A text, borrowed or owned.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// A text, or null.
    pub fn optional_text(text: Option<impl Into<Cow<'a, str>>>) -> Self {
        text.map_or(Self::Null, Self::text)
    }

    /// A JSON value that the node owns.
    pub fn json(value: Value) -> Self {
        Self::Json(Cow::Owned(value))
    }

    /// A JSON value that lives elsewhere.
    pub fn json_ref(value: &'a Value) -> Self {
        Self::Json(Cow::Borrowed(value))
    }

    /// An object that the node owns.
    pub fn object(object: impl Object<C> + 'a) -> Self {
        Self::Object(Handle::Owned(Box::new(object)))
    }

    /// An object that lives elsewhere.
    pub fn object_ref(object: &'a dyn Object<C>) -> Self {
        Self::Object(Handle::Borrowed(object))
    }

    /// An object that is shared with others.
    pub fn shared(object: Arc<dyn Object<C>>) -> Self {
        Self::Object(Handle::Shared(object))
    }

    /// A list whose items are made one by one while they are written.
    pub fn lazy(items: impl Iterator<Item = Node<'a, C>> + Send + 'a) -> Self {
        Self::Lazy(Box::new(items))
    }

    /// An error in the place of a value.
    pub fn failed(error: FieldError) -> Self {
        Self::Failed(Box::new(error))
    }

    /// A list of items that stand for themselves.
    pub fn rows(items: impl IntoIterator<Item = Node<'a, C>>) -> Self {
        Self::Rows(items.into_iter().collect())
    }

    /// A list of what an iterator gives.
    pub fn list(items: impl IntoIterator<Item = Node<'a, C>>) -> Self {
        Self::List(items.into_iter().collect())
    }
}

impl<C> fmt::Debug for Node<'_, C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => formatter.write_str("Null"),
            Self::Boolean(value) => write!(formatter, "Boolean({value})"),
            Self::Int(value) => write!(formatter, "Int({value})"),
            Self::Float(value) => write!(formatter, "Float({value})"),
            Self::Text(value) => write!(formatter, "Text({value:?})"),
            Self::Raw(value) => write!(formatter, "Raw({} bytes)", value.len()),
            Self::Json(value) => write!(formatter, "Json({value})"),
            Self::Object(handle) => handle.fmt(formatter),
            Self::List(items) | Self::Rows(items) => formatter.debug_list().entries(items).finish(),
            Self::Lazy(_) => formatter.write_str("Lazy"),
            Self::Failed(error) => write!(formatter, "Failed({error})"),
        }
    }
}

/// A way to hold an object.
pub enum Handle<'a, C> {
    /// Lives elsewhere.
    Borrowed(&'a dyn Object<C>),
    /// Lives as long as the handle.
    Owned(Box<dyn Object<C> + 'a>),
    /// Shared with others.
    Shared(Arc<dyn Object<C>>),
}

impl<'a, C> Handle<'a, C> {
    /// The object.
    pub fn get(&self) -> &(dyn Object<C> + 'a) {
        match self {
            Self::Borrowed(object) => *object,
            Self::Owned(object) => &**object,
            Self::Shared(object) => &**object,
        }
    }
}

impl<C> fmt::Debug for Handle<'_, C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Object({})", self.get().type_name())
    }
}

/// A thing with fields.
pub trait Object<C>: Send + Sync {
    /// The object type of the contract that this thing has; decides which fragments apply.
    fn type_name(&self) -> &str;

    /// The value of one field. `__typename` is never asked here.
    fn field<'a>(&'a self, call: &Call<'a, C>) -> Result<Node<'a, C>, FieldError>;

    /// What to answer instead of a value that could not be written: it was null where that is not
    /// allowed, or of another kind than the contract declares. `None` leaves the error.
    fn instead<'a>(&'a self, _call: &Call<'a, C>) -> Option<Node<'a, C>> {
        None
    }
}

/// One field that is to be resolved.
pub struct Call<'a, C> {
    /// The context of the request.
    pub context: &'a C,
    /// The planned field.
    pub field: &'a FieldPlan,
    /// The arguments after coercion: defaults put in, variables replaced, lists made of single
    /// values, unknown names refused.
    pub arguments: &'a JsonMap,
    pub(super) scope: Scope<'a>,
}

impl<C> Clone for Call<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C> Copy for Call<'_, C> {}

impl<'a, C> Call<'a, C> {
    /// The name of the field in the contract.
    pub fn name(&self) -> &'a str {
        self.field.name()
    }

    /// An argument; null counts as absent.
    pub fn argument(&self, name: &str) -> Option<&'a Value> {
        self.arguments.get(name).filter(|value| !value.is_null())
    }

    /// An argument that is a text.
    pub fn text_argument(&self, name: &str) -> Option<&'a str> {
        self.argument(name).and_then(Value::as_str)
    }

    /// An argument that is an integer.
    pub fn int_argument(&self, name: &str) -> Option<i64> {
        self.argument(name).and_then(Value::as_i64)
    }

    /// An argument that is a boolean.
    pub fn bool_argument(&self, name: &str) -> Option<bool> {
        self.argument(name).and_then(Value::as_bool)
    }

    /// Whether the field is written with directives.
    pub fn has_directives(&self) -> bool {
        self.field.has_directives()
    }

    /// The arguments of each directive of a name on this field, in the order of the document.
    ///
    /// # Errors
    /// When a variable does not fit.
    pub fn directives(&self, name: &str) -> Result<Vec<JsonMap>, FieldError> {
        let found = self.field.directives_for(self.scope, name);
        found.map_err(|message| FieldError::new("BAD_USER_INPUT", message))
    }

    /// What is selected below this field.
    pub fn lookahead(&self) -> Lookahead<'a> {
        Lookahead::new(self.scope, self.field)
    }
}

impl<C> fmt::Debug for Call<'_, C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Call")
            .field("field", &self.field.name())
            .field("arguments", &self.arguments)
            .finish_non_exhaustive()
    }
}

/// A JSON map as an object of a named type: a field is the member of its name, absent is null.
#[derive(Clone, Debug)]
pub struct JsonObject<'j> {
    type_name: Cow<'j, str>,
    members: Cow<'j, JsonMap>,
}

impl<'j> JsonObject<'j> {
    /// An object that owns its members.
    pub fn new(type_name: impl Into<Cow<'j, str>>, members: JsonMap) -> Self {
        Self {
            type_name: type_name.into(),
            members: Cow::Owned(members),
        }
    }

    /// An object over members that live elsewhere.
    pub fn borrowed(type_name: impl Into<Cow<'j, str>>, members: &'j JsonMap) -> Self {
        Self {
            type_name: type_name.into(),
            members: Cow::Borrowed(members),
        }
    }
}

impl<C> Object<C> for JsonObject<'_> {
    fn type_name(&self) -> &str {
        &self.type_name
    }

    fn field<'a>(&'a self, call: &Call<'a, C>) -> Result<Node<'a, C>, FieldError> {
        Ok(self
            .members
            .get(call.name())
            .map_or(Node::Null, Node::json_ref))
    }
}
