// SPDX-License-Identifier: Apache-2.0
//! What may be said on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// One control plane for identity and access security, on one temporal graph.
#[derive(Debug, Parser)]
#[command(name = "durward", version, propagate_version = true)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Go on with a data folder that is older than what is remembered of it in DIR.head.
    #[arg(long, global = true)]
    pub(crate) accept_rollback: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a data folder with a first organization and print its first credentials, once.
    Init(InitArguments),
    /// Serve a data folder.
    Serve(ServeArguments),
    /// Bring data in: STIX bundles, AWS command line output, or a graph as NDJSON.
    Import(ImportArguments),
    /// Ask the graph in J1QL.
    Query(QueryArguments),
    /// Ask what an account may do and reach, and why.
    #[command(subcommand)]
    Access(AccessCommand),
    /// Check or print the audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Copy a data folder while it is in use (without the master key).
    Backup(BackupArguments),
    /// Lay a backup out as a new data folder.
    Restore(RestoreArguments),
    /// Manage the keys that protect secrets.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Manage organizations.
    #[command(subcommand)]
    Org(OrgCommand),
    /// Print a GraphQL schema.
    Schema(SchemaArguments),
    /// Check or describe the configuration file.
    #[command(subcommand)]
    Config(ConfigCommand),
}

/// `durward init`
#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// Folder to make; it must be absent or empty. The master key is put beside it.
    #[arg(long)]
    pub(crate) data: PathBuf,
    /// Name of the first organization.
    #[arg(long)]
    pub(crate) org: String,
    /// E-mail address of its first administrator.
    #[arg(long)]
    pub(crate) admin: String,
    /// Print the credentials as one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `durward serve`
#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Data folder.
    #[arg(long)]
    pub(crate) data: PathBuf,
    /// Address to listen on (default 127.0.0.1:8080; port 0 picks a free one).
    #[arg(long)]
    pub(crate) listen: Option<String>,
    /// A further address that serves the same; may be given several times.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) also_listen: Vec<String>,
    /// Certificate chain (PEM).
    #[arg(long, requires = "tls_key", conflicts_with = "plaintext")]
    pub(crate) tls_cert: Option<PathBuf>,
    /// Private key of the certificate (PEM).
    #[arg(long, requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,
    /// Accept plaintext on addresses other than loopback.
    #[arg(long)]
    pub(crate) plaintext: bool,
    /// Configuration file (TOML).
    #[arg(long)]
    pub(crate) config: Option<PathBuf>,
}

/// Environment variable that names a running server.
pub(crate) const URL_VARIABLE: &str = "DURWARD_URL";

/// Where a command finds the organization: a running server, or a data folder that none serves.
#[derive(Clone, Debug, Args)]
pub(crate) struct Target {
    /// URL of a running server. The one in the environment gives way to --data.
    #[arg(long, env = URL_VARIABLE)]
    pub(crate) url: Option<String>,
    /// Bearer token for the server.
    #[arg(long, env = "DURWARD_TOKEN", hide_env_values = true)]
    pub(crate) token: Option<String>,
    /// Data folder that no server is using.
    #[arg(long)]
    pub(crate) data: Option<PathBuf>,
    /// Name or id of the organization, where the data folder has several.
    #[arg(long)]
    pub(crate) org: Option<String>,
}

/// What `import` reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportKind {
    /// STIX 2.1 bundles.
    Stix,
    /// JSON as the AWS command line prints it.
    Aws,
    /// Entities and relationships, one JSON object a line.
    Graph,
}

/// `durward import`
#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// What the files hold.
    pub(crate) kind: ImportKind,
    /// Files; `.gz` and `.zst` content is recognized.
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Scope whose content the files replace (graph, aws; default `import`), or in which objects
    /// are written (stix; none by default).
    #[arg(long)]
    pub(crate) scope: Option<String>,
    /// Add and update only; delete nothing (graph).
    #[arg(long)]
    pub(crate) patch: bool,
    /// Where to.
    #[command(flatten)]
    pub(crate) target: Target,
}

/// How `query` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    /// Columns for a person.
    Table,
    /// JSON.
    Json,
    /// Comma-separated values with a header line.
    Csv,
    /// Vertices and edges, indented.
    Tree,
}

/// `durward query`
#[derive(Debug, Args)]
pub(crate) struct QueryArguments {
    /// The J1QL query.
    pub(crate) query: String,
    /// Instant to ask at (RFC 3339); the present by default.
    #[arg(long)]
    pub(crate) at: Option<String>,
    /// How to print.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: OutputFormat,
    /// Show the plan instead of the result.
    #[arg(long)]
    pub(crate) explain: bool,
    /// Whom to ask.
    #[command(flatten)]
    pub(crate) target: Target,
}

/// `durward audit`
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Recompute the hash chain of the whole journal and check its signed head.
    Verify(AuditVerifyArguments),
    /// Print transactions as NDJSON.
    Export(AuditExportArguments),
}

/// `durward access`
#[derive(Debug, Subcommand)]
pub(crate) enum AccessCommand {
    /// Explain why an account may or may not take an action on an object.
    Explain(AccessExplainArguments),
    /// List the resources that an account reaches, and by what.
    List(AccessListArguments),
}

/// `durward access explain`
#[derive(Debug, Args)]
pub(crate) struct AccessExplainArguments {
    /// E-mail address, name or id of an account.
    pub(crate) principal: String,
    /// `connect` or another action of policies on a resource; or a built-in action such as
    /// `role:create`.
    pub(crate) action: String,
    /// Name or id of a resource; or `organization` for built-in actions.
    pub(crate) object: String,
    /// The moment of which it tells (RFC 3339); now without it.
    #[arg(long)]
    pub(crate) at: Option<String>,
    /// Print everything as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Where.
    #[command(flatten)]
    pub(crate) target: Target,
}

