//! A folder in which openssl works.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

pub struct Workshop(PathBuf);

impl Workshop {
    pub fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("certmap-seeds-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        Self(folder)
    }

    pub fn write(&self, name: &str, content: &[u8]) {
        fs::write(self.0.join(name), content).expect("a file in our folder");
    }

    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.0.join(name)).expect("a file that openssl wrote")
    }

    /// What it prints; its arguments are parted by blanks.
    pub fn openssl(&self, arguments: &str) -> String {
        let output = Command::new("openssl").args(arguments.split_whitespace()).current_dir(&self.0).output();
        let output = output.expect("openssl 3 on the path");
        assert!(output.status.success(), "{arguments}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Workshop {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
