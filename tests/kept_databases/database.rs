//! The files, and copies of them that a test may change.

use std::fmt;
use std::path::PathBuf;

use gatekit::SqliteStore;
use gatekit::core::Timestamp;
use gatekit::sql::sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use gatekit::sql::sqlx::{self, AssertSqlSafe};
use gatekit_tests::Folder;

/// A time at which the tokens and mailed secrets of all files are alive.
pub(crate) const NOW: Timestamp = Timestamp(1_796_086_200_000);

/// A database as a migration left it.
#[derive(Debug)]
pub(crate) struct Kept {
    file: PathBuf,
    level: u32,
}

impl Kept {
    /// All, by their numbers.
    pub(crate) fn all() -> Vec<Self> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/databases");
        let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let numbered = |file: PathBuf| Some(Self { level: file.file_stem()?.to_str()?.parse().ok()?, file });
        let mut all: Vec<Self> = files.filter_map(numbered).collect();
        all.sort_by_key(|kept| kept.level);
        assert!(!all.is_empty(), "no files in {folder}");
        all
    }

    /// Those with a row of each kind, and not only what a short run of an app leaves.
    pub(crate) fn written_by_hand() -> Vec<Self> {
        Self::all().into_iter().filter(|kept| kept.is_dump()).collect()
    }

    /// The number of the last migration in it.
    pub(crate) fn level(&self) -> u32 {
        self.level
    }

    fn is_dump(&self) -> bool {
        self.file.extension().is_some_and(|extension| extension == "sql")
    }

    /// A token of the user `ada`.
    pub(crate) fn token(&self) -> &'static str {
        match self.is_dump() {
            true => "kgvQzKAd5Do1OxIH2GawmZ031CpPFfBRMiZOdXIoY92C48usZKQyO13OA3B09878",
            false => "WUnDieWlRzqTvMchdeUxVLWbe7NgGsAk7eJBTDIOvK1pXIlOjK1YToZNUERV7Q9Z",
        }
    }

    /// A secret that resets the password of the user `bob`.
    pub(crate) fn reset(&self) -> &'static str {
        match self.is_dump() {
            true => "B2AHaqi5mtBDjHZBhHY5HS4P5jRtv8Av5Y9ES78CjAFIxEv9IFW9Oidiawxfcd5C",
            false => "7l1eDr4rr2c2IL3LiDaHJ4ii5F3tF6GwD3rijOS4JnBn1dlznEMqx3vH9Ac31hOP",
        }
    }

    /// A copy that nothing has opened since.
    pub(crate) async fn copy(&self) -> Folder {
        let folder = Folder::new();
        if !self.is_dump() {
            std::fs::copy(&self.file, folder.database()).unwrap();
            return folder;
        }
        let dump = std::fs::read_to_string(&self.file).unwrap();
        let options = SqliteConnectOptions::new().filename(folder.database()).create_if_missing(true);
        let pool = SqlitePoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(dump)).execute(&pool).await.unwrap();
        pool.close().await;
        folder
    }

    /// A copy that is opened, and thereby migrated.
    pub(crate) async fn open(&self) -> (Folder, SqliteStore) {
        let folder = self.copy().await;
        let store = SqliteStore::open(folder.database()).await.unwrap_or_else(|error| panic!("{self}: {error}"));
        (folder, store)
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.file_name().unwrap_or_default().display())
    }
}
