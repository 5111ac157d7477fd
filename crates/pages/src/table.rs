//! All declared routes of the pages, for whoever lists, checks or documents them.

use gatekit_web::Route;

use crate::feature::Feature;
use crate::{
    account, assets, change_email, change_password, confirm_email_change, confirm_password, delete_account,
    forgot_password, login, logout, register, resend_verification, reset_password, verify_email, well_known,
};

/// The routes of a feature, as data; of `None`, those that are always there.
///
/// ```
/// use gatekit_pages::{Feature, route_table};
///
/// let login = route_table().into_iter().find(|(feature, _)| *feature == Some(Feature::Login));
/// let first = login.map(|(_, routes)| routes[0].to_string());
/// assert_eq!(first.as_deref(), Some("GET /login"));
/// ```
#[must_use]
pub fn route_table() -> Vec<(Option<Feature>, Vec<Route>)> {
    let features = Feature::ALL.map(|feature| (Some(feature), routes_of(feature).concat()));
    [(None, assets::ROUTES.to_vec())].into_iter().chain(features).collect()
}

fn routes_of(feature: Feature) -> &'static [&'static [Route]] {
    match feature {
        Feature::Register => &[&register::ROUTES],
        Feature::Login => &[&login::ROUTES, &logout::ROUTES, &confirm_password::ROUTES],
        Feature::ResetPassword => &[&forgot_password::ROUTES, &reset_password::ROUTES],
        Feature::VerifyEmail => &[&verify_email::ROUTES, &resend_verification::ROUTES],
        Feature::ChangePassword => &[&change_password::ROUTES, &well_known::ROUTES],
        Feature::ChangeEmail => &[&change_email::ROUTES, &confirm_email_change::ROUTES],
        Feature::Account => &[&account::ROUTES, &account::SESSION_ROUTES],
        Feature::DeleteAccount => &[&delete_account::ROUTES],
    }
}
