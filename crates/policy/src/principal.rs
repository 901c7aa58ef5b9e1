//! Whom a statement speaks of, and who calls. Owns the syntax of principals and what it takes for a
//! caller to be one. Must not know whether a principal exists.

use crate::document::Malformed;

/// Whom a statement speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// Everybody, anonymous callers included: `*`, alone or as an AWS principal.
    Everyone,
    /// The account of that id, named by id or by its root ARN. It means the root user, and for all
    /// others of the account that their own policies may decide.
    Account(String),
    /// A user, a role or a session.
    Arn {
        /// The ARN as the document names it.
        arn: String,
        /// The unique id of the user or role that had this ARN when the document was saved
        /// ([`crate::Document::bind`]); where it is known, it decides and not the ARN.
        unique_id: Option<String>,
    },
    /// A user or role by its unique id (`AIDA…`, `AROA…`), which is what is left of a principal
    /// that was deleted.
    UniqueId(String),
    /// An AWS service, such as `s3.amazonaws.com`.
    Service(String),
    /// An identity provider, by its ARN or its name.
    Federated(String),
    /// An account by the canonical user id that S3 gives it.
    CanonicalUser(String),
}

/// What a caller is; `aws:PrincipalType` names the first four.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerKind {
    /// The root user of an account.
    Root,
    /// An IAM user.
    User,
    /// A session of a role.
    AssumedRole,
    /// A session that a user, or the root user, opened by GetFederationToken.
    FederatedUser,
    /// An AWS service by itself.
    Service,
    /// Somebody with an identity provider's token, on the way to a role.
    Federated,
    /// Somebody unknown.
    Anonymous,
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller<'a> {
    /// What it is.
    pub kind: CallerKind,
    /// The account it belongs to; empty for those that belong to none.
    pub account: &'a str,
    /// Its own name: the ARN of the user, of the session, of the root user; of a service its name,
    /// of a federated caller the provider's ARN or name.
    pub arn: &'a str,
    /// The ARN of the user or role behind it, with its path: of a user its own, of a session that
    /// of the role or user it comes from. Empty where there is none.
    pub identity_arn: &'a str,
    /// The unique id of that user or role (`AIDA…`, `AROA…`); empty where there is none.
    pub identity_id: &'a str,
    /// The account's canonical user id, where the service knows it.
    pub canonical_user: Option<&'a str>,
}

impl<'a> Caller<'a> {
    /// The root user of an account.
    pub const fn root(account: &'a str, arn: &'a str) -> Self {
        Self::new(CallerKind::Root, account, arn)
    }

    /// An IAM user.
    pub const fn user(account: &'a str, arn: &'a str, unique_id: &'a str) -> Self {
        let new = Self::new(CallerKind::User, account, arn);
        Self { identity_arn: arn, identity_id: unique_id, ..new }
    }

    /// A session of the role that has this ARN and unique id.
    pub const fn assumed_role(
        account: &'a str,
        session_arn: &'a str,
        role_arn: &'a str,
        role_id: &'a str,
    ) -> Self {
        let new = Self::new(CallerKind::AssumedRole, account, session_arn);
        Self { identity_arn: role_arn, identity_id: role_id, ..new }
    }

    /// A session by GetFederationToken of the user that has this ARN and unique id; both are empty
    /// where the root user opened it.
    pub const fn federated_user(
        account: &'a str,
        session_arn: &'a str,
        user_arn: &'a str,
        user_id: &'a str,
    ) -> Self {
        let new = Self::new(CallerKind::FederatedUser, account, session_arn);
        Self { identity_arn: user_arn, identity_id: user_id, ..new }
    }

    /// An AWS service, such as `s3.amazonaws.com`.
    pub const fn service(name: &'a str) -> Self {
        Self::new(CallerKind::Service, "", name)
    }

    /// Somebody with a token of the identity provider of that ARN or name.
    pub const fn federated(provider: &'a str) -> Self {
        Self::new(CallerKind::Federated, "", provider)
    }

    /// Somebody unknown.
    pub const fn anonymous() -> Self {
        Self::new(CallerKind::Anonymous, "", "")
    }

    const fn new(kind: CallerKind, account: &'a str, arn: &'a str) -> Self {
        Self { kind, account, arn, identity_arn: "", identity_id: "", canonical_user: None }
    }

    fn is_session(&self) -> bool {
        matches!(self.kind, CallerKind::AssumedRole | CallerKind::FederatedUser)
    }
}

/// By which of its names a statement meets a caller. The order is that of what a permission is
/// worth, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Means {
    /// By its account: a permission lets the account's own policies decide.
    Account,
    /// By the role, or the user, that its session comes from: a permission holds within the
    /// permissions boundary and the session's policies.
    Identity,
    /// As itself or as everybody: a permission needs nothing else within the account.
    Itself,
}

