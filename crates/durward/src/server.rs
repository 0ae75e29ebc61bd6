// SPDX-License-Identifier: Apache-2.0
//! The server: what listens, what routes there are, what requests share.
#![deny(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "they panic when nothing can be written"
)]

mod audit;
mod authenticate;
pub(crate) mod connections;
mod cyral;
mod graphql;
mod grpc;
mod guard;
mod health;
mod import;
pub(crate) mod listener;
mod observe;
mod paced;
mod problem;
mod rates;
mod results;
mod router;
mod schemas;
mod synchronization;
pub(crate) mod tls;
mod tokens;

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context as _;
use durward_access::Accesses;
use durward_budget::Budget;
use durward_catalog::Catalog;
use durward_dialect_cyral::CyralApi;
use durward_dialect_strongdm::{Contract, Engine, EngineParts};
use durward_dialect_sync::{JobOptions, Jobs};
use durward_graph::Snapshot;
use durward_graphql::{DeferredResults, GraphQl, Services};
use durward_identity::{Organization, OrganizationId, Organizations, RateLimits, RatePlan};
use durward_model::{Clock, IdCipher};
use durward_query::Limits;
use metrics_exporter_prometheus::PrometheusHandle;
use parking_lot::Mutex;

use crate::config::Configuration;
use crate::offline;
use crate::server::connections::Connections;

pub(crate) use router::router;

/// Everything that requests share.
pub(crate) struct Server {
    pub(crate) organizations: Arc<Organizations>,
    pub(crate) clock: Arc<dyn Clock>,
    catalog: Arc<Catalog>,
    graphql: GraphQl,
    cyral: CyralApi,
    /// Commands on core objects, shared by all dialects: two of them would miss each other's.
    pub(crate) accesses: Arc<Accesses>,
    services: Arc<Services>,
    grpc: Arc<Engine>,
    rates: Arc<RateLimits>,
    budget: Budget,
    connections: Arc<Connections>,
    jobs: Mutex<HashMap<OrganizationId, Arc<Jobs>>>,
    metrics: PrometheusHandle,
    public_url: String,
    /// Whether callers on this machine may read metrics without a credential.
    metrics_anonymous: bool,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Server")
            .field("graphql", &self.graphql)
            .finish_non_exhaustive()
    }
}

/// The catalog, if what it says fits the rest of the program.
fn catalog() -> anyhow::Result<Catalog> {
    durward_access::action::check()?;
    Ok(Catalog::built_in()?)
}

impl Server {
    /// A server over an open data folder.
    ///
    /// # Errors
    /// When a contract is not valid.
    pub(crate) fn new(
        organizations: Organizations,
        configuration: &Configuration,
        budget: Budget,
        connections: Arc<Connections>,
        metrics: PrometheusHandle,
    ) -> anyhow::Result<Self> {
        let clock = offline::clock();
        let limits = Limits {
            time_ms: configuration.limits.query_timeout_ms,
            paths: configuration.limits.query_paths_max,
            ..Limits::default()
        };
        let nothing = Arc::new(Snapshot::empty(IdCipher::new(&[0; 32])));
        let accesses = Arc::new(Accesses::default());
        let walks = Arc::default();
        let services = Services {
            accesses: Arc::clone(&accesses),
            walks: Arc::clone(&walks),
            clock: Arc::clone(&clock),
            deferred: Arc::new(DeferredResults::default()),
            limits,
            anonymous_introspection: configuration.server.anonymous_introspection,
            nothing: nothing.view(None),
        };
        let plan = RatePlan::named(&configuration.limits.rate_preset);
        let rates = Arc::new(RateLimits::new(plan.unwrap_or_default()));
        let organizations = Arc::new(organizations);
        let contract = Contract::load().context("StrongDM's contract is not valid")?;
        let strongdm = durward_dialect_strongdm::Services::new(
            &contract,
            Arc::clone(&accesses),
            Arc::clone(&walks),
        );
        let grpc = Engine::new(EngineParts {
            dispatch: Arc::new(strongdm.context("StrongDM's contract is not whole")?),
            contract: Arc::new(contract),
            organizations: Arc::clone(&organizations),
            rates: Arc::clone(&rates),
            clock: Arc::clone(&clock),
            anonymous_introspection: configuration.server.anonymous_introspection,
        });
        let server = Self {
            organizations,
            clock,
            catalog: Arc::new(catalog()?),
            graphql: schemas::all(&budget.caches()).context("a contract is not valid")?,
            cyral: CyralApi::new()?,
            accesses,
            services: Arc::new(services),
            grpc: Arc::new(grpc),
            rates,
            budget,
            connections,
            jobs: Mutex::new(HashMap::new()),
            metrics,
            public_url: configuration
                .server
                .public_url
                .trim_end_matches('/')
                .to_owned(),
            metrics_anonymous: configuration.server.metrics_anonymous,
        };
        server.take_up_jobs();
        Ok(server)
    }

    /// Goes on with what was being synchronized when the process before this one ended.
    fn take_up_jobs(&self) {
        for organization in self.organizations.all() {
            match self.jobs_of(&organization) {
                Ok(jobs) => drop(std::thread::spawn(move || jobs.take_up())),
                // It is tried again with the first request for it.
                Err(error) => tracing::error!(
                    org_id = %organization.id(),
                    error = %format!("{error:#}"),
                    "synchronization is unavailable"
                ),
            }
        }
    }

    /// What ended although it should run as long as the process, in words for the log.
    pub(crate) fn ended_part(&self) -> Option<String> {
        self.organizations.all().iter().find_map(|organization| {
            let thread = organization.store().ended_thread()?;
            Some(format!(
                "the {thread} of organization {}",
                organization.id()
            ))
        })
    }

    /// What is to be done from time to time: has the refusals recorded that were only counted, and
    /// lets go of results that nobody came for.
    pub(crate) fn tidy_up(&self) {
        for organization in self.organizations.all() {
            organization.tell_refusals();
        }
        self.services.deferred.forget_expired(self.clock.now());
    }

    /// Ends what would otherwise stay open while the listener drains.
    pub(crate) fn stop(&self) {
        self.grpc.stop();
    }

    /// The synchronization jobs of an organization, opened when first needed.
    ///
    /// # Errors
    /// When the folder of the jobs cannot be read.
    pub(crate) fn jobs_of(&self, organization: &Arc<Organization>) -> anyhow::Result<Arc<Jobs>> {
        let mut all = self.jobs.lock();
        if let Some(jobs) = all.get(organization.id()) {
            return Ok(Arc::clone(jobs));
        }
        let jobs = Jobs::open(JobOptions {
            folder: organization.folder().join(offline::JOBS_FOLDER),
            store: Arc::clone(organization.store()),
            catalog: Arc::clone(&self.catalog),
            clock: Arc::clone(&self.clock),
            random: offline::random_source(),
            seal: organization.vault().file_seal(),
        });
        let jobs = Arc::new(jobs.context("the synchronization jobs cannot be opened")?);
        all.insert(organization.id().clone(), Arc::clone(&jobs));
        Ok(jobs)
    }
}
