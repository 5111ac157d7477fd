//! Mails over TLS, with a server whose certificate an authority of our own has signed.
#![cfg(feature = "smtp")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at the first surprise")]

use std::sync::Arc;

use gatekit_core::{Mail, MailKind, Mailer};
use gatekit_mail::{SmtpConfigError, SmtpMailer};
use gatekit_testkit::SmtpSink;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// TLS in front of a server without: from the first byte, or after STARTTLS.
struct Tls {
    sink: SmtpSink,
    port: u16,
    authority: String,
}

impl Tls {
    async fn start(host: &str, starttls: bool) -> Self {
        let made = rcgen::generate_simple_self_signed([host.to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config =
            ServerConfig::builder().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let sink = SmtpSink::start().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (port, behind) = (listener.local_addr().unwrap().port(), sink.addr());
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(behind).await.unwrap();
                    if starttls {
                        expect(&mut server, "220").await;
                        client.write_all(b"220 ready\r\n").await.unwrap();
                        expect(&mut client, "EHLO").await;
                        client.write_all(b"250-proxy\r\n250 STARTTLS\r\n").await.unwrap();
                        expect(&mut client, "STARTTLS").await;
                        client.write_all(b"220 go on\r\n").await.unwrap();
                    }
                    // A client that does not trust us hangs up here.
                    let Ok(mut client) = acceptor.accept(client).await else { return };
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        Self { sink, port, authority: made.cert.pem() }
    }
}

async fn expect(stream: &mut TcpStream, start: &str) {
    let mut buffer = [0; 512];
    let read = stream.read(&mut buffer).await.unwrap();
    assert!(buffer[..read].starts_with(start.as_bytes()), "{:?}", String::from_utf8_lossy(&buffer[..read]));
}

fn mailer(url: &str) -> SmtpMailer {
    SmtpMailer::from_url(url, "no-reply@example.com").unwrap()
}

fn hello() -> Mail {
    Mail::new(MailKind::ResetPassword, "ada@example.com", "Hello", "Good morning.")
}

#[tokio::test]
async fn a_mail_goes_over_tls_from_the_first_byte() {
    let tls = Tls::start("localhost", false).await;
    let mailer = mailer(&format!("smtps://ada:secret@localhost:{}", tls.port));
    let mailer = mailer.root_certificate(tls.authority.as_bytes()).unwrap();
    mailer.send(hello()).await.unwrap();
    mailer.send(hello()).await.unwrap();
    assert_eq!((tls.sink.mails().len(), tls.sink.connections()), (2, 1));
    assert_eq!(tls.sink.logins(), [("ada".into(), "secret".into())]);
}

#[tokio::test]
async fn a_mail_goes_over_starttls() {
    let tls = Tls::start("localhost", true).await;
    for asked in ["required", "opportunistic"] {
        let mailer = mailer(&format!("smtp://ada:secret@localhost:{}?tls={asked}", tls.port));
        mailer.root_certificate(tls.authority.as_bytes()).unwrap().send(hello()).await.unwrap();
    }
    assert_eq!((tls.sink.mails().len(), tls.sink.logins().len()), (2, 2));
}

/// One more authority to trust makes nothing less strict.
#[tokio::test]
async fn starttls_stays_required_with_an_authority_of_our_own() {
    let (tls, plain) = (Tls::start("localhost", true).await, SmtpSink::start().await);
    let mailer = mailer(&format!("smtp://ada:secret@{}?tls=required", plain.addr()));
    let error = mailer.root_certificate(tls.authority.as_bytes()).unwrap().send(hello()).await.unwrap_err();
    assert!(error.to_string().contains("STARTTLS is not supported"), "{error}");
    assert_eq!((plain.logins().len(), plain.mails().len()), (0, 0));
}

#[tokio::test]
async fn a_host_may_be_an_address() {
    let tls = Tls::start("127.0.0.1", false).await;
    let mailer = mailer(&format!("smtps://127.0.0.1:{}", tls.port));
    mailer.root_certificate(tls.authority.as_bytes()).unwrap().send(hello()).await.unwrap();
    assert_eq!(tls.sink.mails().len(), 1);
}

/// Neither password nor mail goes to a server that cannot prove who it is, and it is not asked
/// again.
#[tokio::test]
async fn a_certificate_nobody_vouches_for_or_of_another_host_is_refused() {
    for starttls in [false, true] {
        let (ours, other) = (Tls::start("localhost", starttls).await, Tls::start("mail.example.com", starttls).await);
        for (tls, trusted) in [(&ours, None), (&other, Some(&other.authority))] {
            let url = match starttls {
                false => format!("smtps://ada:secret@localhost:{}", tls.port),
                true => format!("smtp://ada:secret@localhost:{}?tls=required", tls.port),
            };
            let mut mailer = mailer(&url);
            if let Some(authority) = trusted {
                mailer = mailer.root_certificate(authority.as_bytes()).unwrap();
            }
            let error = mailer.send(hello()).await.unwrap_err();
            assert!(error.to_string().contains("certificate"), "{error}");
            assert_eq!((tls.sink.mails().len(), tls.sink.logins().len()), (0, 0));
            assert_eq!(tls.sink.connections(), 1, "tried once: {error}");
        }
    }
}

#[test]
fn what_is_no_certificate_is_refused() {
    for pem in ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let refused = mailer("smtps://localhost").root_certificate(pem.as_bytes()).map(|_| ());
        assert_eq!(refused, Err(SmtpConfigError::Certificate), "{pem:?}");
    }
}
