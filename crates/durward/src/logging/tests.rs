// SPDX-License-Identifier: Apache-2.0

use std::sync::Mutex;

use super::*;

/// A disk with a little room.
#[derive(Clone, Default)]
struct Disk(Arc<Mutex<(Vec<u8>, usize)>>);

impl Disk {
    fn make_room(&self, bytes: usize) {
        self.0.lock().unwrap().1 = bytes;
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().0.clone()).unwrap()
    }
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut disk = self.0.lock().unwrap();
        let count = bytes.len().min(disk.1);
        if count == 0 {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        disk.1 -= count;
        disk.0.extend_from_slice(bytes.get(..count).unwrap());
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn lost_lines_are_counted_and_told_when_there_is_room_again() {
    let disk = Disk::default();
    let log = Log::start(disk.clone()).unwrap();
    let write = |line: &str| {
        let mut writer = log.make_writer();
        writer.write_all(line.as_bytes()).unwrap();
        log.flush(Duration::from_secs(10));
    };
    disk.make_room(10);
    write("first\n");
    for _ in 0..5 {
        write("second\n");
    }
    assert_eq!(disk.text(), "first\nseco", "the rest found no room");
    disk.make_room(1000);
    write("third\n");
    write("fourth\n");
    let told =
        "first\nseco\nWARN durward: 5 lines of the log before this are lost\nthird\nfourth\n";
    assert_eq!(disk.text(), told);
}

/// Tells that it was asked, and takes nothing until it is let.
struct Stuck(SyncSender<()>, Receiver<()>);

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let _ = self.0.try_send(());
        let _ = self.1.recv();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_does_not_read_holds_up_nobody() {
    let (let_go, waiting) = sync_channel(1);
    let (asked, is_asked) = sync_channel(1);
    let log = Log::start(Stuck(asked, waiting)).unwrap();
    log.put(b"the one that is stuck\n".to_vec());
    is_asked.recv().unwrap();
    for _ in 0..3 * LINES_MAX {
        log.put(b"a line\n".to_vec());
    }
    log.put(vec![b'x'; BYTES_MAX + 1]);
    let lost = log.counts.lost.load(Ordering::Relaxed);
    assert_eq!(lost, 2 * LINES_MAX as u64 + 1);
    log.flush(Duration::from_millis(10));
    drop(let_go);
    log.flush(Duration::from_secs(10));
}
