//! Which rates hold: AWS's, and those that the operator sets instead.

use std::fmt;

use wire::{AccountId, Region};

use super::classes::{CLASSES, Rate, named};

/// The highest rate that can be set, in requests a second: above it, a request's share of a second
/// is no longer told exactly.
const RATE_MAX: u64 = 10_000_000;

/// Which rates hold.
#[derive(Debug, Clone, Default)]
pub struct QuotaSettings {
    aws: bool,
    /// The later one wins; one for an account before one for all.
    overrides: Vec<Override>,
}

#[derive(Debug, Clone)]
struct Override {
    account: Option<AccountId>,
    class: usize,
    /// None lifts the quota.
    rate: Option<Rate>,
}

impl QuotaSettings {
    /// No rates at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// AWS's rates.
    pub fn aws() -> Self {
        Self { aws: true, overrides: Vec::new() }
    }

    /// Sets another rate: `CLASS=N` or `*:CLASS=N` for every account, `ACCOUNT:CLASS=N` for one. N
    /// is a number of requests a second, with up to three decimals, or `none`.
    ///
    /// # Errors
    /// [`InvalidQuota`].
    pub fn set(&mut self, text: &str) -> Result<(), InvalidQuota> {
        let (place, rate) = text.split_once('=').ok_or(InvalidQuota::Form)?;
        let (account, class) = match place.split_once(':') {
            None | Some(("*", _)) => (None, place.strip_prefix("*:").unwrap_or(place)),
            Some((account, class)) => {
                let account = AccountId::parse(account).map_err(|_| InvalidQuota::Account)?;
                (Some(account), class)
            }
        };
        let unknown = || InvalidQuota::Class(class.chars().take(64).collect());
        let class = named(class).ok_or_else(unknown)?;
        let rate = if rate == "none" { None } else { Some(parse_rate(rate)?) };
        self.overrides.push(Override { account, class, rate });
        Ok(())
    }

    /// Whether any request may be refused.
    pub(super) fn limits_anything(&self) -> bool {
        self.aws || self.overrides.iter().any(|set| set.rate.is_some())
    }

    /// The rate of a class, if there is any.
    pub(super) fn rate(
        &self,
        class: usize,
        account: &AccountId,
        region: Option<&Region>,
    ) -> Option<Rate> {
        let of_class = || self.overrides.iter().rev().filter(|set| set.class == class);
        let own = of_class().find(|set| set.account.as_ref() == Some(account));
        match own.or_else(|| of_class().find(|set| set.account.is_none())) {
            Some(set) => set.rate,
            None if self.aws => CLASSES[class].aws_rate(region),
            None => None,
        }
    }
}

fn parse_rate(text: &str) -> Result<Rate, InvalidQuota> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || whole.len() > 8 || decimals.len() > 3 {
        return Err(InvalidQuota::Rate);
    }
    let number = |text: &str| text.parse::<u64>().map_err(|_| InvalidQuota::Rate);
    let whole = number(whole)?;
    let thousandths = whole * 1000 + number(&format!("{decimals:0<3}"))?;
    if whole > RATE_MAX {
        return Err(InvalidQuota::Rate);
    }
    Rate::thousandths(thousandths).ok_or(InvalidQuota::Rate)
}

/// Why a setting isn't understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InvalidQuota {
    /// It isn't of the form.
    Form,
    /// The account isn't one.
    Account,
    /// There is no such class.
    Class(String),
    /// The rate isn't one.
    Rate,
}

impl fmt::Display for InvalidQuota {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Form => f.write_str("expected CLASS=N or ACCOUNT:CLASS=N"),
            Self::Account => f.write_str("an account is twelve digits, or * for every one"),
            Self::Class(name) => {
                let names: Vec<_> = CLASSES.iter().map(|class| class.name).collect();
                write!(f, "there is no class {name}; there are {}", names.join(", "))
            }
            Self::Rate => write!(
                f,
                "a rate is a number of requests a second from 0.001 to {RATE_MAX}, with up to \
                 three decimals, or none"
            ),
        }
    }
}

impl std::error::Error for InvalidQuota {}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(settings: &QuotaSettings, class: &str, account: &str) -> Option<String> {
        let (account, region) = (AccountId::parse(account), Region::parse("eu-north-1"));
        let rate = settings.rate(named(class).unwrap(), &account.unwrap(), region.as_ref());
        rate.map(|rate| rate.to_string())
    }

    #[test]
    fn an_account_before_all_and_the_last_word_counts() {
        let mut settings = QuotaSettings::aws();
        let (mine, yours) = ("111122223333", "444455556666");
        assert_eq!(rate(&settings, "CreateKey", mine).as_deref(), Some("5"));
        for text in ["111122223333:CreateKey=9.25", "CreateKey=7", "*:CreateKey=8", "sts=none"] {
            settings.set(text).unwrap();
        }
        assert_eq!(rate(&settings, "CreateKey", mine).as_deref(), Some("9.25"));
        assert_eq!(rate(&settings, "CreateKey", yours).as_deref(), Some("8"));
        assert_eq!(rate(&settings, "sts", yours), None);
        assert_eq!(rate(&settings, "DeleteAlias", yours).as_deref(), Some("15"));
        assert_eq!(rate(&QuotaSettings::none(), "CreateKey", mine), None);
    }

    #[test]
    fn regions_have_their_own_rates() {
        let settings = QuotaSettings::aws();
        let account = AccountId::parse("111122223333").unwrap();
        for (region, symmetric, pairs) in [
            ("us-east-1", "100000", "1"),
            ("eu-west-2", "20000", "1"),
            ("eu-north-1", "10000", "1"),
            ("cn-north-1", "10000", "0.1"),
        ] {
            let region = Region::parse(region).unwrap();
            let rate =
                |class| settings.rate(named(class).unwrap(), &account, Some(&region)).unwrap();
            assert_eq!(rate("cryptographic-symmetric").to_string(), symmetric);
            assert_eq!(rate("data-key-pair-rsa-4096").to_string(), pairs);
        }
    }

    #[test]
    fn what_is_no_setting_is_refused() {
        let mut settings = QuotaSettings::none();
        for (text, expected) in [
            ("", InvalidQuota::Form),
            ("CreateKey", InvalidQuota::Form),
            ("1111:CreateKey=1", InvalidQuota::Account),
            (":CreateKey=1", InvalidQuota::Account),
            ("createkey=1", InvalidQuota::Class("createkey".to_owned())),
            ("111122223333:=1", InvalidQuota::Class(String::new())),
            ("*:*:CreateKey=1", InvalidQuota::Class("*:CreateKey".to_owned())),
        ] {
            assert_eq!(settings.set(text), Err(expected), "{text}");
        }
        for rate in ["", "0", "0.0", "-1", "+1", "1.2345", "1.", ".5", "1e3", "10000001", " 1"] {
            let text = format!("CreateKey={rate}");
            assert_eq!(settings.set(&text), Err(InvalidQuota::Rate), "{text}");
        }
        assert!(!settings.limits_anything());
    }
}