impl Principal {
    /// By which of its names this is the caller, if it is.
    pub(crate) fn means(&self, caller: &Caller<'_>) -> Option<Means> {
        let own = |is: bool| is.then_some(Means::Itself);
        match self {
            Self::Everyone => own(true),
            Self::Account(id) => (id == caller.account).then_some(Means::Account),
            Self::CanonicalUser(id) => {
                (Some(&**id) == caller.canonical_user).then_some(Means::Account)
            }
            Self::Service(name) => own(caller.kind == CallerKind::Service && name == caller.arn),
            Self::Federated(name) => {
                own(caller.kind == CallerKind::Federated && name == caller.arn)
            }
            Self::Arn { arn, .. } if caller.is_session() && arn == caller.arn => own(true),
            Self::Arn { arn, unique_id: None } => {
                identity(caller, arn == caller.identity_arn && !arn.is_empty())
            }
            Self::Arn { unique_id: Some(id), .. } | Self::UniqueId(id) => {
                identity(caller, id == caller.identity_id && !id.is_empty())
            }
        }
    }

    /// Reads what stands under `AWS`.
    ///
    /// # Errors
    /// [`Malformed`] for what is no account, user, role, session or `*`. Groups can't be
    /// principals, and a wildcard can't be part of one.
    pub(crate) fn parse_aws(text: &str) -> Result<Self, Malformed> {
        if text == "*" {
            return Ok(Self::Everyone);
        }
        if is_account(text) {
            return Ok(Self::Account(text.to_owned()));
        }
        if is_unique_id(text) {
            return Ok(Self::UniqueId(text.to_owned()));
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, service, "", account, name] = parts[..] else {
            return Err(invalid());
        };
        if partition.is_empty() || !is_account(account) || text.contains(['*', '?', '$']) {
            return Err(invalid());
        }
        if (service, name) == ("iam", "root") {
            return Ok(Self::Account(account.to_owned()));
        }
        let (kind, rest) = name.split_once('/').ok_or_else(invalid)?;
        let complete = !rest.is_empty() && !rest.ends_with('/') && !rest.starts_with('/');
        let known = match (service, kind) {
            ("iam", "user" | "role") => complete,
            ("sts", "assumed-role") => complete && rest.split('/').count() == 2,
            ("sts", "federated-user") => complete && !rest.contains('/'),
            _ => false,
        };
        if !known {
            return Err(invalid());
        }
        Ok(Self::Arn { arn: text.to_owned(), unique_id: None })
    }
}

fn identity(caller: &Caller<'_>, is: bool) -> Option<Means> {
    is.then(|| if caller.is_session() { Means::Identity } else { Means::Itself })
}

/// Whether a caller is spared by `NotPrincipal` with `Deny`: each of its names must be listed, the
/// account's among them, since AWS may check the account before the user. A permissions boundary
/// leaves no exception (IAM User Guide, "Permissions boundaries for IAM entities": such a statement
/// always denies whoever has one).
pub(crate) fn spared(listed: &[Principal], caller: &Caller<'_>, bounded: bool) -> bool {
    if bounded {
        return false;
    }
    if listed.contains(&Principal::Everyone) {
        return true;
    }
    let named = |wanted: Means| listed.iter().any(|p| p.means(caller) == Some(wanted));
    let account = caller.account.is_empty() || named(Means::Account);
    let identity = caller.identity_arn.is_empty() || !caller.is_session() || named(Means::Identity);
    let itself = caller.kind == CallerKind::Root || named(Means::Itself);
    account && identity && itself
}

fn is_account(id: &str) -> bool {
    id.len() == 12 && id.bytes().all(|b| b.is_ascii_digit())
}

