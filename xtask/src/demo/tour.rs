// SPDX-License-Identifier: Apache-2.0
//! What the demo prints last: credentials, and commands that work when pasted.

use std::path::Path;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::shell::{self, heading};

/// What the printed commands need to know.
pub(crate) struct Tour<'a> {
    pub(crate) binary: String,
    pub(crate) url: String,
    pub(crate) credentials: &'a Value,
    pub(crate) empty_at: String,
    /// An instant at which two contractors still reached the customers' database.
    pub(crate) before: String,
    /// The Python that has StrongDM's SDK, as one would type it.
    pub(crate) python: String,
    pub(crate) has_attack: bool,
}

/// A command, what it is for, and a text that its output must hold.
struct Try {
    what: &'static str,
    command: String,
    expected: &'static str,
}

// The mistakes that these find are described in samples/company/README.md.
const REACH: &str = "FIND UNIQUE Person WITH employmentType = 'contractor' AS p THAT IS User \
    THAT HAS UserGroup THAT ASSIGNED AccessRole THAT ASSIGNED AccessPolicy \
    THAT ALLOWS Database WITH tag.Production = true AS d \
    RETURN p.displayName AS person, d.displayName AS database";
const LEFT: &str = "FIND Person WITH active = false AS p THAT IS User WITH active = true AS u \
    RETURN p.displayName AS person, u.username AS account";
const PUBLIC: &str = "FIND aws_s3_bucket WITH public = true AND classification != 'public' AS b \
    RETURN b.displayName AS bucket, b.classification AS classification";
const TECHNIQUES: &str = "FIND intrusion_set WITH displayName = 'APT29' THAT USES malware AS m \
    THAT USES attack_pattern AS t RETURN t.displayName AS technique, count(m) AS malware \
    ORDER BY malware DESC LIMIT 10";
const FINDINGS: &str = "FIND Finding WITH open = true AS f \
    RETURN f.severity AS severity, count(f) AS findings ORDER BY findings DESC";
const BY_ROLE: &str = "FIND account AS a THAT HAS account_group THAT ASSIGNED access_role AS r \
    THAT ALLOWS Database AS d RETURN a.displayName AS person, r.displayName AS role, \
    d.displayName AS database";
const ME: &str = r#"{"query":"{ me { name user_email } }"}"#;
const HIERARCHY: &str = concat!(
    r#"{"query":"{ CloudHierarchyList { items { name cloudType scope "#,
    r#"parentScope entryType } } }"}"#
);
/// Somebody of the database team.
const MEMBER: &str = "aisling.byrne@meridian-freight.example";
/// Somebody of the sample organization who lost access.
const CONTRACTOR: &str = "neil.strand@meridian-freight.example";
const COUNT: &str = "FIND User AS u RETURN count(u) AS users";

