// SPDX-License-Identifier: Apache-2.0
//! What the demo prints last: credentials, and five commands that work when pasted.

use anyhow::Context;
use serde_json::{Value, json};

use crate::shell::heading;

/// What the printed commands need to know.
pub(crate) struct Tour<'a> {
    pub(crate) binary: String,
    pub(crate) url: String,
    pub(crate) credentials: &'a Value,
    pub(crate) empty_at: String,
    pub(crate) has_attack: bool,
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
        ];
        for (name, pointer) in rows {
            println!("  {name:<20} {}", self.text(pointer)?);
        }
        heading("five things to try, each in another terminal at the root of the repository");
        for (number, (what, command)) in self.commands()?.iter().enumerate() {
            println!("\n{}. {what}\n\n{command}", number + 1);
        }
        Ok(())
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
                has_attack,
            };
            assert_eq!(tour.commands().unwrap().len(), 5);
        }
    }
}
