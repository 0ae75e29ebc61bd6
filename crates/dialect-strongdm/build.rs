// SPDX-License-Identifier: Apache-2.0
//! Compiles the contracts into one set of descriptors, which the library embeds.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

use prost_reflect::prost::Message as _;

fn main() -> Result<(), Box<dyn Error>> {
    let package = env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo names no package folder")?;
    let root = Path::new(&package).join("../../contracts/proto");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut files = Vec::new();
    collect(&root, &mut files)?;
    files.sort();
    let mut compiler = protox::Compiler::new([&root])?;
    // Positions and comments would be most of the set, and nobody reads them.
    compiler
        .include_imports(true)
        .include_source_info(false)
        .open_files(&files)?;
    let bytes = compiler.file_descriptor_set().encode_to_vec();
    let out = env::var_os("OUT_DIR").ok_or("cargo names no output folder")?;
    fs::write(Path::new(&out).join("descriptors.bin"), bytes)?;
    Ok(())
}

/// Every contract below a folder.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|end| end == "proto") {
            files.push(path);
        }
    }
    Ok(())
}
