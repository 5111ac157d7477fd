//! tower-sessions' own store keeps the rules of sessions, one that goes by a clock the strict ones
//! too, and a store with any one fault breaks one.
#![cfg(feature = "tower-sessions")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use gatekit_core::{Clock, SystemClock, async_trait};
use gatekit_testkit::conformance;
use serde_json::{Value, json};
use time::{Duration, OffsetDateTime};
use tower_sessions_core::SessionStore;
use tower_sessions_core::session::{Id, Record};
use tower_sessions_core::session_store::{Error, Result};
use tower_sessions_memory_store::MemoryStore;

use self::Fault::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_store_of_tower_sessions_conforms() {
    conformance::session_store(|| async { MemoryStore::default() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_reference_conforms_strictly() {
    all(None).await;
}

async fn all(fault: Option<Fault>) {
    conformance::session_store(|| async { Faulty::new(fault, SystemClock) }).await;
    conformance::session_store_strict(|clock| async move { Faulty::new(fault, clock) }).await;
}

macro_rules! faults {
    ($($fault:ident,)*) => {
        /// What a careless implementation gets wrong.
        #[derive(Clone, Copy, Debug, PartialEq)]
        enum Fault { $($fault),* }

        const FAULTS: &[Fault] = &[$(Fault::$fault),*];
    };
}

faults!(
    CreateOverwrites,
    CreateChecksFirst,
    CreateHidesTheOtherId,
    CreateRefusesACollision,
    CreateRefusesWithAnotherError,
    CreateLosesData,
    CreateCountsTheExpired,
    SaveBringsBack,
    SaveBringsTheExpiredBack,
    SaveOfAnUnknownFails,
    SaveChecksFirst,
    SaveMerges,
    SaveLeavesData,
    SaveLeavesTheEnd,
    SaveIsHalfDone,
    LoadIsOnce,
    LoadShowsTheExpired,
    LoadGivesAnyoneASession,
    EndIsInclusive,
    EndIsInSeconds,
    EndIsRoundedUp,
    EndIsLocalTime,
    DeleteOfNoneFails,
    DeleteDoesNothing,
    DeleteTakesAll,
    IdsAreShort,
    IdsLoseTheirSign,
    NullsAreDropped,
    NumbersAreFloats,
    TextIsTrimmed,
    NamesIgnoreCase,
    TextEndsAtNul,
    BigIsCut,
    DeepIsCut,
    DeepIsStoredButNotRead,
    ClockIsTheMachines,
);

#[test]
fn a_store_with_any_one_fault_breaks_a_rule() {
    // One thread: who comes when is decided by the yields of `pause`, not by how busy the machine
    // is.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let passed: Vec<_> = FAULTS
        .iter()
        .filter(|fault| catch_unwind(AssertUnwindSafe(|| runtime.block_on(all(Some(**fault))))).is_ok())
        .collect();
    assert!(passed.is_empty(), "the suite does not see these faults: {passed:?}");
}

/// A store of sessions that goes by a clock.
#[derive(Clone)]
struct Faulty {
    records: Arc<Mutex<HashMap<Id, Record>>>,
    fault: Option<Fault>,
    clock: Arc<dyn Clock>,
}

impl std::fmt::Debug for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.fault)
    }
}

