//! The access log, a line a request, and what operators need to know, on the standard error.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use certmap::AccessLine;

#[derive(Debug)]
pub(crate) struct Log(Option<Mutex<File>>);

impl Log {
    pub(crate) fn new(file: Option<&Path>) -> io::Result<Self> {
        let open = |path| OpenOptions::new().create(true).append(true).open(path);
        Ok(Self(file.map(open).transpose()?.map(Mutex::new)))
    }

    /// One request.
    pub(crate) fn access(&self, line: &AccessLine) {
        let line = format!("{line}\n");
        let written = match &self.0 {
            Some(file) => file.lock().unwrap_or_else(PoisonError::into_inner).write_all(line.as_bytes()),
            None => io::stdout().write_all(line.as_bytes()),
        };
        if let Err(error) = written {
            eprintln!("the access log cannot be written: {error}");
        }
    }
}
