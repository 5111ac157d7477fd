//! A server with Wix members login and the endpoints of its SDK, to copy as a start.

fn main() {}
