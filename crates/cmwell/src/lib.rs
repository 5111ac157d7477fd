//! CM-Well's login over Gatekit's accounts: `GET /_login` with Basic and Digest, its JSON Web Tokens, its path permissions.
