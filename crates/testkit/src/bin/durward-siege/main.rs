// SPDX-License-Identifier: Apache-2.0
//! The siege: a real server with few descriptors and little memory is attacked in every way that
//! its authors could think of, while a client of another organization works. None of the client's
//! calls may fail, and the server's memory stays within its budget.
//!
//! `cargo xtask siege` builds and starts it. Start reading at [`siege::run`]; the attacks are the
//! rows of [`attacks::ATTACKS`].

mod attacks;
mod field;
mod memory;
mod other;
mod plan;
mod siege;
mod world;

use std::process::ExitCode;

fn main() -> ExitCode {
    let plan = match plan::Plan::parse(std::env::args().skip(1)) {
        Ok(plan) => plan,
        Err(error) => {
            eprintln!("error: {error:#}");
            return ExitCode::from(2);
        }
    };
    match siege::run(&plan) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
