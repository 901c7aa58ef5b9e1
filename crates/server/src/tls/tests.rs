//! Which files TLS is set up from, and what happens when they change.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::version::TLS13;
use rustls::{ClientConnection, ServerConnection};

use super::fixtures::{Authority, NAME, NOW, Pair, write};
use super::*;

/// What a client sees that shakes hands with the server in memory.
fn shake(tls: &Tls, client: Arc<rustls::ClientConfig>) -> Result<Vec<u8>, rustls::Error> {
    let mut server = ServerConnection::new(tls.config()).unwrap();
    let mut client = ClientConnection::new(client, NAME.try_into().unwrap()).unwrap();
    while client.is_handshaking() || server.is_handshaking() || server.wants_write() {
        let mut wire = Vec::new();
        while client.wants_write() {
            client.write_tls(&mut wire).unwrap();
        }
        let mut arriving = wire.as_slice();
        while !arriving.is_empty() {
            server.read_tls(&mut arriving).unwrap();
            server.process_new_packets()?;
        }
        let mut wire = Vec::new();
        while server.wants_write() {
            server.write_tls(&mut wire).unwrap();
        }
        let mut arriving = wire.as_slice();
        while !arriving.is_empty() {
            client.read_tls(&mut arriving).unwrap();
            client.process_new_packets()?;
        }
    }
    Ok(client.peer_certificates().unwrap()[0].to_vec())
}

fn refusal(files: &TlsFiles) -> String {
    Tls::open(files.clone()).map(|_| ()).unwrap_err().to_string()
}

fn der(pair: &Pair) -> Vec<u8> {
    use rustls::pki_types::pem::PemObject as _;
    CertificateDer::from_pem_slice(pair.certificate.as_bytes()).unwrap().to_vec()
}

fn at(year: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs((year - 1970) * 31_556_952 + 86_400)
}

#[test]
fn files_that_do_not_do_are_named_with_what_to_do() {
    let home = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let (pair, another) = (authority.issue(NOW), authority.issue(NOW));
    let good = write(home.path(), &pair);
    assert!(Tls::open(good.clone()).is_ok());

    let set = |path: &Path, text: &str| fs::write(path, text).unwrap();
    set(&good.private_key, &another.private_key);
    assert!(refusal(&good).contains("is not that of the certificate"));
    for (text, expected) in [
        ("", "no private key in PEM"),
        (pair.certificate.as_str(), "no private key in PEM"),
        (
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "decrypted first",
        ),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "no kind that TLS uses"),
    ] {
        set(&good.private_key, text);
        let told = refusal(&good);
        assert!(told.contains(expected) && told.contains("tls.key"), "{told}");
    }
    set(&good.private_key, &pair.private_key);
    for text in
        ["", &pair.private_key, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"]
    {
        set(&good.certificate, text);
        let told = refusal(&good);
        assert!(told.contains("no certificate in PEM") && told.contains("tls.crt"), "{told}");
    }
    set(&good.certificate, &"x".repeat(2 << 20));
    assert!(refusal(&good).contains("longer than"));
    let directory = TlsFiles { certificate: home.path().to_owned(), ..good.clone() };
    assert!(refusal(&directory).contains("not a regular file"));
    fs::remove_file(&good.certificate).unwrap();
    assert!(refusal(&good).contains("No such file"));
}

#[test]
fn a_private_key_that_others_may_read_is_refused() {
    let home = tempfile::tempdir().unwrap();
    let files = write(home.path(), &Authority::new().issue(NOW));
    for mode in [0o644, 0o606, 0o660] {
        fs::set_permissions(&files.private_key, Permissions::from_mode(mode)).unwrap();
        let told = refusal(&files);
        assert!(told.contains("chmod 0600") && told.contains(&format!("{mode:04o}")), "{told}");
    }
    fs::set_permissions(&files.private_key, Permissions::from_mode(0o400)).unwrap();
    assert!(Tls::open(files).is_ok());
}

