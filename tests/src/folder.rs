//! A folder that is gone when the test ends.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// A new folder, removed with all it holds when this is dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// Creates it.
    ///
    /// # Panics
    ///
    /// If it cannot.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "it creates something")]
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("gatekit-tests-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&folder).expect("a temporary folder can be made");
        Self(folder)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Every byte of every file in it.
    ///
    /// # Panics
    ///
    /// If one cannot be read.
    #[must_use]
    pub fn all_bytes(&self) -> Vec<u8> {
        let files = std::fs::read_dir(&self.0).expect("the folder is there");
        let read = |file: std::io::Result<std::fs::DirEntry>| std::fs::read(file.expect("a file").path());
        files.flat_map(|file| read(file).expect("it can be read")).collect()
    }

    /// The database in it.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.0.join("app.db")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left in the temporary folder of a test is no failure of it.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
