//! What must hold between settings. Must not know how a value is written.

use super::Loaded;
use super::fault::Fault;
use super::kinds::is_loopback;

/// Adds the faults and warnings of values that don't go together.
pub(super) fn check(loaded: &mut Loaded) {
    let mut checking = Checking { loaded, faults: Vec::new(), warnings: Vec::new() };
    checking.listen();
    checking.tls();
    checking.seal();
    checking.audit();
    let Checking { faults, warnings, .. } = checking;
    loaded.faults.extend(faults);
    loaded.warnings.extend(warnings);
}

struct Checking<'a> {
    loaded: &'a Loaded,
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
}

impl Checking<'_> {
    fn fault(&mut self, section: &str, name: &str, what: impl Into<String>) {
        let origin = self.loaded.origin(section, name);
        self.faults.push(Fault { origin, what: what.into() });
    }

    fn warning(&mut self, section: &str, name: &str, what: impl Into<String>) {
        let origin = self.loaded.origin(section, name);
        self.warnings.push(Fault { origin, what: what.into() });
    }

    fn listen(&mut self) {
        let config = &self.loaded.config;
        if config.listen.addresses.is_empty() {
            self.fault("listen", "addresses", "listen.addresses must have an address");
        }
        let tls = config.tls.certificate.is_some();
        let open = config.listen.addresses.iter().find(|address| !is_loopback(**address));
        if let (Some(address), false, false) = (open, tls, config.listen.plain_http) {
            let what = format!(
                "listen.addresses has {address}, which other machines can reach, and there is no \
                 TLS: set tls.certificate and tls.private_key, or set listen.plain_http to true \
                 if something before the server speaks TLS"
            );
            self.fault("listen", "addresses", what);
        }
        if let Some(address) = config.operations.listen.filter(|address| !is_loopback(*address)) {
            let what = format!(
                "operations.listen is {address}: whoever reaches it reads metrics, which tell \
                 accounts and how much they do"
            );
            self.warning("operations", "listen", what);
        }
    }

    fn tls(&mut self) {
        let tls = &self.loaded.config.tls;
        match (&tls.certificate, &tls.private_key) {
            (Some(_), None) => {
                let what = "tls.certificate is set, and tls.private_key must be too";
                self.fault("tls", "certificate", what);
            }
            (None, Some(_)) => {
                let what = "tls.private_key is set, and tls.certificate must be too";
                self.fault("tls", "private_key", what);
            }
            (None, None) if tls.client_ca.is_some() => {
                let what = "tls.client_ca is set, which is of no use without tls.certificate and \
                            tls.private_key";
                self.fault("tls", "client_ca", what);
            }
            _ => {}
        }
    }

    fn seal(&mut self) {
        let seal = &self.loaded.config.seal;
        if seal.passphrase_file.is_some() && seal.passphrase_credential.is_some() {
            let what = "seal.passphrase_file and seal.passphrase_credential are both set; only one \
                        can be taken";
            self.fault("seal", "passphrase_credential", what);
        }
    }

    fn audit(&mut self) {
        let (audit, http) = (&self.loaded.config.audit, &self.loaded.config.audit_http);
        if audit.retention_size.is_some_and(|size| size < audit.segment_size) {
            let what = "audit.retention_size must be at least audit.segment_size: only closed \
                        segments are removed";
            self.fault("audit", "retention_size", what);
        }
        let larger = audit.retention_size.zip(audit.undelivered_size);
        if larger.is_some_and(|(size, undelivered)| undelivered < size) {
            let what = "audit.undelivered_size must be at least audit.retention_size";
            self.fault("audit", "undelivered_size", what);
        }
        let plain = http.url.as_deref().is_some_and(|url| url.starts_with("http://"));
        if http.url.is_none() && http.token_file.is_some() {
            let what = "audit.http.token_file is set, which is of no use without audit.http.url";
            self.fault("audit.http", "token_file", what);
        }
        if plain && http.ca_file.is_some() {
            let what = "audit.http.ca_file is set, but audit.http.url begins with http://";
            self.fault("audit.http", "ca_file", what);
        }
        if plain && http.token_file.is_some() {
            let what = "audit.http.url begins with http://: the token and the records go over \
                        the network as they are";
            self.warning("audit.http", "url", what);
        }
    }
}
