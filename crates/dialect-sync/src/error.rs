// SPDX-License-Identifier: Apache-2.0
//! Errors of this dialect and how they look on the wire: `{"error":{"code","message"}}`.

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use durward_budget::Exhausted;
use durward_graph::bulk::diff::DiffError;
use durward_graph::bulk::staging::StagingError;
use durward_graph::bulk::{BodyError, Rejections};
use durward_graph::store::StoreError;
use durward_model::ErrorKind;
use durward_model::error::ClientMessage as _;
use serde_json::json;

use crate::commit::CommitError;
use crate::job_json::rejected_json;
use crate::record::{JobStatus, RejectedItem};

/// The code of items that are not what they must be, and of the state of a job whose data are.
pub(crate) const BAD_DATA: &str = "ERROR_BAD_DATA";

/// Why a call fails.
#[derive(Debug, thiserror::Error)]
pub enum SyncError {
    /// The request carries no authority.
    #[error("no valid credential came with the request")]
    Unauthenticated,
    /// The caller may not do this.
    #[error("{0}")]
    Forbidden(&'static str),
    /// There is no such job here.
    #[error("there is no synchronization job {0:?}")]
    NoJob(String),
    /// There is no such upload URL, or it is no longer valid.
    #[error("this upload URL is not valid, or no longer")]
    NoUploadUrl,
    /// The job is past uploads.
    #[error("the job is {} and takes no uploads", .0.as_str())]
    NotAwaitingUploads(JobStatus),
    /// The job cannot be finalized or aborted any more.
    #[error("the job is {} already", .0.as_str())]
    Over(JobStatus),
    /// The start request is wrong.
    #[error("{0}")]
    BadStart(String),
    /// The body of a call is wrong.
    #[error("{0}")]
    BadRequest(String),
    /// An upload is wrong; nothing of it was kept.
    #[error("{0}")]
    BadUpload(BodyError),
    /// Every item of an upload is wrong.
    #[error("{}", all_rejected(.0))]
    AllRejected(Box<Rejections>),
    /// The finalization of a job was begun several times and never came to its end.
    #[error(
        "finalizing it was begun {0} times and never came to its end, as if it took more than the \
         server has; nothing of it was taken over: split it into smaller jobs"
    )]
    NeverEnded(u32),
    /// The job would keep more than can be read back.
    #[error("the job cannot keep that much; send less")]
    RecordTooLarge,
    /// The body is larger than an upload may be.
    #[error("the body is larger than {max} bytes; send smaller batches")]
    TooLarge {
        /// The limit.
        max: usize,
    },
    /// The body did not arrive whole, or too slowly.
    #[error("the body did not arrive whole")]
    CutOff,
    /// The body is in a form that this build does not read.
    #[error("bodies of type {0} are not supported; send JSON")]
    UnsupportedBody(String),
    /// A mode that this build does not do.
    #[error("syncMode {0} is not supported")]
    UnsupportedMode(String),
    /// A page of an export is too large.
    #[error("the page is larger than {max} bytes; ask for fewer items")]
    PageTooLarge {
        /// The limit.
        max: usize,
    },
    /// The caller asks too often, and may ask again after so many seconds.
    #[error("too many requests; try again in {0} seconds")]
    TooMany(u32),
    /// A share of the budget is used up.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
    /// Too many open jobs.
    #[error("there are {0} open synchronization jobs; finalize or abort some")]
    TooManyJobs(usize),
    /// The staged data cannot become changes.
    #[error(transparent)]
    Diff(#[from] DiffError),
    /// The disk under the staged data fails, or the uploads of a job are too much for it.
    #[error("{}", staging_sentence(.0))]
    Staging(#[from] StagingError),
    /// A file of a job cannot be written or read.
    #[error("the files of job {id} cannot be used")]
    Files {
        /// The job.
        id: String,
        /// What the system says.
        #[source]
        source: std::io::Error,
    },
    /// The store refuses the changes.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The store took no writes; the job is open again.
    #[error("the job cannot be finalized at this moment; try again")]
    NotNow,
    /// The caller's organization cannot be opened.
    #[error("the organization is unavailable")]
    NoOrganization,
    /// A task of this process died.
    #[error("the work was interrupted")]
    Interrupted,
}

fn all_rejected(rejected: &Rejections) -> String {
    let first = rejected.items.first();
    let first = first.map_or_else(String::new, durward_graph::bulk::RejectedItem::sentence);
    match rejected.count() {
        1 => first,
        count => format!("all {count} items are wrong; {first}"),
    }
}

/// What a client may know of it: no names of files.
fn staging_sentence(error: &StagingError) -> String {
    match error.kind() {
        ErrorKind::Internal => "staging failed".to_owned(),
        _ => error.to_string(),
    }
}

impl SyncError {
    /// The kind of the failure.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Unauthenticated => ErrorKind::Unauthenticated,
            Self::Forbidden(_) => ErrorKind::Forbidden,
            Self::NoJob(_) | Self::NoUploadUrl => ErrorKind::NotFound,
            Self::NotAwaitingUploads(_)
            | Self::Over(_)
            | Self::BadStart(_)
            | Self::BadRequest(_)
            | Self::BadUpload(_)
            | Self::AllRejected(_)
            | Self::RecordTooLarge
            | Self::TooLarge { .. }
            | Self::PageTooLarge { .. }
            | Self::CutOff => ErrorKind::Invalid,
            Self::UnsupportedBody(_) | Self::UnsupportedMode(_) => ErrorKind::Unsupported,
            Self::NeverEnded(_) => ErrorKind::Conflict,
            Self::TooManyJobs(_) | Self::TooMany(_) => ErrorKind::RateLimited,
            Self::Exhausted(error) => error.kind(),
            Self::Diff(error) => error.kind(),
            Self::Staging(error) => error.kind(),
            Self::Files { .. } | Self::Interrupted => ErrorKind::Internal,
            Self::Store(error) => error.kind(),
            Self::NotNow | Self::NoOrganization => ErrorKind::Unavailable,
        }
    }

    /// The code that clients look at.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotAwaitingUploads(_) => "JOB_NOT_AWAITING_UPLOADS",
            Self::BadUpload(BodyError::NotList { list }) if list == "entities" => {
                "ENTITY_IS_NOT_ARRAY"
            }
            Self::BadUpload(BodyError::NotList { .. }) => "RELATIONSHIP_IS_NOT_ARRAY",
            Self::AllRejected(_) => BAD_DATA,
            Self::TooLarge { .. }
            | Self::Staging(StagingError::TooLarge { .. } | StagingError::Full { .. }) => {
                "RequestEntityTooLargeException"
            }
            Self::PageTooLarge { .. } => "PAGE_TOO_LARGE",
            other => match other.kind() {
                ErrorKind::Unauthenticated => "UNAUTHORIZED",
                ErrorKind::Forbidden => "FORBIDDEN",
                ErrorKind::NotFound => "NOT_FOUND",
                ErrorKind::Unsupported => "NOT_SUPPORTED",
                ErrorKind::RateLimited => "TOO_MANY_REQUESTS",
                ErrorKind::Unavailable | ErrorKind::Timeout => "UNAVAILABLE",
                ErrorKind::Internal => "INTERNAL_ERROR",
                ErrorKind::Conflict | ErrorKind::AlreadyExists => "CONFLICT",
                ErrorKind::Invalid => "BAD_REQUEST",
            },
        }
    }

    /// Whole seconds after which to try again, where that is known.
    fn retry_after_seconds(&self) -> Option<u32> {
        match self {
            Self::TooMany(seconds) => Some(*seconds),
            Self::Exhausted(error) => Some(error.retry_after_seconds()),
            _ => None,
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge { .. }
            | Self::Staging(StagingError::TooLarge { .. } | StagingError::Full { .. }) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::PageTooLarge { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::UnsupportedBody(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::UnsupportedMode(_) => StatusCode::BAD_REQUEST,
            other => match other.kind() {
                ErrorKind::Invalid => StatusCode::BAD_REQUEST,
                ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
                ErrorKind::Forbidden => StatusCode::FORBIDDEN,
                ErrorKind::NotFound => StatusCode::NOT_FOUND,
                ErrorKind::AlreadyExists | ErrorKind::Conflict => StatusCode::CONFLICT,
                ErrorKind::RateLimited => StatusCode::TOO_MANY_REQUESTS,
                ErrorKind::Unsupported => StatusCode::NOT_IMPLEMENTED,
                ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
                ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
                ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }
}

impl From<CommitError> for SyncError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Diff(error) => Self::Diff(error),
            CommitError::Store(error) => Self::Store(error),
            CommitError::Plan(error) => *error,
        }
    }
}

