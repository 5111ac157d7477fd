//! A server with CM-Well's `_login`, its tokens and its path permissions, to copy as a start.

fn main() {}
