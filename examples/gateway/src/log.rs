//! The access log, a line a request, and what operators need to know, on the standard error.
//!
//! One thread writes, so that a slow disk or a full pipe stops no other; who has something to say waits for room.

use std::fmt::Display;
use std::fs::OpenOptions;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use certmap::AccessLine;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// Lines that wait at most.
const ROOM: usize = 1024;
/// How long the last lines may take.
const LAST: Duration = Duration::from_secs(5);

#[derive(Debug)]
pub(crate) struct Log(mpsc::Sender<Line>);

#[derive(Debug)]
enum Line {
    Access(String),
    Said(String),
    End(oneshot::Sender<()>),
}

impl Log {
    /// Appends to the file, or else to the standard output.
    pub(crate) fn new(file: Option<&Path>) -> io::Result<Self> {
        let access: Box<dyn Write + Send> = match file {
            Some(path) => Box::new(OpenOptions::new().create(true).append(true).open(path)?),
            None => Box::new(io::stdout()),
        };
        let (sender, lines) = mpsc::channel(ROOM);
        thread::Builder::new().name("log".to_owned()).spawn(move || write(lines, BufWriter::new(access)))?;
        Ok(Self(sender))
    }

    /// One request.
    pub(crate) async fn access(&self, line: &AccessLine) {
        let _ = self.0.send(Line::Access(format!("{line}\n"))).await;
    }

    /// For operators.
    pub(crate) async fn say(&self, said: impl Display) {
        let _ = self.0.send(Line::Said(format!("{said}\n"))).await;
    }

    /// As [`say`](Self::say), for threads that may wait.
    pub(crate) fn say_blocking(&self, said: impl Display) {
        let _ = self.0.blocking_send(Line::Said(format!("{said}\n")));
    }

    /// Waits until all that was said is written.
    pub(crate) async fn end(&self) {
        let (sender, ended) = oneshot::channel();
        let _ = timeout(LAST, async { (self.0.send(Line::End(sender)).await, ended.await) }).await;
    }
}

fn write(mut lines: mpsc::Receiver<Line>, mut access: impl Write) {
    while let Some(line) = lines.blocking_recv() {
        let (written, ended) = match line {
            Line::Access(line) => (access.write_all(line.as_bytes()), None),
            // If this fails there is nobody left to be told.
            Line::Said(line) => (io::stderr().write_all(line.as_bytes()).or(Ok(())), None),
            Line::End(ended) => (Ok(()), Some(ended)),
        };
        let flushed = if lines.is_empty() { access.flush() } else { Ok(()) };
        if let Err(error) = written.and(flushed) {
            let _ = writeln!(io::stderr(), "the access log cannot be written: {error}");
        }
        drop(ended);
    }
}
