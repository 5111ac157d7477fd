//! CM-Well's login as its clients meet it.
