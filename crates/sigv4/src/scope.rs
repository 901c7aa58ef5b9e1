//! The credential: whose key, for which day, region and service.
//!
//! Owns the five parts and their alphabets. Must not know how the key is derived from them.

use std::borrow::Cow;

use crate::refusal::Refusal;
use crate::time::day_number;

/// What every credential scope ends in.
pub(crate) const TERMINATOR: &str = "aws4_request";
/// The longest access key id that AWS's API admits.
pub const MAX_ACCESS_KEY_ID: usize = 128;
/// The longest region and service name, in bytes; AWS's longest have 14 and 30.
pub const MAX_NAME: usize = 64;
/// The longest credential: its five parts and four slashes.
const MAX_CREDENTIAL: usize = MAX_ACCESS_KEY_ID + 8 + 2 * MAX_NAME + TERMINATOR.len() + 4;

/// The day, region and service that a signing key is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scope<'a> {
    date: &'a str,
    region: &'a str,
    service: &'a str,
}

impl<'a> Scope<'a> {
    /// A scope from its parts.
    ///
    /// # Errors
    /// A date that isn't eight digits is [`Refusal::DateMismatch`]; a region or service that isn't
    /// lower-case letters, digits and hyphens is [`Refusal::WrongRegion`] or
    /// [`Refusal::IncompleteSignature`].
    pub fn new(date: &'a str, region: &'a str, service: &'a str) -> Result<Self, Refusal> {
        if day_number(date).is_none() {
            return Err(Refusal::DateMismatch { scope: printable(date), date: String::new() });
        }
        if !is_name(region) {
            return Err(Refusal::WrongRegion { region: printable(region) });
        }
        if !is_name(service) {
            let got = printable(service);
            let message = format!("Credential should be scoped to a valid service, not '{got}'. ");
            return Err(Refusal::incomplete(message));
        }
        Ok(Self { date, region, service })
    }

    /// The day, `YYYYMMDD` in UTC.
    pub fn date(&self) -> &'a str {
        self.date
    }

    /// The region's name.
    pub fn region(&self) -> &'a str {
        self.region
    }

    /// The service's signing name: `kms`, `sts`, `iam`.
    pub fn service(&self) -> &'a str {
        self.service
    }
}

/// `AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request`, taken apart but kept in one piece: the part
/// after the access key id stands as it is in the string to sign.
pub(crate) struct Credential<'a> {
    text: Cow<'a, str>,
    /// Where the access key id, date, region and service end.
    ends: [usize; 4],
}

impl<'a> Credential<'a> {
    /// Takes a credential apart. `stamp` is the request's date, for the message and the comparison.
    pub(crate) fn parse(text: Cow<'a, str>, stamp: &str) -> Result<Self, Refusal> {
        let five = || {
            Refusal::incomplete(format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. \
                 keyid/date/region/service/term, got '{}'",
                printable(&text)
            ))
        };
        if text.len() > MAX_CREDENTIAL {
            return Err(five());
        }
        let mut ends = [0; 4];
        let mut slashes = text.bytes().enumerate().filter(|(_, byte)| *byte == b'/');
        for end in &mut ends {
            *end = slashes.next().ok_or_else(five)?.0;
        }
        if slashes.next().is_some() {
            return Err(five());
        }
        let terminator = &text[ends[3] + 1..];
        if terminator != TERMINATOR {
            return Err(Refusal::WrongTerminator { terminator: printable(terminator) });
        }
        if !is_access_key_id(&text[..ends[0]]) {
            return Err(Refusal::UnrecognizedAccessKeyId);
        }
        let date = &text[ends[0] + 1..ends[1]];
        if stamp.get(..8) != Some(date) {
            return Err(Refusal::DateMismatch { scope: printable(date), date: stamp.to_owned() });
        }
        let credential = Self { text, ends };
        let scope = credential.scope();
        Scope::new(scope.date, scope.region, scope.service)?;
        Ok(credential)
    }

    pub(crate) fn access_key_id(&self) -> &str {
        &self.text[..self.ends[0]]
    }

    pub(crate) fn scope(&self) -> Scope<'_> {
        let [key, date, region, service] = self.ends;
        Scope {
            date: &self.text[key + 1..date],
            region: &self.text[date + 1..region],
            service: &self.text[region + 1..service],
        }
    }

    /// `date/region/service/aws4_request`.
    pub(crate) fn scope_text(&self) -> &str {
        &self.text[self.ends[0] + 1..]
    }
}

/// AWS's access key ids are `\w+`; a hyphen and a dot are let through for development servers,
/// which take any id. The lookup decides whether such a key exists.
fn is_access_key_id(id: &str) -> bool {
    (1..=MAX_ACCESS_KEY_ID).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
}

fn is_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// What a client sent, fit to stand in a message: short, and without control characters.
pub(crate) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(MAX_CREDENTIAL).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: &str = "20150830T123600Z";

    fn parse(text: &str) -> Result<Credential<'_>, Refusal> {
        Credential::parse(Cow::Borrowed(text), STAMP)
    }

    #[test]
    fn a_credential_is_taken_apart() {
        let credential = parse("AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request").ok().unwrap();
        assert_eq!(credential.access_key_id(), "AKIDEXAMPLE");
        assert_eq!(credential.scope(), Scope::new("20150830", "us-east-1", "iam").unwrap());
        assert_eq!(credential.scope_text(), "20150830/us-east-1/iam/aws4_request");
    }

    #[test]
    fn each_fault_has_its_refusal() {
        let five = "Credential must have exactly 5 slash-delimited elements, e.g. \
                    keyid/date/region/service/term, got 'a/20150830/r/s/x/aws4_request'";
        for (text, message) in [
            ("a/20150830/r/s/x/aws4_request", five),
            (
                "a/20150831/r/s/aws4_request",
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date \
                 from HTTP: '20150831' != '20150830', from '20150830T123600Z'.",
            ),
            (
                "a/20150830/r/s/aws5_request",
                "Credential should be scoped with a valid terminator: 'aws4_request', not \
                 'aws5_request'. ",
            ),
            (
                "/20150830/r/s/aws4_request",
                "The security token included in the request is invalid.",
            ),
            (
                "a b/20150830/r/s/aws4_request",
                "The security token included in the request is invalid.",
            ),
            (
                "a/20150830/R/s/aws4_request",
                "Credential should be scoped to a valid region, not 'R'. ",
            ),
            (
                "a/20150830/r//aws4_request",
                "Credential should be scoped to a valid service, not ''. ",
            ),
        ] {
            assert_eq!(parse(text).err().unwrap().message(), message, "{text}");
        }
        assert!(matches!(parse("a/b").err(), Some(Refusal::IncompleteSignature { .. })));
    }

    #[test]
    fn lengths_hold_at_their_edge() {
        let id = "A".repeat(MAX_ACCESS_KEY_ID + 1);
        assert!(parse(&format!("{}/20150830/r/s/aws4_request", &id[1..])).is_ok());
        assert!(parse(&format!("{id}/20150830/r/s/aws4_request")).is_err());
        let name = "r".repeat(MAX_NAME + 1);
        assert!(parse(&format!("a/20150830/{}/s/aws4_request", &name[1..])).is_ok());
        assert!(parse(&format!("a/20150830/{name}/s/aws4_request")).is_err());
        let endless = "/".repeat(1 << 20);
        assert!(parse(&endless).err().unwrap().message().len() < 1024);
    }
}
