// SPDX-License-Identifier: Apache-2.0
//! How the table of actions is written.

use super::Action;

/// What stands in the place of rights where whoever is let in may.
pub(super) const EVERYBODY: &str = "everybody";

/// Defines the actions and their table from one list, so that neither can miss one.
macro_rules! actions {
    ($($(#[$doc:meta])+ $action:ident $name:literal $rights:literal;)+) => {
        /// A command or a reading of the core, whichever dialect asks for it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Action {
            $($(#[$doc])+ $action,)+
        }

        /// Every action at the position of its number.
        pub(super) const ACTIONS: &[Entry] = &[
            $(Entry { action: Action::$action, name: $name, rights: $rights },)+
        ];
    };
}

pub(super) struct Entry {
    pub(super) action: Action,
    pub(super) name: &'static str,
    /// Names of rights with ` | ` between them, or [`EVERYBODY`].
    pub(super) rights: &'static str,
}
