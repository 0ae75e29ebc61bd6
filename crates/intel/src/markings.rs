// SPDX-License-Identifier: Apache-2.0
//! Markings that everybody knows.

/// Markings of the Traffic Light Protocol with their place in the order and a colour.
const TLP_LOOKS: [(&str, i64, &str); 6] = [
    ("TLP:WHITE", 1, "#ffffff"),
    ("TLP:CLEAR", 1, "#ffffff"),
    ("TLP:GREEN", 2, "#2e7d32"),
    ("TLP:AMBER", 3, "#d84315"),
    ("TLP:AMBER+STRICT", 4, "#d84315"),
    ("TLP:RED", 5, "#c62828"),
];

/// Order and colour of a marking of the Traffic Light Protocol.
pub(crate) fn tlp_looks(name: &str) -> Option<(i64, &'static str)> {
    let found = TLP_LOOKS.iter().find(|(known, _, _)| *known == name)?;
    Some((found.1, found.2))
}
