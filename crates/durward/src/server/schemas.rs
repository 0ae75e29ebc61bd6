// SPDX-License-Identifier: Apache-2.0
//! The GraphQL schemas that the server answers.

use durward_budget::Share;
use durward_dialect_jupiterone::JupiterOne;
use durward_dialect_native::Native;
use durward_dialect_opencti::OpenCti;
use durward_dialect_sonrai::Sonrai;
use durward_graphql::GraphQl;
use durward_graphql::engine::SchemaError;

/// All schemas; where nothing tells whom a client wants, Durward's own answers.
///
/// # Errors
/// When a contract is not valid, which a test excludes.
pub(crate) fn all(caches: &Share) -> Result<GraphQl, SchemaError> {
    GraphQl::new(Native, caches)?
        .with(JupiterOne)?
        .with(OpenCti)?
        .with(Sonrai)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use durward_budget::Budget;
    use durward_graphql::engine::decode;
    use serde_json::json;

    use super::*;

    #[test]
    fn writes_take_no_thread_while_they_wait() {
        let caches = Budget::unlimited().caches();
        let graphql = all(&caches).unwrap();
        let jupiterone = graphql.named("jupiterone").unwrap();
        let told = |document: &str| {
            let body = json!({ "query": document }).to_string();
            let payload = decode(body.as_bytes(), &caches.lease()).unwrap();
            let is_quick = graphql.is_quick(&**jupiterone, &payload);
            (is_quick, graphql.is_write(&payload))
        };
        let write = "createEntity(entityKey:\"k\",entityType:\"t\",entityClass:[\"Record\"])";
        assert_eq!(
            told(&format!("mutation{{{write}{{vertex{{id}}}}}}")),
            (true, true)
        );
        let deep = format!("{write}{{vertex{{entity{{_id}}}}}}");
        assert_eq!(told(&format!("mutation{{{deep}}}")), (false, true));
        let many = format!("{write}{{vertex{{id}}}}");
        let many = ["a:", "b:"].map(|alias| format!("{alias}{many}")).concat();
        let many = many.repeat(16);
        assert_eq!(told(&format!("mutation{{{many}}}")), (false, true));
        assert_eq!(told("{iamGetAccount{id}}"), (true, false));
        assert_eq!(told("{listVerticesV2{vertices{id}}}"), (false, false));
        assert_eq!(told("{"), (true, false), "it is refused");
    }

    #[test]
    fn the_owner_of_the_first_root_field_answers() {
        let caches = Budget::unlimited().caches();
        let graphql = all(&caches).unwrap();
        let chosen = |document: &str, hint: &str| {
            let body = json!({ "query": document }).to_string();
            let payload = decode(body.as_bytes(), &caches.lease()).unwrap();
            let hinted = graphql.named(hint).unwrap();
            graphql.choose(&payload, hinted).name()
        };
        assert_eq!(chosen("{iamGetAccount{id}}", "durward"), "jupiterone");
        assert_eq!(
            chosen("{intrusionSets{edges{node{id}}}}", "sonrai"),
            "opencti"
        );
        assert_eq!(chosen("{SonraiUsers{items{srn}}}", "durward"), "sonrai");
        assert_eq!(chosen("{organization{id}}", "opencti"), "durward");
        // Nobody owns it: the client's own dialect says so.
        assert_eq!(chosen("{nobody}", "opencti"), "opencti");
        assert_eq!(chosen("{", "durward"), "durward");
    }
}
