//! The fields of an app's own profile in the form to sign up.

use axum::Router;
use gatekit::core::Texts;
use gatekit::pages::{Feature, Field, Pages, ProfileField, RegisterPage, Rendered, Templates};
use gatekit::{Account, Auth, AuthLayer, MemoryStore, Model, SqliteStore, User, routes};
use gatekit_testkit::fast_hasher;
use gatekit_tests::{Call, EMAIL, Folder, PASSWORD, Store, on_every_store};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::site::{Browser, PageAnswer};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Profile {
    full_name: String,
    plan: Plan,
    age: Option<u8>,
    #[serde(default)]
    newsletter: bool,
    terms: bool,
    about: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Plan {
    Free,
    Paid,
}

impl Model for Profile {}

type Person = User<Profile>;

async fn auth(store: Store, texts: Texts) -> (Auth<Person>, Folder) {
    let folder = Folder::new();
    let auth = match store {
        Store::Memory => {
            let store = MemoryStore::new();
            Auth::builder(store).texts(texts).hasher(fast_hasher()).build()
        }
        Store::Sqlite => {
            let store = SqliteStore::open(folder.database()).await.unwrap();
            Auth::builder(store).texts(texts).hasher(fast_hasher()).build()
        }
    };
    (auth.unwrap(), folder)
}

fn pages(auth: &Auth<Person>) -> Pages<Person> {
    Pages::new(auth.clone())
        .site_name("Acme")
        .profile_field(
            ProfileField::text("fullName")
                .label("en", "Full name")
                .label("de", "Ganzer Name")
                .autocomplete("name")
                .max_length(40),
        )
        .profile_field(
            ProfileField::select("plan", ["free", "paid"])
                .label("en", "Plan")
                .label("de", "Tarif")
                .option("free", "en", "Free of charge")
                .option("free", "de", "Kostenlos")
                .hint("en", "You can change it later"),
        )
        .profile_field(
            ProfileField::number("age")
                .label("en", "Age")
                .label("de", "Alter")
                .invalid("en", "An age is from 0 to 255"),
        )
        .profile_field(ProfileField::checkbox("newsletter").label("en", "Send me news"))
        .profile_field(
            ProfileField::checkbox("terms").label("en", "I agree").required().missing("en", "You have to agree"),
        )
        .profile_field(ProfileField::lines("about").label("en", "About you"))
}

fn mounted(pages: Pages<Person>, auth: &Auth<Person>) -> Browser {
    Browser::new(&pages.router().layer(AuthLayer::new(auth.clone())))
}

on_every_store! {
    async fn what_is_entered_becomes_the_profile_in_the_types_that_it_has(store) {
        let (auth, _folder) = auth(store, Texts::default()).await;
        let mut browser = mounted(pages(&auth), &auth);
        let form = browser.get("/register").await.page(200, "Create an account");
        for html in [
            r#"<label for="fullName">Full name</label>"#,
            r#"<input id="fullName" name="fullName" type="text" autocomplete="name" maxlength="40" required>"#,
            r#"<span class="hint" id="plan-hint">You can change it later</span>"#,
            r#"<option value="free">Free of charge</option>"#,
            r#"<option value="paid">paid</option>"#,
            r#"<input id="age" name="age" type="text" autocomplete="off" inputmode="decimal">"#,
            r#"<input id="newsletter" name="newsletter" type="checkbox" value="on">"#,
            r#"<input id="terms" name="terms" type="checkbox" value="on" required>"#,
            r#"<textarea id="about" name="about" rows="4" autocomplete="off">"#,
        ] {
            form.clone().says(html);
        }
        let fields = [
            ("email", EMAIL), ("password", PASSWORD), ("fullName", " Ada L. "), ("plan", "paid"), ("age", "36"), ("newsletter", "on"),
            ("terms", "on"), ("about", "One\r\nTwo"), ("return_to", "/start"),
        ];
        browser.post("/register", &fields).await.goes_to("/start");
        let caller = auth.authenticate(browser.token().unwrap()).await.unwrap();
        let about = Some("One\r\nTwo".to_owned());
        let profile = Profile { full_name: "Ada L.".into(), plan: Plan::Paid, age: Some(36), newsletter: true, terms: true, about };
        assert_eq!(caller.principal.profile, profile);
        // What is left empty is not there.
        let mut browser = mounted(pages(&auth), &auth);
        let fields = [("email", "abc@bar.com"), ("password", PASSWORD), ("fullName", "A"), ("plan", "free"), ("age", ""), ("terms", "on"), ("about", " ")];
        browser.post("/register", &fields).await.goes_to("/account");
        let caller = auth.authenticate(browser.token().unwrap()).await.unwrap();
        let profile = Profile { full_name: "A".into(), plan: Plan::Free, age: None, newsletter: false, terms: true, about: None };
        assert_eq!(caller.principal.profile, profile);
    }

    async fn all_that_is_wrong_is_told_at_once_each_at_its_place(store) {
        let (auth, _folder) = auth(store, Texts::default()).await;
        let mut browser = mounted(pages(&auth), &auth);
        let fields = [("email", "nobody"), ("password", "short"), ("fullName", ""), ("plan", ""), ("age", "300"), ("about", "<b>me</b>")];
        let page = browser.post("/register", &fields).await.page(422, "Create an account");
        let summary: Vec<&str> = page.body.split("<li><a href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert_eq!(summary, ["email", "password", "fullName", "plan", "terms", "age"]);
        for (name, text) in [
            ("fullName", "Fill in “Full name”"),
            ("plan", "Choose something for “Plan”"),
            ("age", "An age is from 0 to 255"),
            ("terms", "You have to agree"),
        ] {
            page.clone()
                .says(&format!(r#"<span class="error" id="{name}-error">{text}</span>"#))
                .says(&format!(r##"<a href="#{name}">{text}</a>"##));
        }
        page.clone().says(r#"aria-invalid="true" aria-describedby="plan-error plan-hint""#);
        // What was right is kept, as text.
        page.says(r#"value="300""#).says("&#60;b&#62;me&#60;/b&#62;</textarea>").hides("<b>me");

        let mut german = mounted(pages(&auth), &auth).header("accept-language", "de");
        let fields = [("email", EMAIL), ("password", PASSWORD), ("fullName", ""), ("plan", "gold"), ("age", "alt"), ("terms", "on"), ("newsletter", "on")];
        let page = german.post("/register", &fields).await.page(422, "Konto anlegen");
        page.clone()
            .says("Füllen Sie „Ganzer Name“ aus")
            .says("Prüfen Sie „Tarif“: Das wird nicht angenommen")
            // The app's own words, which it has in English only.
            .says("An age is from 0 to 255")
            .says(r#"<option value="free">Kostenlos</option>"#)
            .says(r#"<input id="newsletter" name="newsletter" type="checkbox" value="on" checked>"#);
        let long = "a".repeat(41);
        let fields = [("email", EMAIL), ("password", PASSWORD), ("fullName", long.as_str()), ("plan", "free"), ("terms", "on")];
        let page = browser.post("/register", &fields).await.page(422, "Create an account");
        page.says("Check “Full name”: this is not accepted");
        assert!(browser.jar.is_empty());
    }

    /// Another language than the built-in ones, by the catalogue of the site.
    async fn a_field_speaks_the_other_languages_of_the_site(store) {
        let texts = Texts::default().set("fr", "page.profile.plan", "Formule").set("fr", "page.error.profile.unchosen", "Choisissez «\u{a0}{label}\u{a0}»");
        let (auth, _folder) = auth(store, texts).await;
        let mut browser = mounted(pages(&auth).languages(["en", "fr"]), &auth).header("accept-language", "fr");
        let page = browser.post("/register", &[("email", EMAIL), ("password", PASSWORD), ("fullName", "A"), ("terms", "on")]).await;
        page.expect_status(422).says(r#"<label for="plan">Formule</label>"#).says("Choisissez «\u{a0}Formule\u{a0}»").says("Full name");
    }

    /// serde stops at the first mistake, and the API names them all.
    async fn the_api_names_every_field_that_is_wrong(store) {
        let (auth, _folder) = auth(store, Texts::default()).await;
        let router = Router::new().nest("/api/users", routes::all(&auth)).layer(AuthLayer::new(auth));
        let create = |body: serde_json::Value| Call::new(&router, "POST", "/api/users").json(body);
        let body = json!({ "email": "nobody", "plan": "gold", "age": 300, "newsletter": "yes" });
        let answer = create(body).await.expect_error(422).value();
        let codes = json!({
            "password": ["presence"], "email": ["custom.email"], "plan": ["custom.type"], "age": ["custom.type"],
            "newsletter": ["custom.type"], "fullName": ["presence"], "terms": ["presence"],
        });
        assert_eq!(answer["error"]["details"]["codes"], codes);
        let sound = json!({ "email": EMAIL, "password": PASSWORD, "plan": "free", "fullName": "Ada", "terms": true });
        let id = create(sound).await.expect_status(200).value()["id"].clone();
        let login = Call::new(&router, "POST", "/api/users/login").json(json!({ "email": EMAIL, "password": PASSWORD }));
        let token = login.await.expect_status(200).text("id");
        let patch = Call::new(&router, "PATCH", &format!("/api/users/{id}")).token(&token);
        let answer = patch.json(json!({ "age": -1, "fullName": 7 })).await.expect_error(422).value();
        assert_eq!(answer["error"]["details"]["codes"], json!({ "age": ["custom.type"], "fullName": ["custom.type"] }));
    }
}

/// The app's author meets it at the first start.
#[tokio::test]
async fn a_form_that_could_make_no_user_is_refused_when_it_is_mounted() {
    let (auth, _folder) = auth(Store::Memory, Texts::default()).await;
    let refused = |pages: Pages<Person>| {
        let refusal = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(pages.router::<()>())))
            .expect_err("it is refused");
        refusal.downcast_ref::<String>().unwrap().clone()
    };
    let message = refused(Pages::new(auth.clone()));
    assert!(message.contains(r#"`Pages::profile_field(ProfileField::text("fullName")"#), "{message}");
    assert!(message.contains(Person::model_name()), "{message}");
    let unnamed = pages(&auth).profile_field(ProfileField::text("city"));
    assert!(refused(unnamed).contains(r#""city" has no label in "en""#));
    for (name, wanted) in
        [("password", "name of the form's own"), ("a b", "use letters"), ("", "use letters"), ("plan", "twice")]
    {
        let message = refused(pages(&auth).profile_field(ProfileField::text(name).label("en", "A")));
        assert!(message.contains(wanted), "{name}: {message}");
    }
    // Nobody signs up here.
    drop(Pages::new(auth.clone()).without([Feature::Register]).router::<()>());
    drop(pages(&auth).router::<()>());
}

struct Own;

impl Templates for Own {
    fn register(&self, view: &RegisterPage) -> Rendered {
        let name = view.profile_field("fullName").expect("it is declared");
        let city = view.others.iter().find(|(name, _)| name == "city").map_or("", |(_, city)| city);
        let city = Field::new("city", "City").hint("<Where>").value(city);
        Ok(format!("<form>{name}{}{city}</form>", view.email))
    }
}

#[tokio::test]
async fn a_template_places_the_declared_fields_and_builds_its_own() {
    let (auth, _folder) = auth(Store::Memory, Texts::default()).await;
    let mut browser = mounted(pages(&auth).templates(Own), &auth);
    let page = browser
        .post("/register", &[("city", "Paris & Lyon"), ("fullName", "Ada")])
        .await
        .page(422, "Create an account");
    page.says(r#"<form><div class="field">"#)
        .says(r#"name="fullName" type="text" autocomplete="name" value="Ada""#)
        .says(r#"<span class="hint" id="city-hint">&#60;Where&#62;</span>"#)
        .says(r#"<input id="city" name="city" type="text" autocomplete="off" value="Paris &#38; Lyon" aria-describedby="city-hint">"#);
}
