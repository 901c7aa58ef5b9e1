//! The certificate of a run: made for it, for this machine alone, and trusted by its clients alone.
//! It must not know which server shows it.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::Outcome;

/// A self-signed certificate as files, and the client that trusts nothing else.
pub(crate) struct Certificate {
    pub(crate) chain: PathBuf,
    pub(crate) private_key: PathBuf,
    pub(crate) client: Arc<ClientConfig>,
}

impl Certificate {
    /// Makes one in a folder.
    pub(crate) fn make(folder: &Path) -> Outcome<Self> {
        let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).map_err(|error| error.to_string())?;
        let chain = folder.join("server.pem");
        let private_key = folder.join("server.key");
        write(&chain, &made.cert.pem())?;
        write(&private_key, &made.signing_key.serialize_pem())?;
        let mut roots = RootCertStore::empty();
        roots.add(made.cert.der().clone()).map_err(|error| error.to_string())?;
        let client = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Ok(Self { chain, private_key, client: Arc::new(client) })
    }
}

/// What a server shows that reads such files.
pub(crate) fn server(chain: &Path, private_key: &Path) -> Outcome<Arc<ServerConfig>> {
    let failed = |path: &Path| format!("{} can't be read", path.display());
    let certificate = CertificateDer::from_pem_file(chain).map_err(|_| failed(chain))?;
    let key = PrivateKeyDer::from_pem_file(private_key).map_err(|_| failed(private_key))?;
    let config =
        ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key);
    config.map(Arc::new).map_err(|error| error.to_string())
}

/// Writes a file that only this user may read: the server refuses a key that others may.
fn write(path: &Path, text: &str) -> Outcome {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| format!("{}: {error}", path.display()))
}
