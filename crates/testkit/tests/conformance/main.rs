//! The reference store keeps every rule of the suite, and a store with any one fault breaks one.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod counters;
mod devices;
mod digests;
mod one_time;
mod permissions;
mod roles;
mod tokens;
mod user_types;
mod users;

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use gatekit_core::{
    AccountStatus, DigestCredential, MemoryStore, Model, NewUser, OneTimePurpose, StoredUser, Timestamp, TokenDigest,
    TokenOwner, TokenRecord, User, UserId, UserStore,
};
use gatekit_testkit::conformance::{self, Identifiers};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Profile {
    city: String,
}

impl Model for Profile {}

type Person = User<Profile>;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_memory_store_conforms() {
    all(None).await;
}

async fn all(fault: Option<Fault>) {
    let make = || async move { Faulty::new(MemoryStore::new(), fault) };
    let new_user = |email: &str| NewUser::new(email, Profile { city: format!("the city of {email}") });
    // The quickest first: what a store with a fault costs is all that comes before the rule it
    // breaks.
    conformance::digest_store(make).await;
    conformance::permission_store(make).await;
    conformance::device_store(make).await;
    conformance::counter_store(make).await;
    conformance::role_store(make).await;
    conformance::one_time_store(make).await;
    conformance::token_store(make).await;
    let make_both = || async move {
        let store = MemoryStore::new();
        (Faulty::new(store.clone(), fault), store)
    };
    conformance::token_owner::<Person, _, _, _>(make_both, new_user).await;
    conformance::token_owner_roles::<Person, _, _, _>(make_both, new_user).await;
    conformance::user_store::<Person, _, _>(Identifiers::ALL, make, new_user).await;
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
    NewUserHasRevOne,
    GivenIdIsIgnored,
    GivenIdInUseIsAnotherError,
    TakenIsAnotherError,
    TakenNamesTheWrongIdentifier,
    TakenReturnsWhoIsThere,
    NamespaceIsIgnored,
    IdentifiersAreTrimmed,
    SpellingsAreExact,
    ListBeginsAnew,
    IdentifiersIgnoreCase,
    IdsAreComparedAsText,
    PasswordIgnoresRev,
    PasswordLeavesRev,
    PasswordChecksFirst,
    RehashIgnoresTheOldHash,
    RehashBumps,
    BumpReturnsTheOldRev,
    UnsupportedIsTakenForDone,
    UpdateIgnoresOld,
    UpdateComparesOnlyRev,
    UpdateDoesNotCompareTheAddress,
    UpdateDoesNotCompareTheName,
    UpdateDoesNotCompareTheRealm,
    UpdateDoesNotCompareEmailVerified,
    UpdateDoesNotCompareTheProfile,
    UpdateDoesNotCompareRev,
    UpdateComparesThePassword,
    UpdateChecksFirst,
    UpdateBumpsAfterwards,
    UpdateNeverBumps,
    UpdateAlwaysBumps,
    UpdateLeavesThePassword,
    UpdateLeavesTheProfile,
    UpdateLeavesEmailVerified,
    UpdateLosesTheProfile,
    UpdateOfTheAddressUnverifiesIt,
    UpdateCannotRemove,
    UpdateReturnsTheOldUser,
    UpdateTakenIsAnotherError,
    UpdateTakenNamesTheWrongIdentifier,
    UpdateIsHalfDoneIfTaken,
    UpdateTakesOnesOwnAddressForTaken,
    UpdateKeepsTheOldAddress,
    UpdateStaysInTheNamespace,
    UpdateForgetsTheNamespace,
    UpdateBringsBackWhoIsGone,
    RemovalIsAlwaysTrue,
    RemovalChecksFirst,
    RemovalKeepsTheAddress,
    RemovalGivesTheIdAgain,
    RemovalOfAUserDoesNothing,
    NewUserIsAlwaysActive,
    StatusIsReadAsActive,
    StatusIsNotFoundByAddress,
    StatusLeavesRev,
    StatusReturnsTheOldRev,
    StatusIsNotStored,
    StatusIsStoredAfterwards,
    StatusOfTheSameIsNoChange,
    StatusIsOfEverybody,
    StatusOfAnUnknownIsSet,
    PasswordSetsActive,
    PasswordLeavesAReset,
    StatusListIsOfEverybody,
    UpdateSetsActive,
    TokenIsReplaced,
    EmptyScopesAreNone,
    RenewalIsLost,
    ProofsAreLost,
    ClientIsLost,
    ClientIsAllOrNothing,
    UserAgentIsCut,
    LastUseIsLost,
    CarryOverForgetsProofs,
    EndedTokenIsHidden,
    DeleteIsAlwaysTrue,
    DeleteChecksFirst,
    CarryOverIgnoresRev,
    CarryOverUndoesARenewal,
    BeforeRevIsIgnored,
    UserTypeIsIgnored,
    ListIsInOrderOfDigests,
    ListHidesWhatHasEnded,
    ListIgnoresTheType,
    ChangeOfATokenIgnoresOld,
    ChangeOfATokenDoesNotCompareRev,
    ChangeOfATokenDoesNotCompareTtl,
    ChangeOfATokenDoesNotCompareRenewed,
    ChangeOfATokenDoesNotCompareScopes,
    ChangeOfATokenDoesNotCompareLastUsed,
    ChangeOfATokenDoesNotCompareProofs,
    ChangeOfATokenDoesNotCompareTheClient,
    ChangeOfATokenLeavesLastUsed,
    ChangeOfATokenChangesProofs,
    ChangeOfATokenChangesTheClient,
    ChangeOfATokenChecksFirst,
    ChangeOfATokenIsOfEverything,
    ChangeOfATokenLeavesScopes,
    ChangeOfATokenBringsItBack,
    PurgeIgnoresTheLimit,
    PurgeSparesWhatEndsNow,
    PurgeGoesByTheFirstEnd,
    OneTimeIsFoundAndRemoved,
    OneTimeStays,
    OneTimeChecksFirst,
    OneTimePurposeIsIgnored,
    OneTimePurgeIgnoresTheLimit,
    OneTimeAddressIsLost,
    OneTimeDataIsLost,
    OneTimeRemovalIgnoresThePurpose,
    OneTimeRemovalIgnoresTheType,
    OneTimeRemovalTakesDecoys,
    OneTimeRemovalCountsNothing,
    OneTimeLimitIsIgnored,
    NoDecoyBeyondALimit,
    SpentIsNotKept,
    SpentIsSpentAgain,
    OnlyOneIsSpent,
    OneTimeUpdateOverwrites,
    OneTimeUpdateKeepsTheEnd,
    DecoyBecomesAUser,
    AssignmentIsAlwaysNew,
    AssignmentChecksFirst,
    UnassignmentIsAlwaysTrue,
    UnassignmentTakesAllRoles,
    RolesComeInAnotherOrder,
    RolesIgnoreCase,
    RolesIgnoreTheType,
    UsersInARoleComeInTheOrderOfTheirNames,
    DevicesIgnoreTheType,
    DeviceIsKnownAtOnce,
    DeviceChecksFirst,
    DeviceIsSeenOnlyOnce,
    DeviceIsAlwaysNew,
    DeviceIsAnybodys,
    FirstDeviceIsNew,
    NewDeviceIsFirst,
    ForgettingDoesNothing,
    ForgettingCountsNothing,
    ForgettingTakesEverybodys,
    DevicePurgeIgnoresTheLimit,
    DevicePurgeTakesThatMoment,
    EventsAreNotCounted,
    EventsCountForever,
    EventsOfTheMomentDoNotCount,
    EventsEndTogether,
    EventsChecksFirst,
    RefusedEventsCount,
    EventsOfAllKeysAreOne,
    AskingForRoomCounts,
    RoomIsAlways,
    ClearingACounterDoesNothing,
    ClearingACounterClearsAll,
    ClearingIsAlwaysTrue,
    CounterPurgeIgnoresTheLimit,
    CounterPurgeTakesAll,
    CounterPurgeSparesWhatEndsNow,
    DigestIsNeverReplaced,
    DigestReplacesThoseOfOtherRealms,
    DigestReplacesThoseOfOtherAlgorithms,
    DigestIgnoresTheType,
    DigestIgnoresTheUser,
    DigestIgnoresTheRealm,
    DigestIgnoresTheAlgorithm,
    DigestIsText,
    DigestForgetsWhenItWasMade,
    DigestIsReplacedInTwoSteps,
    UserhashIgnoresTheType,
    UserhashIgnoresTheRealm,
    UserhashIgnoresTheAlgorithm,
    UserhashIgnoresCase,
    UserhashOfTheOldCredentialFinds,
    UserhashFindsTheOldest,
    DigestRemovalDoesNothing,
    DigestRemovalTakesEverybodys,
    DigestRemovalLeavesOtherAlgorithms,
    DigestRemovalCountsNothing,
    NonceMayBeUsedAgain,
    NonceTakesNoGaps,
    NonceTakesCountsOnce,
    NonceStartsAtZero,
    NonceChecksFirst,
    NonceIsAnyOther,
    NonceUseShortensIt,
    NonceUseNeverProlongs,
    NoncePurgeIgnoresTheLimit,
    NoncePurgeSparesWhatEndsNow,
    NoncePurgeTakesAll,
    PermissionsAreMerged,
    PermissionsAreNeverTakenAway,
    PermissionsIgnoreTheType,
    PermissionsLoseOperations,
    PermissionsLoseTheOrder,
    PermissionsOfRolesAreLeftOut,
    PermissionsOfAllRoles,
    PermissionsOfAUserAreLeftOut,
    PermissionsOfAUserComeLast,
    PermissionsOfRolesAreReversed,
    PermissionsOfAnonymousAreEverybodys,
    PermissionsOfAUserAreOfTheRole,
    PermissionsOfNobodyAreEmpty,
    OwnerHasTheTokensRev,
    OwnerHasNoProofs,
    OwnerIgnoresWhichTokens,
    OwnerHasNoRoles,
    OwnerHasTheRolesOfAnotherType,
    OwnerIsRemembered,
    OwnerIgnoresTheType,
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

struct Faulty {
    store: MemoryStore<Profile>,
    fault: Option<Fault>,
    /// What a fault needs to remember.
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    removed: Vec<UserId>,
    statuses: HashMap<UserId, AccountStatus>,
    tokens: Vec<TokenRecord>,
    decoys: Vec<(OneTimePurpose, TokenDigest)>,
    devices: Vec<(String, UserId, TokenDigest)>,
    digests: Vec<DigestCredential>,
    nonces: HashMap<TokenDigest, (u32, Timestamp)>,
    events: HashMap<TokenDigest, Vec<Timestamp>>,
    owners: HashMap<TokenDigest, TokenOwner<Person>>,
}

impl Faulty {
    fn new(store: MemoryStore<Profile>, fault: Option<Fault>) -> Self {
        Self { store, fault, memory: Mutex::default() }
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

    fn text(&self, text: &str) -> String {
        match self.fault {
            Some(Fault::IdentifiersAreTrimmed) => text.trim().to_owned(),
            Some(Fault::IdentifiersIgnoreCase) => text.to_lowercase(),
            _ => text.to_owned(),
        }
    }

    fn id(&self, id: &UserId) -> UserId {
        match id {
            UserId::Text(text) if self.has(Fault::IdsAreComparedAsText) => text.parse().map_or(id.clone(), UserId::Int),
            _ => id.clone(),
        }
    }

    async fn user(&self, id: &UserId) -> Option<StoredUser<Person>> {
        self.store.find_user(id).await.unwrap()
    }
}
