// SPDX-License-Identifier: Apache-2.0
//! Files that may be compressed; what they are is told by their first bytes.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use anyhow::Context as _;

/// Largest file that is read whole, after decompression.
const WHOLE_BYTES_MAX: u64 = 1 << 30;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Opens a file for reading, decompressing gzip and Zstandard content.
///
/// # Errors
/// When the file cannot be opened.
pub(crate) fn open(path: &Path) -> anyhow::Result<Box<dyn BufRead>> {
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let start = reader
        .fill_buf()
        .with_context(|| format!("cannot read {}", path.display()))?;
    if start.starts_with(&GZIP_MAGIC) {
        let decoder = flate2::bufread::MultiGzDecoder::new(reader);
        Ok(Box::new(BufReader::with_capacity(1 << 20, decoder)))
    } else if start.starts_with(&ZSTD_MAGIC) {
        let decoder = zstd::Decoder::with_buffer(reader)
            .with_context(|| format!("cannot decompress {}", path.display()))?;
        Ok(Box::new(BufReader::with_capacity(1 << 20, decoder)))
    } else {
        Ok(Box::new(reader))
    }
}

/// The whole content of a file, decompressed.
///
/// # Errors
/// When it cannot be read, breaks off, or is larger than the limit.
pub(crate) fn read_whole(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut content = Vec::new();
    open(path)?
        .take(WHOLE_BYTES_MAX + 1)
        .read_to_end(&mut content)
        .with_context(|| format!("{} cannot be read to its end", path.display()))?;
    anyhow::ensure!(
        content.len() as u64 <= WHOLE_BYTES_MAX,
        "{} is larger than {WHOLE_BYTES_MAX} bytes",
        path.display()
    );
    Ok(content)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests may panic")]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn compressed_files_read_like_plain_ones() {
        let folder = tempfile::tempdir().unwrap();
        let plain = folder.path().join("plain");
        std::fs::write(&plain, b"hello").unwrap();
        let zipped = folder.path().join("zipped");
        let file = File::create(&zipped).unwrap();
        let mut encoder = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        encoder.write_all(b"hello").unwrap();
        encoder.finish().unwrap();
        let zstd_file = folder.path().join("zstd");
        std::fs::write(&zstd_file, zstd::encode_all(&b"hello"[..], 1).unwrap()).unwrap();
        for path in [&plain, &zipped, &zstd_file] {
            assert_eq!(read_whole(path).unwrap(), b"hello");
        }
        std::fs::write(
            &zstd_file,
            &zstd::encode_all(&b"hello"[..], 1).unwrap()[..8],
        )
        .unwrap();
        assert!(read_whole(&zstd_file).is_err());
    }
}
