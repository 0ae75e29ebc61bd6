// SPDX-License-Identifier: Apache-2.0
//! Objects of the graph as messages, for answers, lists and histories.

use durward_access::{Kind, Object};
use durward_graph::{EdgeRef, EntityRef, View};
use durward_identity::{Caller, CredentialKind, CredentialSummary};
use durward_policy::Vocabulary;

use super::token;
use crate::codec::Codec;
use crate::mapping::computed;

/// Makes messages of objects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown<'s> {
    codec: &'s Codec,
    /// The noun that they are messages of, where it is not the usual one of their kind.
    noun: Option<&'static str>,
}

impl<'s> Shown<'s> {
    pub(crate) fn new(codec: &'s Codec) -> Self {
        Self { codec, noun: None }
    }

    /// Makes messages of a noun: one of a kind may have an older name.
    pub(crate) fn as_noun(codec: &'s Codec, noun: &'static str) -> Self {
        Self {
            codec,
            noun: Some(noun),
        }
    }

    /// The message of an object that was read from `view`; `None` when StrongDM cannot show it.
    pub(crate) fn object(self, view: &View, mut object: Object) -> Option<Vec<u8>> {
        if !computed::complete(self.codec, view, &mut object) {
            return None;
        }
        let usual = || object.kind.strongdm().map(|name| name.noun.as_str());
        let noun = self.codec.noun(self.noun.or_else(usual)?)?;
        noun.encode(&(&object).into())
    }

    /// The message of an entity: a core object, or a credential that is a token and that the
    /// caller may see.
    pub(crate) fn entity(self, caller: &Caller, view: &View, entity: EntityRef) -> Option<Vec<u8>> {
        match Kind::of_type(view.type_name(entity.type_id)) {
            Some(kind) => self.object(view, Object::of_entity(view, kind, entity)),
            None => self.token(&seen_token(caller, view, entity)?),
        }
    }

    /// The message of a relationship.
    pub(crate) fn edge(self, view: &View, kind: Kind, edge: EdgeRef) -> Option<Vec<u8>> {
        self.object(view, Object::of_edge(view, kind, edge))
    }

    /// The message of a token.
    pub(crate) fn token(self, known: &CredentialSummary) -> Option<Vec<u8>> {
        let noun = self.codec.noun("Account")?;
        let properties = token::properties(known);
        noun.encode(&token::item(known, &properties))
    }
}

fn seen_token(caller: &Caller, view: &View, entity: EntityRef) -> Option<CredentialSummary> {
    let id = view.entity_id(entity);
    let organization = caller.organization();
    let known = organization.credential_in(caller, view, id).ok()?;
    is_token(&known).then_some(known)
}

/// Whether a credential is what StrongDM calls a token. One that was revoked elsewhere is gone.
pub(crate) fn is_token(known: &CredentialSummary) -> bool {
    known.kind == CredentialKind::StrongdmKey && !known.revoked
}

/// The permission keys among the rights of a token.
pub(super) fn permission_keys(known: &CredentialSummary) -> Vec<&'static str> {
    Vocabulary::StrongDm.words_of(&known.rights)
}
