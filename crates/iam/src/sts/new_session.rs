//! Opening a session: what may bound it, how long it lasts, and how full its token is.

use policy::DocumentKind;
use service::{Context, Error};
use wire::iam::SecretAccessKey;
use wire::sts::{
    AccessKeyId, Credentials, MinimumSessionTokenSize, PackedPolicySize, PolicyDescriptors,
    SerialNumber, SessionToken, SessionTokenSize, SessionTokenUtilization, TokenCode,
};
use wire::{AccountId, ErrorCode, Integer as _, Timestamp};

use crate::Sts;
use crate::session::{SessionKind, SessionRecord};

/// How many bytes session policies, their ARNs and the session's tags may have together: less than
/// a presigned URL has room for, once they are sealed and encoded.
const PACKED_MAX: usize = 4_096;
/// How many managed policies may be passed.
const POLICY_ARNS_MAX: usize = 10;
/// How long a session token can get, roughly, in bytes.
const TOKEN_MAX: usize = 14_336;

/// The policies that bound a session.
#[derive(Default)]
pub(crate) struct SessionPolicies {
    policy: Option<String>,
    arns: Vec<String>,
}

impl SessionPolicies {
    /// The policies that a request passes for a session of the account.
    ///
    /// # Errors
    /// MalformedPolicyDocumentException; ValidationException for too many managed policies, and for
    /// one that the account doesn't have.
    pub(crate) async fn find(
        cx: &Context<'_, Sts>,
        account: &AccountId,
        policy: Option<&str>,
        arns: Option<&PolicyDescriptors>,
    ) -> Result<Self, Error> {
        let directory = &cx.service.directory;
        if let Some(text) = policy {
            directory.identity_document(text, DocumentKind::Identity)?;
        }
        let arns = arns.map_or(&[][..], |arns| &arns.0);
        if arns.len() > POLICY_ARNS_MAX {
            return Err(Error::validation(format!(
                "At most {POLICY_ARNS_MAX} managed session policies can be passed."
            )));
        }
        let mut found = Vec::new();
        for descriptor in arns {
            let arn = descriptor.arn.as_ref().map_or("", |arn| arn.as_str());
            if directory.managed(account, arn).await?.is_none() {
                return Err(Error::validation(format!(
                    "The session policy with the ARN '{arn}' does not exist in the account."
                )));
            }
            found.push(arn.to_owned());
        }
        Ok(Self { policy: policy.map(str::to_owned), arns: found })
    }

    /// Puts them into a session.
    pub(crate) fn bound(self, record: &mut SessionRecord) {
        record.limited = self.policy.is_some() || !self.arns.is_empty();
        record.policy = self.policy;
        record.policy_arns = self.arns;
    }
}

/// A session that nothing bounds, without tags, for so many seconds from now.
pub(crate) fn session_of(
    kind: SessionKind,
    principal: Option<(String, String)>,
    now: Timestamp,
    seconds: i32,
) -> SessionRecord {
    let expires = Timestamp::from_millis(now.millis() + i64::from(seconds) * 1000);
    SessionRecord {
        kind,
        principal,
        name: String::new(),
        issued: now,
        expires: expires.to_the_second(),
        limited: false,
        policy: None,
        policy_arns: Vec::new(),
        tags: Vec::new(),
        transitive: Vec::new(),
        source_identity: None,
        provider: None,
        padding: String::new(),
    }
}

/// A session that was opened, as answers tell of it.
pub(crate) struct Opened {
    pub(crate) credentials: Credentials,
    /// How full the room for policies and tags is; nothing where there are none.
    pub(crate) packed_policy_size: Option<PackedPolicySize>,
    pub(crate) session_token_size: SessionTokenSize,
    pub(crate) session_token_utilization: SessionTokenUtilization,
}

/// Opens a session of the account.
///
/// # Errors
/// PackedPolicyTooLargeException.
pub(crate) async fn open(
    cx: &Context<'_, Sts>,
    account: &AccountId,
    mut record: SessionRecord,
    minimum: Option<MinimumSessionTokenSize>,
) -> Result<Opened, Error> {
    let packed_policy_size = packed(&record)?;
    let directory = &cx.service.directory;
    let mut issued = directory.issue(account, &record).await?;
    let minimum = minimum.and_then(|size| usize::try_from(size.value()).ok()).unwrap_or_default();
    if let Some(short) = minimum.checked_sub(issued.token.len()).filter(|short| *short > 0) {
        // Base64 makes more of it, never less.
        record.padding = "=".repeat(short);
        issued = directory.issue(account, &record).await?;
    }
    let size = issued.token.len();
    Ok(Opened {
        packed_policy_size,
        session_token_size: SessionTokenSize::of(i32::try_from(size).unwrap_or(i32::MAX)),
        session_token_utilization: SessionTokenUtilization::of(percent(size, TOKEN_MAX)),
        credentials: Credentials {
            access_key_id: AccessKeyId::of(issued.access_key_id),
            secret_access_key: SecretAccessKey::of(issued.secret),
            session_token: SessionToken::of(issued.token),
            expiration: issued.expires,
        },
    })
}

fn packed(record: &SessionRecord) -> Result<Option<PackedPolicySize>, Error> {
    let policies = record.policy.iter().chain(&record.policy_arns).map(String::len);
    let tags = record.tags.iter().map(|(key, value)| key.len() + value.len());
    let size: usize = policies.chain(tags).sum();
    let share = percent(size, PACKED_MAX);
    if size <= PACKED_MAX {
        return Ok((size > 0).then(|| PackedPolicySize::of(share)));
    }
    let message = if record.limited {
        format!("Packed policy consumes {share}% of allotted space, please use smaller policy.")
    } else {
        format!("Packed size of session tags consumes {share}% of allotted space.")
    };
    Err(Error::new(ErrorCode::PackedPolicyTooLargeException, message))
}

/// The share in per cent, rounded up.
fn percent(part: usize, whole: usize) -> i32 {
    i32::try_from((part * 100).div_ceil(whole)).unwrap_or(i32::MAX)
}

/// Refuses a second factor: nobody has a device for one here.
///
/// # Errors
/// AccessDeniedException, as for a device that isn't the caller's.
pub(crate) fn no_second_factor(
    serial_number: Option<&SerialNumber>,
    code: Option<&TokenCode>,
) -> Result<(), Error> {
    if serial_number.is_none() && code.is_none() {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::AccessDeniedException,
        "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA \
         serial number is valid and associated with this user.",
    ))
}