impl IntoResponse for SyncError {
    fn into_response(self) -> Response {
        let message = match self.kind() {
            ErrorKind::Internal => {
                tracing::error!(error = ?self, "a synchronization call failed");
                "the server could not do this; its log says why".to_owned()
            }
            _ => self.to_string(),
        };
        let mut body = json!({"error": {"code": self.code(), "message": message}});
        if let (Self::AllRejected(rejected), Some(members)) = (&self, body.as_object_mut()) {
            let items: Vec<RejectedItem> = rejected.items.iter().map(Into::into).collect();
            members.insert("rejected".to_owned(), rejected_json(&items));
        }
        let mut response = (self.status(), Json(body)).into_response();
        if let Some(seconds) = self.retry_after_seconds() {
            let value = HeaderValue::from(seconds);
            response.headers_mut().insert(RETRY_AFTER, value);
        }
        response
    }
}

impl From<durward_budget::body::BodyError> for SyncError {
    fn from(error: durward_budget::body::BodyError) -> Self {
        use durward_budget::body::BodyError;
        match error {
            BodyError::TooLarge { bytes_max } => Self::TooLarge { max: bytes_max },
            BodyError::BrokenOff => Self::CutOff,
            BodyError::Exhausted(error) => Self::Exhausted(error),
        }
    }
}
