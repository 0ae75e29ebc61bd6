// SPDX-License-Identifier: Apache-2.0
//! Two organizations on one server, and everybody who should not get at the first one.

use durward_testkit::{Client, Options, Server};
use serde_json::{Value, json};

use crate::common::tokens::{self, key, policy};
use crate::common::{self, JUPITERONE, NATIVE, OPENCTI, SONRAI, data, ok};

/// In everything that belongs to the first organization.
pub const MARK: &str = "harbourmark";
/// In everything of it that the key with a row condition must not show.
pub const HIDDEN: &str = "reefmark";

const LINK: &str = "mutation L($from: String!, $to: String!, $key: String!) {
  createRelationship(relationshipKey: $key, relationshipType: \"harbour_box_has_harbour_box\",
    relationshipClass: \"HAS\", fromEntityId: $from, toEntityId: $to) { relationship { _id } }
}";

/// Somebody who asks.
pub struct Caller {
    /// Who that is, for messages.
    pub name: &'static str,
    /// With the credential on every request.
    pub client: Client,
}

/// Ids of the first organization.
pub struct Ids {
    /// An entity that the row condition hides.
    pub entity: String,
    /// A relationship with a hidden end.
    pub relationship: String,
    /// A STIX object.
    pub stix: String,
    /// The administrator.
    pub account: String,
    /// A credential.
    pub credential: String,
    /// Name of a Sonrai token of the administrator.
    pub token_srn: String,
    /// An open synchronization job.
    pub job: String,
    /// What Cyral's routes name.
    pub cyral: crate::cyral::Ids,
}

/// The server with both organizations.
pub struct World {
    pub server: Server,
    pub ids: Ids,
    /// Address of the administrator of the first organization, who owns its keys.
    pub address: String,
    /// Callers who are not let in at all.
    pub strangers: Vec<Caller>,
    /// A key of the first organization for one action that nothing here needs.
    pub narrow: Caller,
    /// A key that may read the entities of one team.
    pub conditioned: Caller,
    /// The administrator of the second organization.
    pub foreign: Caller,
}

impl World {
    /// Starts the server and fills it.
    pub fn start() -> Self {
        let address = format!("chief@{MARK}-{HIDDEN}.example");
        let mut server = Server::start(Options {
            organization: format!("{MARK} {HIDDEN}"),
            admin: address.clone(),
            ..common::options()
        })
        .unwrap();
        let second = common::second_organization(&mut server, "Elsewhere");
        let chief = common::jupiterone(&server);
        let ids = fill(&server, &chief);
        let bearer = |token: &str| server.anonymous().with_token(token);
        let second_key = second.jupiterone().1.to_owned();
        let strangers = strangers(&server, &chief, &second_key);
        let one_action = policy(&json!({"actions": ["settings:GetSettings"]}));
        let narrow = key(&chief, "narrow", &one_action, None);
        let condition = json!({"actions": ["query:ReadGraphData"],
            "condition": {"stringEquals": {"team": "blue"}}});
        let conditioned = key(&chief, "conditioned", &policy(&condition), None);
        Self {
            narrow: Caller {
                name: "narrow",
                client: bearer(&narrow.1),
            },
            conditioned: Caller {
                name: "conditioned",
                client: bearer(&conditioned.1),
            },
            foreign: Caller {
                name: "foreign",
                client: bearer(second.api_token()),
            },
            ids,
            address,
            strangers,
            server,
        }
    }

    /// The id that an argument of a root field asks for.
    pub fn id_for(&self, field: &str, argument: &str) -> String {
        let ids = &self.ids;
        let is_stix = field.to_lowercase().contains("stix");
        match (field, argument) {
            ("suspendAccount" | "resumeAccount" | "account", _) => &ids.account,
            ("revokeCredential" | "revokeToken", _) => &ids.credential,
            ("DeleteSonraiUserToken", _) => &ids.token_srn,
            ("relationship" | "edge", _) | (_, "relationshipId") => &ids.relationship,
            _ if is_stix => &ids.stix,
            _ => &ids.entity,
        }
        .clone()
    }

