//! The pages as a browser meets them: forms, cookies, redirects.
