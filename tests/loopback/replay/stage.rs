//! What the database is given before an exchange, and what is looked at after it.

use std::sync::Arc;
use std::time::Duration;

use gatekit::core::{Clock, Mail, MailKind, PasswordHash, TokenDigest, UserChange, UserQuery};
use gatekit::{Account, Auth, Event, NewUser, Proofs, TokenRecord, UserId};
use gatekit_tests::{Answer, Call, Store};
use serde_json::{Map, Value, json};

use super::app::{App, People, Person, Settings, with_rows};
use super::compare::difference;
use super::names::Names;
use super::transcript::{Recorded, Request};

/// The app of a section, and what is known of it.
pub(super) struct Stage {
    store: Store,
    pub(super) names: Names,
    app: Option<App>,
    /// The tokens a note may speak of: its name for them, and the recorded token.
    labels: Vec<(String, String)>,
}

/// A token put into the database.
pub(super) struct Row {
    pub(super) user: i64,
    /// In seconds.
    pub(super) ttl: i64,
    /// How long ago it was made, in seconds.
    pub(super) age: i64,
    pub(super) scopes: Option<&'static [&'static str]>,
}

impl Default for Row {
    fn default() -> Self {
        Self { user: 1, ttl: 1_209_600, age: 0, scopes: None }
    }
}

impl Stage {
    pub(super) fn new(store: Store) -> Self {
        Self { store, names: Names::default(), app: None, labels: Vec::new() }
    }

    /// Another server, with an empty database.
    pub(super) async fn start(&mut self, settings: Settings) {
        self.labels.clear();
        self.app = Some(App::start(self.store, settings).await);
    }

    /// A server whose users are of a type with another name.
    pub(super) async fn start_with_customers(&mut self) {
        self.labels.clear();
        self.app = Some(App::start_with_customers(self.store).await);
    }

    /// `foo@bar.com`, whose id is 1, and `second@bar.com`. Both have the password `bar`.
    pub(super) async fn two_users(&mut self, username: Option<&str>) {
        let mut first = json!({"email": "foo@bar.com", "password": "bar"});
        if let Some(username) = username {
            first["username"] = username.into();
        }
        self.user(first).await;
        self.user(json!({"email": "second@bar.com", "password": "bar"})).await;
    }

    /// Somebody signs up.
    pub(super) async fn user(&mut self, body: Value) {
        self.call("POST", "/api/users").json(body).await.expect_status(200);
    }

    /// A user whose password was hashed by another server.
    pub(super) async fn imported_user(&mut self, email: &str, hash: Option<&str>) {
        let mut new = NewUser::new(email, Map::new());
        new.password = hash.map(PasswordHash::from_stored);
        self.people().users.create_user(new).await.unwrap();
    }

    /// The next user's id is `next`.
    pub(super) async fn skip_ids(&mut self, next: i64) {
        loop {
            let filler = self.people().users.create_user(NewUser::new("filler@x.com", Map::new())).await.unwrap();
            self.people().users.delete_user(&filler.user.id).await.unwrap();
            if filler.user.id == UserId::from(next - 1) {
                return;
            }
            assert!(filler.user.id < UserId::from(next), "{:?}", filler.user.id);
        }
    }

    /// Brings a user to the state that the recorded exchange left it in.
    pub(super) async fn change_user(&mut self, id: i64, change: impl FnOnce(&mut UserChange<Map<String, Value>>)) {
        let users = Arc::clone(&self.people().users);
        let old = users.find_user(&id.into()).await.unwrap().expect("the user is there");
        let mut wanted = UserChange::default();
        change(&mut wanted);
        users.update_user(&old, wanted).await.unwrap().expect("nobody else changes it");
    }

    pub(super) async fn remove_user(&mut self, id: i64) {
        assert!(self.people().users.delete_user(&id.into()).await.unwrap(), "no user {id}");
    }

    pub(super) async fn remove_token(&mut self, token: &str) {
        assert!(self.app().tokens.delete_token(&TokenDigest::of(token)).await.unwrap(), "no such token");
    }

    /// Puts a token with this value into the database, so that it can be sent as it was recorded,
    /// in whatever form.
    pub(super) async fn token(&mut self, label: &str, recorded: &str, row: Row) {
        let app = self.app();
        app.clock.advance(Duration::from_millis(1));
        let user_id = UserId::from(row.user);
        let rev = match &app.people {
            Some(people) => people.users.find_user(&user_id).await.unwrap().map_or(0, |found| found.rev),
            None => 0,
        };
        let token = TokenRecord {
            digest: TokenDigest::of(recorded),
            user_type: Person::model_name().into(),
            user_id,
            rev,
            ttl: row.ttl,
            created: app.clock.now().plus_seconds(-row.age),
            renewed: None,
            scopes: row.scopes.map(|scopes| scopes.iter().map(|&scope| scope.to_owned()).collect()),
            proofs: Proofs::default(),
            client: None,
            last_used: None,
        };
        app.tokens.insert_token(&token).await.unwrap();
        self.known_token(label, recorded);
    }

