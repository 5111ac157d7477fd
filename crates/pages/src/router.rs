//! Mounts the pages, and refuses an app whose pages could not work.

use std::sync::Arc;

use axum::Router;
use gatekit_core::{Account, required_profile_fields};

use crate::feature::Feature;
use crate::pages::Pages;
use crate::{
    account, assets, change_email, change_password, confirm_email_change, confirm_password, delete_account,
    forgot_password, login, logout, register, resend_verification, reset_password, verify_email, well_known,
};

impl<U: Account> Pages<U> {
    /// The routes, to merge into an app's router or to nest into it.
    ///
    /// # Panics
    ///
    /// If [`only`](Self::only) names a feature that the store of the users cannot carry,
    /// [`after_login`](Self::after_login) or [`home`](Self::home) is a place nobody may be sent to,
    /// or the form to sign up cannot work: a field that the profile needs is not declared by
    /// [`profile_field`](Self::profile_field), or a declared one has no label or a name that it
    /// cannot have.
    #[expect(clippy::panic, reason = "the app's author meets it at the first start, and never again")]
    pub fn router<S: Clone + Send + Sync + 'static>(mut self) -> Router<S> {
        for feature in &*self.look.features {
            if let Some(need) = self.auth.missing(feature.needs()) {
                panic!("the pages of {feature:?} need {need}, or leave them out with `Pages::without`");
            }
        }
        for target in self.after_login.iter().chain([&self.look.home]) {
            if !self.auth.may_redirect_to(target) {
                panic!("{target:?} is neither a path of the site nor below an origin of `Builder::redirect_origin`");
            }
        }
        if self.look.features.contains(&Feature::Register)
            && let Err(mistake) = self.check_profile_fields()
        {
            panic!("{mistake}");
        }
        let routes = |feature: &Feature| match feature {
            Feature::Register => register::routes(),
            Feature::Login => login::routes().merge(logout::routes()).merge(confirm_password::routes()),
            Feature::ResetPassword => forgot_password::routes().merge(reset_password::routes()),
            Feature::VerifyEmail => verify_email::routes().merge(resend_verification::routes()),
            Feature::ChangePassword => change_password::routes().merge(well_known::routes()),
            Feature::ChangeEmail => change_email::routes().merge(confirm_email_change::routes()),
            Feature::Account => account::routes(),
            Feature::DeleteAccount => delete_account::routes(),
        };
        let router = self.look.features.iter().map(routes).fold(assets::routes(), Router::merge);
        router.with_state(Arc::new(self))
    }

    /// Checks that every complete form to sign up makes a profile. A field that the profile cannot
    /// be read without is required from here on.
    fn check_profile_fields(&mut self) -> Result<(), String> {
        let needed = required_profile_fields::<U::Profile>();
        for needed in &needed {
            if !self.profile_fields.iter().any(|field| field.name() == needed) {
                return Err(format!(
                    "the profile of {} cannot be read without the field {needed:?}, which the form of /register has not: nobody could sign up. Declare it: \
                     `Pages::profile_field(ProfileField::text({needed:?}).label(\"en\", \"...\"))`. Or give it a default with `#[serde(default)]`, or leave \
                     the page out with `Pages::without([Feature::Register])`",
                    U::model_name(),
                ));
            }
        }
        let mut names = Vec::new();
        for field in &mut self.profile_fields {
            if let Some(mistake) = field.mistake() {
                return Err(mistake);
            }
            if names.contains(&field.name().to_owned()) {
                return Err(format!("the profile field {:?} is declared twice", field.name()));
            }
            names.push(field.name().to_owned());
            for tag in self.look.languages.iter() {
                if !field.has_label(&self.look.texts, tag) {
                    return Err(format!(
                        "the profile field {:?} has no label in {tag:?}, nor in English. Add `.label({tag:?}, \"...\")`",
                        field.name()
                    ));
                }
            }
            if needed.iter().any(|needed| needed == field.name()) {
                field.require();
            }
        }
        Ok(())
    }
}