/// `durward access list`
#[derive(Debug, Args)]
pub(crate) struct AccessListArguments {
    /// E-mail address, name or id of an account.
    pub(crate) principal: String,
    /// The moment of which it tells (RFC 3339); now without it.
    #[arg(long)]
    pub(crate) at: Option<String>,
    /// How to print it.
    #[arg(long, value_enum, default_value = "table")]
    pub(crate) format: OutputFormat,
    /// Where.
    #[command(flatten)]
    pub(crate) target: Target,
}

/// `durward audit verify`
#[derive(Debug, Args)]
pub(crate) struct AuditVerifyArguments {
    /// Hash (hexadecimal) that some transaction must have; shows that a head seen earlier is still
    /// part of the chain.
    #[arg(long)]
    pub(crate) expect_head: Option<String>,
    /// Where.
    #[command(flatten)]
    pub(crate) target: Target,
}

/// `durward audit export`
#[derive(Debug, Args)]
pub(crate) struct AuditExportArguments {
    /// First transaction to print.
    #[arg(long, default_value_t = 1)]
    pub(crate) from: u64,
    /// Where.
    #[command(flatten)]
    pub(crate) target: Target,
}

/// `durward backup`
#[derive(Debug, Args)]
pub(crate) struct BackupArguments {
    /// Data folder; a server may be using it.
    #[arg(long)]
    pub(crate) data: PathBuf,
    /// Folder to write; it must be absent or empty.
    #[arg(long)]
    pub(crate) to: PathBuf,
}

/// `durward restore`
#[derive(Debug, Args)]
pub(crate) struct RestoreArguments {
    /// Folder that `backup` wrote.
    #[arg(long)]
    pub(crate) from: PathBuf,
    /// Data folder to make; it must be absent or empty.
    #[arg(long)]
    pub(crate) data: PathBuf,
}

/// `durward keys`
#[derive(Debug, Subcommand)]
pub(crate) enum KeysCommand {
    /// Make a new master key and wrap all data keys with it.
    Rotate(DataFolder),
    /// Make a new signing key and end the old one, with everything that it signed.
    Retire(KeysRetireArguments),
}

/// A key of an organization that signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SigningKeyName {
    /// Signs API tokens and Sonrai tokens: all of them end.
    Token,
    /// Signs the tokens granted to Cyral's clients: all of them end, clients ask for new ones.
    Grant,
    /// Signs the head of the journal: what it signed up to now stays good.
    Head,
}

/// `durward keys retire`
#[derive(Debug, Args)]
pub(crate) struct KeysRetireArguments {
    /// Which key.
    #[arg(value_enum)]
    pub(crate) key: SigningKeyName,
    /// Data folder that no server is using.
    #[arg(long)]
    pub(crate) data: PathBuf,
    /// Name or id of the organization, where the data folder has several.
    #[arg(long)]
    pub(crate) org: Option<String>,
}

/// A data folder that no server is using.
#[derive(Debug, Args)]
pub(crate) struct DataFolder {
    /// Data folder.
    #[arg(long)]
    pub(crate) data: PathBuf,
}

/// `durward org`
#[derive(Debug, Subcommand)]
pub(crate) enum OrgCommand {
    /// Make a further organization and print its first credentials, once.
    Create(OrgCreateArguments),
    /// List the organizations.
    List(OrgListArguments),
    /// Refuse every credential of an organization from now on.
    Suspend(OrgNamed),
    /// Accept the credentials of a suspended organization again.
    Resume(OrgNamed),
    /// Write an organization's entities and relationships as NDJSON to standard output.
    Export(OrgNamed),
    /// Delete an organization and everything it holds.
    Delete(OrgDeleteArguments),
}

/// `durward org create`
#[derive(Debug, Args)]
pub(crate) struct OrgCreateArguments {
    /// Data folder.
    #[arg(long)]
    pub(crate) data: PathBuf,
    /// Name of the organization.
    #[arg(long)]
    pub(crate) org: String,
    /// E-mail address of its first administrator.
    #[arg(long)]
    pub(crate) admin: String,
    /// Print the credentials as one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

/// `durward org list`
#[derive(Debug, Args)]
pub(crate) struct OrgListArguments {
    /// Data folder.
    #[arg(long)]
    pub(crate) data: PathBuf,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// An organization in a data folder.
#[derive(Debug, Args)]
pub(crate) struct OrgNamed {
    /// Data folder.
    #[arg(long)]
    pub(crate) data: PathBuf,
    /// Name or id of the organization.
    #[arg(long)]
    pub(crate) org: String,
}

/// `durward org delete`
#[derive(Debug, Args)]
pub(crate) struct OrgDeleteArguments {
    /// Which.
    #[command(flatten)]
    pub(crate) named: OrgNamed,
    /// Repeat the organization's name: nothing brings it back.
    #[arg(long)]
    pub(crate) confirm: String,
}

/// The GraphQL schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum SchemaName {
    /// Durward's own.
    Durward,
    /// JupiterOne's.
    Jupiterone,
    /// OpenCTI's.
    Opencti,
    /// Sonrai's.
    Sonrai,
}

/// `durward schema`
#[derive(Debug, Args)]
pub(crate) struct SchemaArguments {
    /// Which schema.
    #[arg(value_enum)]
    pub(crate) name: SchemaName,
}

/// `durward config`
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Say whether a configuration file is usable.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// Print every key with its default.
    Reference,
}