fn is_unique_id(text: &str) -> bool {
    (text.starts_with("AIDA") || text.starts_with("AROA"))
        && (16..=128).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// KMS's words.
pub(crate) fn invalid() -> Malformed {
    Malformed("Policy contains a statement with one or more invalid principals.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "111122223333";
    const ROLE: &str = "arn:aws:iam::111122223333:role/path/r";
    const SESSION: &str = "arn:aws:sts::111122223333:assumed-role/r/s";
    const USER: &str = "arn:aws:iam::111122223333:user/u";
    const FEDERATED: &str = "arn:aws:sts::111122223333:federated-user/f";

    fn callers() -> [Caller<'static>; 7] {
        [
            Caller::root(A, "arn:aws:iam::111122223333:root"),
            Caller::user(A, USER, "AIDAUUUUUUUUUUUUUUUU"),
            Caller::assumed_role(A, SESSION, ROLE, "AROARRRRRRRRRRRRRRRR"),
            Caller::federated_user(A, FEDERATED, USER, "AIDAUUUUUUUUUUUUUUUU"),
            Caller::service("s3.amazonaws.com"),
            Caller::federated("accounts.google.com"),
            Caller::anonymous(),
        ]
    }

    /// For each principal how it means each caller: `a`ccount, `i`dentity, it`s`elf, `-` not.
    #[test]
    fn who_is_whom() {
        let bound =
            |id: &str| Principal::Arn { arn: USER.to_owned(), unique_id: Some(id.to_owned()) };
        let aws = |text: &str| Principal::parse_aws(text).unwrap();
        for (principal, expected) in [
            (aws("*"), "sssssss"),
            (aws(A), "aaaa---"),
            (aws("arn:aws:iam::111122223333:root"), "aaaa---"),
            (aws("444455556666"), "-------"),
            (aws(USER), "-s-i---"),
            (aws(ROLE), "--i----"),
            // Without its path it is another role.
            (aws("arn:aws:iam::111122223333:role/r"), "-------"),
            (aws(SESSION), "--s----"),
            (aws("arn:aws:sts::111122223333:assumed-role/r/other"), "-------"),
            (aws(FEDERATED), "---s---"),
            (bound("AIDAUUUUUUUUUUUUUUUU"), "-s-i---"),
            // A user of the same name that was made again.
            (bound("AIDAOOOOOOOOOOOOOOOO"), "-------"),
            (aws("AIDAUUUUUUUUUUUUUUUU"), "-s-i---"),
            (aws("AROARRRRRRRRRRRRRRRR"), "--i----"),
            (Principal::Service("s3.amazonaws.com".to_owned()), "----s--"),
            (Principal::Federated("accounts.google.com".to_owned()), "-----s-"),
            (Principal::CanonicalUser("c".to_owned()), "-------"),
        ] {
            let found: String = callers()
                .iter()
                .map(|caller| match principal.means(caller) {
                    None => '-',
                    Some(Means::Account) => 'a',
                    Some(Means::Identity) => 'i',
                    Some(Means::Itself) => 's',
                })
                .collect();
            assert_eq!(found, expected, "{principal:?}");
        }
        let known = Caller { canonical_user: Some("c"), ..callers()[1] };
        let principal = Principal::CanonicalUser("c".to_owned());
        assert_eq!(principal.means(&known), Some(Means::Account));
    }

    /// Rule 12: NotPrincipal with Deny must name the user and its account (for a session: session,
    /// role and account).
    #[test]
    fn rule_12_every_name_must_be_listed() {
        for (listed, expected) in [
            (&["*"][..], "ssssss"),
            (&[A], "s-----"),
            (&[USER], "------"),
            (&[A, USER], "ss----"),
            (&[A, ROLE], "s-----"),
            (&[A, SESSION], "s-----"),
            (&[SESSION, ROLE], "------"),
            (&[A, SESSION, ROLE], "s-s---"),
            (&[A, FEDERATED, USER], "ss-s--"),
            (&[A, FEDERATED], "s-----"),
        ] {
            let principals: Vec<_> =
                listed.iter().map(|text| Principal::parse_aws(text).unwrap()).collect();
            let found: String = callers()
                .iter()
                .filter(|caller| caller.kind != CallerKind::Anonymous)
                .map(|caller| if spared(&principals, caller, false) { 's' } else { '-' })
                .collect();
            assert_eq!(found, expected, "{listed:?}");
            assert!(!spared(&principals, &callers()[1], true), "{listed:?}");
        }
        let service = [Principal::Service("s3.amazonaws.com".to_owned())];
        assert!(spared(&service, &callers()[4], false));
        assert!(!spared(&service, &Caller::anonymous(), false));
        assert!(!spared(&[], &Caller::anonymous(), false));
    }

    #[test]
    fn rule_11_groups_and_wildcards_are_no_principals() {
        for text in [
            "",
            "bob",
            "11112222333",
            "1111222233334",
            "arn:aws:iam::111122223333:group/g",
            "arn:aws:iam::111122223333:user/*",
            "arn:aws:iam::111122223333:user/",
            "arn:aws:iam::111122223333:user",
            "arn:aws:iam::*:root",
            "arn:aws:iam::1:root",
            "arn:aws:iam:us-east-1:111122223333:root",
            "arn:aws:s3:::bucket",
            "arn:aws:sts::111122223333:assumed-role/r",
            "arn:aws:sts::111122223333:assumed-role/r/s/t",
            "arn:aws:sts::111122223333:assumed-role/r/*",
            "arn:aws:sts::111122223333:federated-user/a/b",
            "arn:aws:sts::111122223333:federated-user/",
            "arn:aws:iam::111122223333:user/${x}",
            "arn:aws:iam::111122223333:assumed-role/r/s",
            "AIDA",
            "AIDAuuuuuuuuuuuuuuuu",
            "AKIAUUUUUUUUUUUUUUUU",
            "**",
        ] {
            assert_eq!(Principal::parse_aws(text), Err(invalid()), "{text}");
        }
    }
}
