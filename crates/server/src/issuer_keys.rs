//! The keys of identity tokens' issuers, from files that the operator names.
//!
//! A file is read again for each token, so that it can be replaced while the server runs. Nothing
//! is fetched: an issuer without a file isn't trusted.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use service::ports::{IssuerKeys, IssuerKeysError, KEY_SET_MAX, Pending};

/// The file that holds the key set of an issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySetFile {
    /// The issuer, without `https://`.
    issuer: String,
    file: PathBuf,
}

/// A setting that is no `ISSUER=FILE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidKeySetFile(String);

impl std::fmt::Display for InvalidKeySetFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "'{}' is not ISSUER=FILE with an issuer such as https://idp.example", self.0)
    }
}

impl KeySetFile {
    /// Reads a setting, `https://ISSUER=FILE`.
    ///
    /// # Errors
    /// [`InvalidKeySetFile`].
    pub fn parse(setting: &str) -> Result<Self, InvalidKeySetFile> {
        let parts = setting.split_once('=').and_then(|(issuer, file)| {
            let issuer = issuer.strip_prefix("https://").filter(|issuer| !issuer.is_empty())?;
            let (issuer, file) = (issuer.to_owned(), PathBuf::from(file));
            (!file.as_os_str().is_empty()).then_some(Self { issuer, file })
        });
        parts.ok_or_else(|| InvalidKeySetFile(setting.to_owned()))
    }

    /// The same, with a relative path taken to begin at that directory.
    pub(crate) fn under(mut self, directory: &Path) -> Self {
        self.file = directory.join(self.file);
        self
    }
}

impl std::fmt::Display for KeySetFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "https://{}={}", self.issuer, self.file.display())
    }
}

/// The issuers whose keys are in files.
pub(crate) struct KeySetFiles(HashMap<String, PathBuf>);

impl KeySetFiles {
    /// The issuers of those files, all of which can be read.
    ///
    /// # Errors
    /// The first file that can't, with what is wrong with it.
    pub(crate) fn open(files: &[KeySetFile]) -> Result<Self, (PathBuf, io::Error)> {
        for KeySetFile { file, .. } in files {
            let text = read(file).map_err(|error| (file.clone(), error))?;
            let keys = serde_json::from_str::<serde_json::Value>(&text).ok();
            if !keys.is_some_and(|set| set["keys"].is_array()) {
                let error = io::Error::new(io::ErrorKind::InvalidData, "it is no JSON Web Key Set");
                return Err((file.clone(), error));
            }
        }
        let files = files.iter().map(|file| (file.issuer.clone(), file.file.clone()));
        Ok(Self(files.collect()))
    }
}

impl IssuerKeys for KeySetFiles {
    fn key_set<'a>(&'a self, issuer: &'a str) -> Pending<'a, Result<String, IssuerKeysError>> {
        Box::pin(async move {
            let file = self.0.get(issuer).ok_or(IssuerKeysError::Unknown)?.clone();
            let reading = tokio::task::spawn_blocking(move || read(&file)).await;
            let unavailable = |error: io::Error| IssuerKeysError::Unavailable(Box::new(error));
            reading.map_err(|error| unavailable(io::Error::other(error)))?.map_err(unavailable)
        })
    }
}

fn read(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    let max = u64::try_from(KEY_SET_MAX).unwrap_or(u64::MAX);
    File::open(file)?.take(max + 1).read_to_string(&mut text)?;
    if text.len() > KEY_SET_MAX {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is too long for a key set"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_name_an_issuer_and_a_file() {
        let parsed = KeySetFile::parse("https://idp.example/realm=/etc/keys=1.json").unwrap();
        assert_eq!(parsed.issuer, "idp.example/realm");
        assert_eq!(parsed.file, PathBuf::from("/etc/keys=1.json"));
        for setting in ["", "a=b", "http://a=b", "https://=b", "https://a", "https://a="] {
            assert!(KeySetFile::parse(setting).is_err(), "{setting}");
        }
    }

    #[test]
    fn files_are_key_sets_of_bounded_length() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("keys.json");
        let named = [KeySetFile { issuer: "idp.example".to_owned(), file: file.clone() }];
        let long = format!("{{\"keys\":[]{}}}", " ".repeat(KEY_SET_MAX));
        for bad in ["", "[]", "{\"keys\":1}", &long] {
            std::fs::write(&file, bad).unwrap();
            assert!(KeySetFiles::open(&named).is_err());
        }
        std::fs::write(&file, "{\"keys\":[]}").unwrap();
        assert!(KeySetFiles::open(&named).is_ok());
        std::fs::remove_file(&file).unwrap();
        assert!(KeySetFiles::open(&named).is_err());
    }
}
