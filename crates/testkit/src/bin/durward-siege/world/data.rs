// SPDX-License-Identifier: Apache-2.0
//! A graph in which much leads to much, with long texts.

use std::fmt::Write as _;

/// Every hub leads to every other: paths of four steps are thirteen million.
pub(crate) const HUBS: usize = 60;
/// Bytes of the text of a hub.
const HUB_TEXT_BYTES: usize = 20_000;
/// Entities with a text each.
const NOTES: usize = 1_500;
const TEXT_BYTES: usize = 1_000;

/// Entities and relationships, one a line.
pub(super) fn dense() -> String {
    let mut out = String::new();
    let mut line = |arguments: std::fmt::Arguments<'_>| {
        // Writing to a text cannot fail.
        let _ = out.write_fmt(arguments);
        out.push('\n');
    };
    let text = |bytes: usize| "lorem ipsum dolor sit amet ".repeat(bytes / 27);
    let (long, text) = (text(HUB_TEXT_BYTES), text(TEXT_BYTES));
    for hub in 0..HUBS {
        line(format_args!(
            "{{\"_key\":\"hub:{hub}\",\"_type\":\"siege_hub\",\"_class\":\"Host\",\
             \"displayName\":\"hub {hub}\",\"number\":{hub},\"text\":\"{hub} {long}\"}}"
        ));
    }
    for note in 0..NOTES {
        line(format_args!(
            "{{\"_key\":\"note:{note}\",\"_type\":\"siege_note\",\"_class\":\"Record\",\
             \"displayName\":\"note {note}\",\"text\":\"{note} {text}\"}}"
        ));
    }
    for from in 0..HUBS {
        for to in (0..HUBS).filter(|to| *to != from) {
            line(format_args!(
                "{{\"_key\":\"hub:{from}|{to}\",\"_type\":\"siege_hub_connects_siege_hub\",\
                 \"_class\":\"CONNECTS\",\"_fromEntityKey\":\"hub:{from}\",\
                 \"_toEntityKey\":\"hub:{to}\"}}"
            ));
        }
    }
    for note in 0..NOTES {
        let hub = note % HUBS;
        line(format_args!(
            "{{\"_key\":\"hub:{hub}|note:{note}\",\"_type\":\"siege_hub_has_siege_note\",\
             \"_class\":\"HAS\",\"_fromEntityKey\":\"hub:{hub}\",\
             \"_toEntityKey\":\"note:{note}\"}}"
        ));
    }
    out
}
