//! Values that are more than text: numbers, moments, addresses, bytes. Owns their syntax, the same
//! in documents and in requests. Must not know which operator compares them.

use std::borrow::Cow;
use std::net::IpAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use crate::request::Value;

/// A decimal number, exact: billionths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Decimal(i128);

/// How many digits a number may have after its point.
const FRACTION_DIGITS: usize = 9;

/// How many digits a number may have before its point: as many as 64 bits can.
const WHOLE_DIGITS: usize = 20;

/// A range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network {
    /// The first address; of IPv4 in the 32 low bits.
    first: u128,
    prefix: u32,
    bits: u32,
}

impl Decimal {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (negative, digits) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_number = |text: &str, most: usize| {
            !text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_digit())
        };
        if !is_number(whole, WHOLE_DIGITS) || !is_number(fraction, FRACTION_DIGITS) {
            return None;
        }
        let billionths: i128 = format!("{whole}{fraction:0<FRACTION_DIGITS$}").parse().ok()?;
        Some(Self(if negative { -billionths } else { billionths }))
    }

    pub(crate) fn of(value: &Value<'_>) -> Option<Self> {
        match value {
            Value::Number(number) => Some(Self(i128::from(*number) * 1_000_000_000)),
            Value::Text(text) => Self::parse(text),
            _ => None,
        }
    }
}

/// Reads a moment: a date or a time of the W3C's profile of ISO 8601, in UTC where it names no
/// zone, or seconds since 1970. Digits alone are seconds, also where there are four of them.
pub(crate) fn parse_time(text: &str) -> Option<i64> {
    if text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse::<i64>().ok()?.checked_mul(1000);
    }
    // The calendar library would pass over a zone's name, and over a calendar's.
    if text.contains('[') {
        return None;
    }
    let month_alone = text.len() == "2026-01".len() && text.as_bytes()[4] == b'-';
    let text = if month_alone { Cow::Owned(format!("{text}-01")) } else { Cow::Borrowed(text) };
    if let Ok(moment) = text.parse::<Timestamp>() {
        return Some(moment.as_millisecond());
    }
    let behind = if text.contains(['T', 't', ' ']) { "Z" } else { "T00:00:00Z" };
    Some(format!("{text}{behind}").parse::<Timestamp>().ok()?.as_millisecond())
}

pub(crate) fn time_of(value: &Value<'_>) -> Option<i64> {
    match value {
        Value::Time(millis) => Some(*millis),
        Value::Number(seconds) => seconds.checked_mul(1000),
        Value::Text(text) => parse_time(text),
        _ => None,
    }
}

/// ISO 8601 to the second; a moment out of the calendar's range as its number.
pub(crate) fn time_text(millis: i64) -> String {
    match Timestamp::from_second(millis.div_euclid(1000)) {
        Ok(moment) => moment.to_string(),
        Err(_) => millis.to_string(),
    }
}

impl Network {
    /// Reads an address with or without the length of its prefix. Bits behind the prefix count for
    /// nothing, and an IPv4 address in IPv6's clothes is one of IPv4.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            None => (text, None),
            Some((address, length)) => {
                let digits = length.bytes().all(|b| b.is_ascii_digit());
                if !digits || length.len() > 3 {
                    return None;
                }
                (address, Some(length.parse::<u32>().ok()?))
            }
        };
        let address: IpAddr = address.parse().ok()?;
        let (_, written) = number_of(address);
        let (number, bits) = number_of(address.to_canonical());
        let length = length.unwrap_or(written);
        if length > written {
            return None;
        }
        // A prefix that ends within the mapping covers more than IPv4.
        if bits != written && length < written - bits {
            let (number, bits) = number_of(address);
            return Some(Self { first: masked(number, bits, length), prefix: length, bits });
        }
        let prefix = length - (written - bits);
        Some(Self { first: masked(number, bits, prefix), prefix, bits })
    }

    pub(crate) fn contains(self, address: IpAddr) -> bool {
        let (number, bits) = number_of(address.to_canonical());
        bits == self.bits && masked(number, bits, self.prefix) == self.first
    }
}

fn number_of(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)), 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    }
}

fn masked(number: u128, bits: u32, prefix: u32) -> u128 {
    let behind = bits - prefix;
    if behind >= 128 { 0 } else { number >> behind << behind }
}

pub(crate) fn address_of(value: &Value<'_>) -> Option<IpAddr> {
    match value {
        Value::Address(address) => Some(*address),
        Value::Text(text) => text.parse().ok(),
        _ => None,
    }
}