impl Faulty {
    fn new(fault: Option<Fault>, clock: impl Clock) -> Self {
        Self { records: Arc::default(), fault, clock: Arc::new(clock) }
    }

    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// What a race needs: everybody else gets to the same point.
    async fn pause(&self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    fn id(&self, id: Id) -> Id {
        match self.fault {
            #[allow(clippy::cast_possible_truncation, reason = "the fault")]
            Some(IdsAreShort) => Id(i128::from(id.0 as i64)),
            Some(IdsLoseTheirSign) => Id(id.0.saturating_abs()),
            _ => id,
        }
    }

    fn is_alive(&self, record: &Record) -> bool {
        let now = if self.has(ClockIsTheMachines) { SystemClock.now() } else { self.clock.now() };
        let end = record.expiry_date.unix_timestamp_nanos().div_euclid(1_000_000);
        end > i128::from(now.0) || self.has(EndIsInclusive) && end == i128::from(now.0)
    }

    fn written(&self, record: &Record) -> Record {
        let mut new = record.clone();
        new.id = self.id(record.id);
        new.data = record.data.iter().map(|(name, value)| self.member(name, value)).collect();
        let end = record.expiry_date;
        new.expiry_date = match self.fault {
            Some(EndIsInSeconds) => end.replace_nanosecond(0).unwrap(),
            Some(EndIsRoundedUp) => end.saturating_add(Duration::microseconds(999)),
            Some(EndIsLocalTime) => end.saturating_add(Duration::seconds(end.offset().whole_seconds().into())),
            _ => end,
        };
        if self.has(NullsAreDropped) {
            new.data.retain(|_, value| !value.is_null());
        }
        new
    }

    fn member(&self, name: &str, value: &Value) -> (String, Value) {
        let name = match self.fault {
            Some(NamesIgnoreCase) => name.to_lowercase(),
            Some(TextIsTrimmed) => name.trim().to_owned(),
            _ => name.to_owned(),
        };
        (name, self.value(value, 1))
    }

    fn value(&self, value: &Value, depth: usize) -> Value {
        match (self.fault, value) {
            (Some(NumbersAreFloats), Value::Number(number)) => json!(number.as_f64()),
            (Some(TextEndsAtNul), Value::String(text)) => json!(text.split('\0').next()),
            (Some(BigIsCut), Value::String(text)) => json!(text.chars().take(65_535).collect::<String>()),
            (Some(DeepIsCut), Value::Array(_) | Value::Object(_)) if depth > 90 => Value::Null,
            (_, Value::Array(values)) => values.iter().map(|value| self.value(value, depth + 1)).collect(),
            (_, Value::Object(members)) => {
                members.iter().map(|(name, value)| (name.clone(), self.value(value, depth + 1))).collect()
            }
            _ => value.clone(),
        }
    }
}

#[async_trait]
impl SessionStore for Faulty {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let mut new = self.written(record);
        if self.has(CreateLosesData) {
            new.data.clear();
        }
        let taken = self.records.lock().unwrap().get(&new.id).cloned();
        let taken = taken.filter(|taken| !self.has(CreateCountsTheExpired) || self.is_alive(taken)).is_some();
        if self.has(CreateChecksFirst) && !taken {
            self.pause().await;
            self.records.lock().unwrap().insert(new.id, new);
            return Ok(());
        }
        let mut records = self.records.lock().unwrap();
        while records.contains_key(&new.id) && !self.has(CreateOverwrites) {
            match self.fault {
                Some(CreateRefusesACollision) => return Err(Error::Backend("taken".into())),
                Some(CreateRefusesWithAnotherError) => return Err(Error::Encode("taken".into())),
                Some(CreateCountsTheExpired) if !taken => return Err(Error::Backend("taken".into())),
                _ => new.id = self.id(Id::default()),
            }
            if !self.has(CreateHidesTheOtherId) {
                record.id = new.id;
            }
        }
        records.insert(new.id, new);
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let new = self.written(record);
        let before = self.records.lock().unwrap().get(&new.id).cloned();
        let before = before.filter(|before| self.is_alive(before) || self.has(SaveBringsTheExpiredBack));
        if self.has(SaveChecksFirst) && before.is_some() {
            self.pause().await;
            self.records.lock().unwrap().insert(new.id, new);
            return Ok(());
        }
        if self.has(SaveIsHalfDone) && before.is_some() {
            let part = |(n, member)| (n == 0).then_some(member);
            for member in record.data.clone().into_iter().enumerate().filter_map(|(n, member)| part((n, member))) {
                self.records.lock().unwrap().entry(new.id).and_modify(|old| old.data.extend([member]));
            }
            self.pause().await;
        }
        let mut records = self.records.lock().unwrap();
        match records.get_mut(&new.id) {
            Some(old) if before.is_some() => match self.fault {
                Some(SaveMerges | SaveIsHalfDone) => {
                    old.data.extend(new.data);
                    old.expiry_date = new.expiry_date;
                }
                Some(SaveLeavesData) => old.expiry_date = new.expiry_date,
                Some(SaveLeavesTheEnd) => old.data = new.data,
                _ => *old = new,
            },
            _ if self.has(SaveBringsBack) => drop(records.insert(new.id, new)),
            _ if self.has(SaveOfAnUnknownFails) => return Err(Error::Backend("unknown".into())),
            _ => {}
        }
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let mut records = self.records.lock().unwrap();
        let found = match self.fault {
            Some(LoadIsOnce) => records.remove(id),
            _ => records.get(&self.id(*id)).cloned().map(|found| Record { id: *id, ..found }),
        };
        if self.has(LoadGivesAnyoneASession) && found.is_none() {
            let expiry_date = OffsetDateTime::now_utc() + Duration::HOUR;
            return Ok(Some(Record { id: *id, data: HashMap::new(), expiry_date }));
        }
        if self.has(DeepIsStoredButNotRead) {
            let text = serde_json::to_string(&found.as_ref().map(|found| &found.data)).unwrap();
            serde_json::from_str::<Value>(&text).map_err(|error| Error::Decode(error.to_string()))?;
        }
        Ok(found.filter(|found| self.is_alive(found) || self.has(LoadShowsTheExpired)))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        let mut records = self.records.lock().unwrap();
        match self.fault {
            Some(DeleteDoesNothing) => {}
            Some(DeleteTakesAll) => records.clear(),
            Some(DeleteOfNoneFails) if !records.contains_key(id) => return Err(Error::Backend("unknown".into())),
            _ => drop(records.remove(&self.id(*id))),
        }
        Ok(())
    }
}
