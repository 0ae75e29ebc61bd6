// SPDX-License-Identifier: Apache-2.0
//! One organization behind the engine, and calls that are signed by its administrator.
#![allow(
    unreachable_pub,
    dead_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "tests may panic, and none uses everything"
)]

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use durward_budget::Budget;
use durward_catalog::Catalog;
use durward_dialect_strongdm::engine::digest;
use durward_dialect_strongdm::{Contract, Dispatch, Engine, EngineParts, Source};
use durward_identity::{
    InitOptions, InitOutput, OpenOptions, Organizations, PasswordCost, RateLimits, RatePlan, init,
};
use durward_model::{Clock as _, Instant, ManualClock};
use durward_vault::MacKey;
use http::{HeaderMap, Request, Version};
use http_body_util::{BodyExt as _, Full};

/// Noon of a day.
pub const NOON: Instant = Instant::from_millis(1_800_014_400_000);

/// An organization behind an engine.
pub struct Common {
    _folder: tempfile::TempDir,
    pub clock: Arc<ManualClock>,
    pub engine: Arc<Engine>,
    pub organizations: Arc<Organizations>,
    pub output: InitOutput,
    pub runtime: tokio::runtime::Runtime,
}

/// What came back, trailers among the headers.
pub struct Answer {
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Common {
    /// The engine of a contract over the services that `dispatch` makes for it.
    pub fn new(contract: Contract, dispatch: impl FnOnce(&Contract) -> Arc<dyn Dispatch>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(ManualClock::new(NOON));
        let catalog = Arc::new(Catalog::built_in().unwrap());
        let data = folder.path().join("data");
        let output = init(&InitOptions {
            data: data.clone(),
            master_key_file: None,
            head_file: None,
            organization: "Acme".to_owned(),
            admin_email: "admin@acme.example".to_owned(),
            clock: clock.clone(),
            catalog: Arc::clone(&catalog),
            password_cost: PasswordCost::Minimal,
        });
        let output = output.unwrap();
        let organizations = Organizations::open(&OpenOptions {
            data,
            master_key_file: None,
            clock: clock.clone(),
            catalog,
            password_cost: PasswordCost::Minimal,
            checkpoint: false,
            budget: Budget::unlimited(),
        });
        let organizations = Arc::new(organizations.unwrap());
        let engine = Engine::new(EngineParts {
            dispatch: dispatch(&contract),
            contract: Arc::new(contract),
            organizations: Arc::clone(&organizations),
            rates: Arc::new(RateLimits::new(RatePlan::UNLIMITED)),
            clock: clock.clone(),
            anonymous_introspection: false,
        });
        Self {
            _folder: folder,
            clock,
            engine: Arc::new(engine),
            organizations,
            output,
            runtime: tokio::runtime::Runtime::new().unwrap(),
        }
    }

    /// A call that was signed when the client's clock showed an instant.
    pub fn call_at(&self, name: &str, message: &[u8], instant: Instant) -> Request<Full<Bytes>> {
        let issued = &self.output.strongdm;
        let secret = STANDARD.decode(&issued.secret_key).unwrap();
        let date = instant.to_rfc3339_millis();
        let of_day = MacKey::new(&secret).sign(&date.as_bytes()[..10]);
        let key = MacKey::new(&MacKey::new(&of_day).sign(b"sdm_api_v1"));
        let signature = STANDARD.encode(key.sign(&digest(name, message)));
        let length = u32::try_from(message.len()).unwrap();
        let body = [&[0], &length.to_be_bytes()[..], message].concat();
        Request::post(format!("/v1.{}", name.replace('.', "/")))
            .version(Version::HTTP_2)
            .header("content-type", "application/grpc")
            .header("x-sdm-authentication", &issued.access_key)
            .header("x-sdm-signature", signature)
            .header("x-sdm-user-agent", "strongdm-sdk-test/1")
            .body(Full::new(Bytes::from(body)))
            .unwrap()
    }

    /// A call that was signed now.
    pub fn call(&self, name: &str, message: &[u8]) -> Request<Full<Bytes>> {
        self.call_at(name, message, self.clock.now())
    }

    /// Sends a call, and waits for all of the answer.
    pub fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let source = Source {
            remote_address: "192.0.2.7",
            request_id: "request-1",
        };
        self.runtime.block_on(async {
            let response = self.engine.answer(request, source).await;
            let (parts, body) = response.into_parts();
            let collected = body.collect().await.unwrap();
            let mut headers = parts.headers;
            headers.extend(collected.trailers().cloned().unwrap_or_default());
            let body = collected.to_bytes();
            Answer { headers, body }
        })
    }
}

impl Answer {
    /// A header or trailer; empty where there is none.
    pub fn get(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }
}