impl Tour<'_> {
    /// Prints the credentials and the commands.
    pub(crate) fn print(&self) -> anyhow::Result<()> {
        heading("credentials (of this demo only, valid for 30 days)");
        let rows = [
            ("administrator", "/admin/email"),
            ("password", "/admin/password"),
            ("API token", "/api_token"),
            ("JupiterOne account", "/jupiterone/account"),
            ("JupiterOne API key", "/jupiterone/api_key"),
            ("OpenCTI token", "/opencti/token"),
            ("Sonrai token", "/sonrai/token"),
            ("StrongDM access key", "/strongdm/access_key"),
            ("StrongDM secret key", "/strongdm/secret_key"),
            ("Cyral client id", "/cyral/client_id"),
            ("Cyral client secret", "/cyral/client_secret"),
        ];
        for (name, pointer) in rows {
            println!("  {name:<20} {}", self.text(pointer)?);
        }
        heading("things to try, each in another terminal at the root of the repository");
        for (number, step) in self.steps()?.iter().enumerate() {
            println!("\n{}. {}\n\n{}", number + 1, step.what, step.command);
        }
        Ok(())
    }

    /// Runs every printed command as a shell would and looks at what it says.
    pub(crate) fn check(&self, root: &Path) -> anyhow::Result<()> {
        heading("every command, as pasted");
        for step in self.steps()? {
            let mut shell = shell::command("sh", root);
            let said = shell::output(shell.args(["-c", &step.command]))?;
            if !said.contains(step.expected) {
                bail!("{}: {:?} is not in: {said}", step.what, step.expected);
            }
            println!("  {}", step.what);
        }
        Ok(())
    }

    fn steps(&self) -> anyhow::Result<Vec<Try>> {
        let step = |(what, command)| Try {
            what,
            command,
            expected: "",
        };
        let mut steps: Vec<Try> = self.commands()?.into_iter().map(step).collect();
        steps.extend(self.dialects()?);
        Ok(steps)
    }

    /// One command for each dialect, then who may do what and why.
    fn dialects(&self) -> anyhow::Result<Vec<Try>> {
        let token = self.text("/api_token")?;
        let Self {
            binary,
            url,
            before,
            ..
        } = self;
        let ask = |words: &str, more: &str| {
            format!("{binary} access {words}{more} \\\n  --url {url} --token {token}")
        };
        let explained = format!("explain {CONTRACTOR} connect customers-postgres");
        Ok(vec![
            Try {
                what: "JupiterOne: who reaches which database by a role of a group",
                command: self.jupiterone(BY_ROLE)?,
                expected: "production databases",
            },
            Try {
                what: "OpenCTI: who asks",
                command: self.curl(self.text("/opencti/token")?, "", ME),
                expected: "user_email",
            },
            Try {
                what: "Sonrai: the hierarchy of the imported cloud accounts",
                command: self.curl(self.text("/sonrai/token")?, "", HIERARCHY),
                expected: "aws/",
            },
            Try {
                what: "StrongDM: what a contractor reaches now, and reached before",
                command: self.strongdm()?,
                expected: "customers-postgres",
            },
            Try {
                what: "Cyral: a token, and the repositories",
                command: self.cyral()?,
                expected: "customers-postgres",
            },
            Try {
                what: "Why a contractor cannot connect to the customers' database",
                command: ask(&explained, ""),
                expected: "cannot connect",
            },
            Try {
                what: "The same question about a moment before",
                command: ask(&explained, &format!(" --at {before}")),
                expected: "can connect",
            },
            Try {
                what: "Everything that somebody of the database team reaches",
                command: ask(&format!("list {MEMBER}"), ""),
                expected: "customers-postgres",
            },
            Try {
                what: "The policy leaves the database team alone",
                command: ask(&format!("explain {MEMBER} connect customers-postgres"), ""),
                expected: "can connect",
            },
        ])
    }

    fn strongdm(&self) -> anyhow::Result<String> {
        let host = self.url.trim_start_matches("http://");
        let key = self.text("/strongdm/access_key")?;
        let secret = self.text("/strongdm/secret_key")?;
        let before = self.before.trim_end_matches('Z');
        let script = format!(
            "import datetime, strongdm\n\
            sdm = strongdm.Client({key:?}, {secret:?}, host={host:?}, insecure=True)\n\
            user = next(sdm.accounts.list(\"email:{CONTRACTOR}\"))\n\
            then = datetime.datetime.fromisoformat({before:?})\n\
            then = then.replace(tzinfo=datetime.timezone.utc)\n\
            both = ((\"now\", sdm), (\"before\", sdm.snapshot_at(then)))\n\
            for name, client in both:\n    \
                rows = client.account_resources.list(\"account_id:?\", user.id)\n    \
                ids = {{row.resource_id for row in rows}}\n    \
                print(name, sorted(client.resources.get(id).resource.name for id in ids))\n"
        );
        Ok(format!("{} - <<'PYTHON'\n{script}PYTHON", self.python))
    }

    fn cyral(&self) -> anyhow::Result<String> {
        let url = &self.url;
        let id = self.text("/cyral/client_id")?;
        let secret = self.text("/cyral/client_secret")?;
        Ok(format!(
            "TOKEN=$(curl -s {url}/v1/users/oidc/token -d grant_type=client_credentials \\\n  \
            -d client_id={id} -d client_secret={secret} \\\n  \
            | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\n\
            curl -s {url}/v1/repos -H \"Authorization: Bearer $TOKEN\""
        ))
    }

    fn commands(&self) -> anyhow::Result<Vec<(&'static str, String)>> {
        let token = self.text("/api_token")?;
        let last = if self.has_attack {
            (
                "Through the OpenCTI API: a group of MITRE ATT&CK by name",
                self.opencti()?,
            )
        } else {
            ("Open findings by severity", self.query(FINDINGS, token, ""))
        };
        let techniques = if self.has_attack {
            (
                "The techniques of APT29's malware, most used first",
                self.query(TECHNIQUES, token, ""),
            )
        } else {
            (
                "Buckets that anyone can read though they should not",
                self.query(PUBLIC, token, ""),
            )
        };
        Ok(vec![
            (
                "People who left and still have a working account",
                self.query(LEFT, token, ""),
            ),
            (
                "Contractors who reach a production database",
                self.jupiterone(REACH)?,
            ),
            techniques,
            last,
            (
                "The past: how many users there were before the import",
                self.query(COUNT, token, &format!(" --at {}", self.empty_at)),
            ),
        ])
    }

    fn query(&self, text: &str, token: &str, more: &str) -> String {
        let Self { binary, url, .. } = self;
        format!(
            "{binary} query {}{more} \\\n  --url {url} --token {token}",
            quoted(text)
        )
    }

    /// What a JupiterOne client sends.
    fn jupiterone(&self, text: &str) -> anyhow::Result<String> {
        let document = "query Q($query: String!) \
            { queryV1(query: $query) { type data totalCount cursor } }";
        let body = json!({"query": document, "variables": {"query": text}}).to_string();
        let account = self.text("/jupiterone/account")?;
        let headers = format!(
            " \\\n  -H {}",
            quoted(&format!("JupiterOne-Account: {account}"))
        );
        Ok(self.curl(self.text("/jupiterone/api_key")?, &headers, &body))
    }

    /// What an OpenCTI client sends.
    fn opencti(&self) -> anyhow::Result<String> {
        let document = "{ intrusionSets(search: \"APT29\", first: 3) \
            { edges { node { standard_id name aliases } } } }";
        let body = json!({ "query": document }).to_string();
        Ok(self.curl(self.text("/opencti/token")?, "", &body))
    }

    fn curl(&self, token: &str, headers: &str, body: &str) -> String {
        let bearer = quoted(&format!("Authorization: Bearer {token}"));
        let kind = quoted("Content-Type: application/json");
        let (url, body) = (&self.url, quoted(body));
        format!("curl -s {url}/graphql \\\n  -H {kind} \\\n  -H {bearer}{headers} \\\n  -d {body}")
    }

    fn text(&self, pointer: &str) -> anyhow::Result<&str> {
        let found = self.credentials.pointer(pointer).and_then(Value::as_str);
        found.with_context(|| format!("`durward init --json` printed no {pointer}"))
    }
}

/// One word for a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use super::*;

    #[test]
    fn quotes_survive_a_shell() {
        let text = "a 'quoted' $HOME \"word\"";
        let script = format!("printf %s {}", quoted(text));
        let out = std::process::Command::new("sh")
            .args(["-c", &script])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8(out.stdout).unwrap(), text);
    }

    #[test]
    fn five_commands_with_or_without_attack() {
        let credentials = json!({"api_token": "t", "jupiterone": {"account": "a", "api_key": "k"},
            "opencti": {"token": "o"}});
        for has_attack in [false, true] {
            let tour = Tour {
                binary: "durward".into(),
                url: "http://127.0.0.1:1".into(),
                credentials: &credentials,
                empty_at: "2026-01-01T00:00:00Z".into(),
                before: "2026-01-01T00:00:00Z".into(),
                python: "python".into(),
                has_attack,
            };
            assert_eq!(tour.commands().unwrap().len(), 5);
        }
    }
}