    /// What of the first organization callers could have changed.
    pub fn state(&self) -> Value {
        let chief = self.server.client();
        let texts = [
            (
                JUPITERONE,
                "{ tokens(limit: 100) { items { id revoked name } } }",
            ),
            (
                NATIVE,
                "{ accounts { nodes { id email active } } organization { name } }",
            ),
            (
                NATIVE,
                "{ organization { entityCount relationshipCount } types { name count } }",
            ),
            (OPENCTI, "{ intrusionSets { pageInfo { globalCount } } }"),
            (SONRAI, "{ SonraiUserTokens { items { srn name } } }"),
        ];
        let parts = texts.map(|(path, text)| data(&chief, path, text, &json!({})));
        let boxes = common::rows(
            &chief,
            "FIND harbour_box AS x RETURN x.displayName, x.team, x.note ORDER BY x.displayName",
        );
        let job = ok(chief
            .get(&format!("{}/{}", common::JOBS, self.ids.job))
            .unwrap());
        let cyral = crate::cyral::state(&chief, &self.ids.cyral);
        json!({"parts": parts, "boxes": boxes, "job": job, "cyral": cyral})
    }
}

fn fill(server: &Server, chief: &Client) -> Ids {
    let one = |key: &str, team: &str| {
        let name = format!("{MARK} {key}");
        let properties = json!({"displayName": name, "team": team, "note": name});
        common::create(
            chief,
            &format!("{MARK}-{key}"),
            "harbour_box",
            "Host",
            &properties,
        )
    };
    let blue = one("blue", "blue");
    let entity = one(&format!("{HIDDEN}-red"), "red");
    cloud(chief);
    let link = json!({"from": blue, "to": entity, "key": format!("{MARK}-{HIDDEN}-link")});
    let made = data(chief, JUPITERONE, LINK, &link);
    let id = made
        .pointer("/createRelationship/relationship/_id")
        .and_then(Value::as_str);
    let bundle = json!({"type": "bundle", "id": "bundle--6a1c5b52-30f5-4c4b-9d0a-0d6a1a7b0c11",
        "objects": [{"type": "intrusion-set", "spec_version": "2.1",
            "id": "intrusion-set--0d7a8f2e-6c7e-4b0e-9a38-0c5f3d1e2b44",
            "created": "2026-01-01T00:00:00.000Z", "modified": "2026-01-01T00:00:00.000Z",
            "name": format!("{MARK} {HIDDEN} crew")}]});
    let report = ok(server.client().post("/import/stix", &bundle).unwrap());
    assert_eq!(report["created"], 1, "{report}");
    let id_of = |query: &str| {
        let rows = common::rows(chief, query);
        rows[0]["id"].as_str().unwrap().to_owned()
    };
    let stix = id_of("FIND intrusion_set AS x RETURN x._id AS id");
    let account = id_of("FIND account AS x RETURN x._id AS id");
    let tokens = data(
        &server.client(),
        SONRAI,
        "{ SonraiUserTokens { items { srn } } }",
        &json!({}),
    );
    let token_srn = tokens["SonraiUserTokens"]["items"][0]["srn"].as_str();
    Ids {
        entity,
        relationship: id.unwrap().to_owned(),
        stix,
        account,
        token_srn: token_srn.unwrap().to_owned(),
        credential: key(chief, HIDDEN, &tokens::allow_all(), None).0,
        job: common::start_job(chief, &format!("{MARK}-{HIDDEN}"), "DIFF"),
        cyral: crate::cyral::fill(server),
    }
}

/// Things of a cloud, all of them hidden by the row condition.
fn cloud(chief: &Client) {
    let kinds = [
        ("aws_iam_user", "User"),
        ("aws_iam_role", "AccessRole"),
        ("aws_iam_group", "UserGroup"),
        ("aws_iam_policy", "AccessPolicy"),
        ("aws_account", "Account"),
    ];
    for (kind, class) in kinds {
        let name = format!("{MARK} {HIDDEN} {kind}");
        let properties = json!({"displayName": name, "name": name, "srn": name, "team": "red",
            "scope": name, "policyJson": name});
        common::create(
            chief,
            &format!("{MARK}-{HIDDEN}-{kind}"),
            kind,
            class,
            &properties,
        );
    }
}

fn strangers(server: &Server, chief: &Client, second_key: &str) -> Vec<Caller> {
    let account = server.credentials().jupiterone().0;
    let real = server.credentials().api_token();
    let bearer = |token: &str| server.anonymous().with_token(token);
    let with = |name: &'static str, client: Client| Caller { name, client };
    vec![
        with("anonymous", server.anonymous()),
        with(
            "another organization",
            bearer(second_key).with_header("JupiterOne-Account", account),
        ),
        with("expired", bearer(&tokens::expired(chief, MARK))),
        with("revoked", bearer(&tokens::revoked(chief, MARK))),
        with("alg none", bearer(&tokens::unsigned(real))),
        with("tampered", bearer(&tokens::tampered(real))),
        with("no token at all", bearer("x")),
        with(
            "basic",
            server
                .anonymous()
                .with_header("authorization", "Basic YTpi"),
        ),
    ]
}