#[test]
fn the_time_of_a_certificate_is_told() {
    let home = tempfile::tempdir().unwrap();
    let tls = Tls::open(write(home.path(), &Authority::new().issue((2030, 2031)))).unwrap();
    assert_eq!(tls.validity(), Validity { from: 1_893_456_000, until: 1_924_992_000 });
    let complaint = |time| tls.complaint(time).unwrap_or_default();
    assert!(complaint(at(2029)).contains("not valid before 2030-01-01T00:00:00Z"));
    assert_eq!(complaint(at(2030)), "");
    let soon = UNIX_EPOCH + Duration::from_secs(1_924_992_000 - 1000);
    assert!(complaint(soon).contains("expires on 2031-01-01T00:00:00Z"));
    assert!(complaint(at(2031)).contains("has expired on 2031-01-01T00:00:00Z"));
}

#[test]
fn a_changed_pair_is_shown_and_a_broken_one_is_not() {
    let home = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let (old, new) = (authority.issue(NOW), authority.issue(NOW));
    let files = write(home.path(), &old);
    let tls = Tls::open(files.clone()).unwrap();
    let client = authority.client(&[&TLS13], &[], None);
    let shown = || shake(&tls, Arc::clone(&client)).unwrap();
    assert_eq!(shown(), der(&old));
    assert!(!tls.reload_if_changed().unwrap());

    // Whoever replaces two files replaces one first.
    fs::write(&files.certificate, &new.certificate).unwrap();
    assert!(matches!(tls.reload_if_changed(), Err(TlsError::Mismatch(_))));
    assert_eq!(shown(), der(&old));
    // It is complained of once.
    assert!(!tls.reload_if_changed().unwrap());
    fs::write(&files.private_key, &new.private_key).unwrap();
    assert!(tls.reload_if_changed().unwrap());
    assert_eq!(shown(), der(&new));

    fs::remove_file(&files.private_key).unwrap();
    assert!(tls.reload_if_changed().is_err());
    assert!(tls.reload().is_err());
    assert_eq!(shown(), der(&new));
    write(home.path(), &old);
    assert!(tls.reload_if_changed().unwrap());
    assert_eq!(shown(), der(&old));
}

#[test]
fn a_pair_behind_a_link_that_is_turned_is_reloaded() {
    let home = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let pairs = [authority.issue(NOW), authority.issue(NOW)];
    for (name, pair) in ["a", "b"].iter().zip(&pairs) {
        fs::create_dir(home.path().join(name)).unwrap();
        write(&home.path().join(name), pair);
    }
    let (link, next) = (home.path().join("live"), home.path().join("next"));
    std::os::unix::fs::symlink("a", &link).unwrap();
    let tls = Tls::open(TlsFiles {
        certificate: link.join("tls.crt"),
        private_key: link.join("tls.key"),
        client_authorities: None,
        only_tls_1_3: false,
    });
    let tls = tls.unwrap();
    std::os::unix::fs::symlink("b", &next).unwrap();
    fs::rename(&next, &link).unwrap();
    assert!(tls.reload_if_changed().unwrap());
    let client = authority.client(&[&TLS13], &[], None);
    assert_eq!(shake(&tls, client).unwrap(), der(&pairs[1]));
}

#[test]
fn clients_need_a_certificate_of_the_right_authority_where_one_is_named() {
    let home = tempfile::tempdir().unwrap();
    let (authority, stranger) = (Authority::new(), Authority::new());
    let mut files = write(home.path(), &authority.issue(NOW));
    files.client_authorities = Some(home.path().join("clients.pem"));
    assert!(refusal(&files).contains("clients.pem"));
    fs::write(home.path().join("clients.pem"), authority.pem()).unwrap();
    let tls = Tls::open(files).unwrap();
    let client = |own: Option<&Pair>| authority.client(&[&TLS13], &[], own);
    assert!(shake(&tls, client(Some(&authority.issue(NOW)))).is_ok());
    for own in [None, Some(stranger.issue(NOW)), Some(authority.issue((2000, 2001)))] {
        assert!(shake(&tls, client(own.as_ref())).is_err());
    }
    // New authorities hold for the next connection.
    fs::write(home.path().join("clients.pem"), stranger.pem()).unwrap();
    assert!(tls.reload_if_changed().unwrap());
    assert!(shake(&tls, client(Some(&stranger.issue(NOW)))).is_ok());
    assert!(shake(&tls, client(Some(&authority.issue(NOW)))).is_err());
}