pub(crate) fn parse_bool(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

pub(crate) fn bool_of(value: &Value<'_>) -> Option<bool> {
    match value {
        Value::Bool(yes) => Some(*yes),
        Value::Text(text) => parse_bool(text),
        _ => None,
    }
}

pub(crate) fn parse_base64(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

pub(crate) fn base64_text(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn bytes_of<'a>(value: &'a Value<'_>) -> Option<Cow<'a, [u8]>> {
    match value {
        Value::Binary(bytes) => Some(Cow::Borrowed(bytes)),
        Value::Text(text) => parse_base64(text).map(Cow::Owned),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let parsed = |text: &str| Decimal::parse(text);
        assert_eq!(parsed("10"), parsed("+10.000"));
        assert_eq!(parsed("-0"), parsed("0"));
        assert_eq!(parsed("7"), Decimal::of(&Value::Number(7)));
        assert!(parsed("-1.5") < parsed("-1.499999999"));
        assert!(parsed("9007199254740993") > parsed("9007199254740992"));
        assert!(parsed("18446744073709551615").is_some());
        for text in [
            "",
            "-",
            ".",
            "1.",
            ".5",
            "1e3",
            "0x1",
            "1_0",
            "١",
            "--1",
            "1.0000000001",
            "100000000000000000000",
            " 1",
            "NaN",
        ] {
            assert_eq!(parsed(text), None, "{text}");
        }
    }

    #[test]
    fn moments() {
        for (text, millis) in [
            ("0", 0),
            ("2026", 2_026_000),
            ("1767225600", 1_767_225_600_000),
            ("2026-01-01", 1_767_225_600_000),
            ("2026-01", 1_767_225_600_000),
            ("2026-01-01T00:00:00Z", 1_767_225_600_000),
            ("2026-01-01T00:00Z", 1_767_225_600_000),
            ("2026-01-01T00:00:00", 1_767_225_600_000),
            ("2026-01-01T02:00:00+02:00", 1_767_225_600_000),
            ("2026-01-01T00:00:00.25Z", 1_767_225_600_250),
        ] {
            assert_eq!(parse_time(text), Some(millis), "{text}");
        }
        for text in [
            "-1",
            "2026-13-01",
            "2026-02-30",
            "now",
            "2026-01-01T25:00:00Z",
            "20x6-01",
            "99999999999999999999",
            "2026-01-*",
            "äöü-01",
            "2026-01-01T00:00:00[Europe/Paris]",
            "2026-01-01[u-ca=hebrew]",
            // Beyond the calendar's end, and not within it where the zone is left out.
            "9999-12-30T21:00:00-23:00",
        ] {
            assert_eq!(parse_time(text), None, "{text}");
        }
        assert_eq!(time_text(1_767_225_600_999), "2026-01-01T00:00:00Z");
        assert_eq!(time_text(i64::MAX), i64::MAX.to_string());
    }

    #[test]
    fn networks() {
        for (network, address, expected) in [
            ("203.0.113.0/24", "203.0.113.255", true),
            ("203.0.113.77/24", "203.0.113.1", true),
            ("203.0.113.0/24", "203.0.114.0", false),
            ("203.0.113.7", "203.0.113.7", true),
            ("203.0.113.7", "203.0.113.8", false),
            ("0.0.0.0/0", "255.255.255.255", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
            ("::/0", "1.2.3.4", false),
            ("2001:DB8:1234:5678::/64", "2001:db8:1234:5678:ffff::1", true),
            ("2001:DB8:1234:5678::/64", "2001:db8:1234:5679::1", false),
            ("2001:db8::1", "2001:db8::1", true),
            ("2001:db8::1", "2001:db8::2", false),
            ("203.0.113.0/24", "::ffff:203.0.113.9", true),
            ("::ffff:203.0.113.0/120", "203.0.113.9", true),
            ("::ffff:203.0.113.0/120", "203.0.114.9", false),
            ("::ffff:0:0/96", "203.0.114.9", true),
            ("::ffff:0:0/95", "203.0.114.9", false),
        ] {
            let parsed = Network::parse(network).unwrap();
            assert_eq!(parsed.contains(address.parse().unwrap()), expected, "{network} {address}");
        }
        for text in [
            "",
            "1.2.3",
            "1.2.3.4/33",
            "::/129",
            "1.2.3.4/",
            "1.2.3.4/-1",
            "1.2.3.4/+8",
            "01.2.3.4",
            "1.2.3.*",
            "1.2.3.4/8/8",
            "1.2.3.4/0024",
            "::ffff:1.2.3.4/129",
        ] {
            assert_eq!(Network::parse(text), None, "{text}");
        }
    }

    #[test]
    fn bytes_and_truth() {
        assert_eq!(parse_base64("AAE="), Some(vec![0, 1]));
        for text in ["AAE", "AA E=", "AAF=", "-_8="] {
            assert_eq!(parse_base64(text), None, "{text}");
        }
        assert_eq!(parse_bool("TRUE"), Some(true));
        assert_eq!(parse_bool("false"), Some(false));
        assert_eq!(parse_bool("yes"), None);
    }
}
