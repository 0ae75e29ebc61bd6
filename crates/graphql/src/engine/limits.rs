// SPDX-License-Identifier: Apache-2.0
//! What a document and an answer may grow to. Everything here is refused with a clear error.

/// Deepest nesting of fields, fragments resolved.
pub const DEPTH_MAX: usize = 32;
/// Deepest nesting of selection sets of any kind, fragments and inline fragments included. It
/// keeps every recursion over a document shallow.
pub const NESTING_MAX: usize = 100;
/// Deepest nesting that the parser follows (selection sets, lists, objects and types together).
pub const PARSER_RECURSION_MAX: usize = 128;
/// Most aliases of one document, counted where they are used.
pub const ALIASES_MAX: u64 = 1_000;
/// Most tokens of one document.
pub const TOKENS_MAX: usize = 60_000;
/// Most selections of one document after its fragments are put in their places.
pub const EXPANDED_FIELDS_MAX: u64 = 20_000;
/// Most operations and fragments of one document.
pub const DEFINITIONS_MAX: usize = 1_000;
/// Most variables that one operation declares.
pub const VARIABLES_MAX: usize = 500;
/// Longest text of one document in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 1 << 20;
/// Most parse and validation errors that are put in an answer.
pub const DIAGNOSTICS_MAX: usize = 20;
/// Most field errors that are put in an answer; the last one then counts the others.
pub const FIELD_ERRORS_MAX: usize = 100;
/// Longest answer in bytes (64 MiB), a whole batch included.
pub const ANSWER_BYTES_MAX: usize = 64 << 20;
/// Most fields and list items that one request may make, those included that null then wipes out.
pub const STEPS_MAX: u64 = 20_000_000;
/// Most requests of one array body.
pub const BATCH_MAX: usize = 100;
/// Most documents that one engine keeps ready.
pub const CACHED_DOCUMENTS_MAX: usize = 2_000;
/// Longest text that is kept ready at all.
pub const CACHED_DOCUMENT_BYTES_MAX: usize = 128 << 10;
/// Most plans of one operation, one for each outcome of its `@skip` and `@include` conditions.
pub const PLANS_PER_OPERATION_MAX: usize = 16;
/// Most members that the answer to an introspection has, those of objects inside included. The
/// largest contract, asked for as tools ask, has a tenth of that.
pub const INTROSPECTION_MEMBERS_MAX: u64 = 2_000_000;
/// Most introspection answers that one engine keeps.
pub const CACHED_INTROSPECTIONS_MAX: usize = 4;
/// Most planned fields that the kept documents of one engine may have together; more, and all of
/// them are forgotten.
pub const PLANNED_FIELDS_MAX: u64 = 400_000;