    /// A token whose value is the recorded one, whether or not the database has it.
    pub(super) fn known_token(&mut self, label: &str, recorded: &str) {
        self.names.learn(recorded, recorded);
        self.labels.push((label.to_owned(), recorded.to_owned()));
    }

    /// Which of the tokens that have a label are alive, in the order in which they were made.
    pub(super) async fn live_tokens(&self) -> Vec<&str> {
        let Some(people) = self.app.as_ref().and_then(|app| app.people.as_ref()) else { return Vec::new() };
        let mut alive = Vec::new();
        for (label, recorded) in &self.labels {
            let digest = TokenDigest::of(self.names.live(recorded).unwrap_or(recorded));
            let app = self.app.as_ref().expect("a server was started");
            let owner = people.users.find_token_owner(&*app.tokens, &digest).await.unwrap();
            if owner.is_some_and(|owner| owner.rev == owner.token.rev && !owner.token.is_expired(app.clock.now())) {
                alive.push(label.as_str());
            }
        }
        alive
    }

    /// Asks for a password reset: the secret that the app is told of.
    pub(super) async fn reset(&mut self, email: &str) -> String {
        let _ = self.people().events.take();
        self.call("POST", "/api/users/reset").json(json!({"email": email})).await.expect_no_content();
        self.reset_secret().expect("a reset was asked for")
    }

    /// The secret of the newest reset that was asked for.
    pub(super) fn reset_secret(&mut self) -> Option<String> {
        self.people().events.events().iter().rev().find_map(|event| match event {
            Event::PasswordResetRequested { token, .. } => Some(token.expose().to_owned()),
            _ => None,
        })
    }

    /// The next mail with a proof of an address that was not yet looked at. LoopBack sends no
    /// others.
    pub(super) async fn mail(&mut self) -> Mail {
        let app = self.app();
        loop {
            app.mails_read += 1;
            let mail = app.mails.wait_for(app.mails_read).await.swap_remove(app.mails_read - 1);
            if mail.kind == MailKind::VerifyEmail {
                return mail;
            }
        }
    }

    /// Every user, as JSON.
    pub(super) async fn all_users(&mut self) -> Vec<Value> {
        let found = self.people().users.find_users(&UserQuery::default()).await.unwrap();
        found.into_iter().map(|user| serde_json::to_value(user).unwrap()).collect()
    }

    pub(super) async fn assign_role(&mut self, user: i64, role: &str) -> Result<(), String> {
        let assigned = self.people().roles.assign_role(Person::model_name(), &user.into(), role).await;
        assigned.map(|_| ()).map_err(|error| error.to_string())
    }

    /// A row is put into the table of LoopBack's model ACL.
    pub(super) fn add_acl(&mut self, row: Value) {
        let auth = self.auth();
        let acl = with_rows((*auth.acl()).clone(), [row]);
        auth.replace_acl(acl);
    }

    pub(super) fn auth(&mut self) -> &Auth<Person> {
        &self.people().auth
    }

    /// In what an answer differs from the recorded one.
    pub(super) fn difference(&mut self, recorded: Option<&Recorded>, answer: &Answer) -> Option<String> {
        if !self.app().debug {
            return difference(recorded, answer, &mut self.names);
        }
        // The recorder took the stack out of what a server in development answered.
        let mut answer = answer.clone();
        if let Ok(mut body) = serde_json::from_str::<Value>(&answer.body)
            && let Some(error) = body.get_mut("error")
        {
            without_stacks(error);
            answer.body = body.to_string();
        }
        difference(recorded, &answer, &mut self.names)
    }

    /// A request of the recorder's own.
    pub(super) fn call(&mut self, method: &str, path: &str) -> Call {
        Call::new(&self.app().router, method, path)
    }

    /// Sends a recorded request, with the tokens of this run.
    pub(super) async fn send(&mut self, request: &Request) -> Answer {
        self.app().clock.advance(Duration::from_millis(1));
        let path = self.names.put_into(&request.path);
        let mut call = self.call(&request.method, &path);
        for (name, value) in &request.headers {
            call = call.header(name, self.names.put_into(value));
        }
        if let Some(body) = &request.body {
            call = call.bare_body(self.names.put_into(body));
        }
        call.await
    }

    fn app(&mut self) -> &mut App {
        self.app.as_mut().expect("a server was started")
    }

    fn people(&mut self) -> &mut People {
        self.app().people.as_mut().expect("the users are people")
    }
}

/// Takes the stack out of an error, and of those in its details.
fn without_stacks(error: &mut Value) {
    let Value::Object(members) = error else { return };
    members.shift_remove("stack");
    if let Some(Value::Array(errors)) = members.get_mut("details") {
        errors.iter_mut().for_each(without_stacks);
    }
}
