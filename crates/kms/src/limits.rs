//! The quantities that AWS calls quotas, and which of them an operator may set otherwise.
//!
//! What the service model fixes (lengths of names, sizes of plaintexts, pages of lists) is not
//! here: clients check it themselves. Must not know what is counted.
//!
//! Source: the developer guide's "Resource quotas".

use std::fmt;
use std::ops::RangeInclusive;

/// How many there may be. The default is what AWS gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Customer managed keys in one account and Region, whatever their state.
    pub keys: usize,
    /// Aliases of one key.
    pub aliases_per_key: usize,
    /// Grants on one key.
    pub grants_per_key: usize,
    /// Tags of one key.
    pub tags_per_key: usize,
    /// The length of a key policy, in bytes.
    pub policy_bytes: usize,
    /// Rotations on demand of one key, in its life.
    pub on_demand_rotations: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            keys: 100_000,
            aliases_per_key: 50,
            grants_per_key: 50_000,
            tags_per_key: 50,
            policy_bytes: 32_768,
            on_demand_rotations: 25,
        }
    }
}

/// A setting that is none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidLimit(String);

impl fmt::Display for InvalidLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for InvalidLimit {}

/// A limit by its name, with the values that it can take and the place that holds it.
struct Setting {
    name: &'static str,
    values: RangeInclusive<usize>,
    place: fn(&mut Limits) -> &mut usize,
}

/// The upper bounds keep a key's record with all its tags, materials and its policy within what a
/// store takes ([`service::ports::VALUE_MAX`]).
const SETTINGS: [Setting; 6] = [
    Setting { name: "keys", values: 1..=10_000_000, place: |limits| &mut limits.keys },
    Setting {
        name: "aliases-per-key",
        values: 1..=Limits::ALIASES_PER_KEY_BOUND,
        place: |limits| &mut limits.aliases_per_key,
    },
    Setting {
        name: "grants-per-key",
        values: 1..=1_000_000,
        place: |limits| &mut limits.grants_per_key,
    },
    Setting { name: "tags-per-key", values: 1..=200, place: |limits| &mut limits.tags_per_key },
    // The model's own bound is the upper one.
    Setting { name: "policy-bytes", values: 1..=131_072, place: |limits| &mut limits.policy_bytes },
    Setting {
        name: "on-demand-rotations",
        values: 1..=500,
        place: |limits| &mut limits.on_demand_rotations,
    },
];

impl Limits {
    /// The highest limit of a key's aliases: the key and all of them are removed by one commit, of
    /// which a store takes 128 changes.
    pub(crate) const ALIASES_PER_KEY_BOUND: usize = 60;

    /// Sets a limit by a text of the form `NAME=N`.
    ///
    /// # Errors
    /// [`InvalidLimit`] for another form, an unknown name, and a number outside that limit's
    /// bounds; the text says what would be right.
    pub fn set(&mut self, setting: &str) -> Result<(), InvalidLimit> {
        let Some((name, number)) = setting.split_once('=') else {
            return Err(InvalidLimit(format!("{setting:?} is not of the form NAME=N")));
        };
        let Some(known) = SETTINGS.iter().find(|known| known.name == name) else {
            let names: Vec<_> = SETTINGS.iter().map(|known| known.name).collect();
            return Err(InvalidLimit(format!(
                "there is no limit {name:?}; there are {}",
                names.join(", ")
            )));
        };
        match number.parse() {
            Ok(number) if known.values.contains(&number) => {
                *(known.place)(self) = number;
                Ok(())
            }
            _ => Err(InvalidLimit(format!(
                "{name} is a number from {} to {}, not {number:?}",
                known.values.start(),
                known.values.end()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_is_set_by_its_name_within_its_bounds() {
        for known in &SETTINGS {
            let mut limits = Limits::default();
            let default = *(known.place)(&mut limits);
            assert!(known.values.contains(&default), "{}", known.name);
            for value in [*known.values.start(), *known.values.end()] {
                limits.set(&format!("{}={value}", known.name)).unwrap();
                assert_eq!(*(known.place)(&mut limits), value);
            }
            for value in [known.values.start() - 1, known.values.end() + 1] {
                assert!(limits.set(&format!("{}={value}", known.name)).is_err(), "{}", known.name);
            }
            *(known.place)(&mut limits) = default;
            assert_eq!(limits, Limits::default(), "{} is another limit's place", known.name);
        }
    }

    #[test]
    fn what_is_no_setting_says_what_would_be_one() {
        for (setting, says) in [
            ("keys", "\"keys\" is not of the form NAME=N"),
            ("key=1", "there is no limit \"key\"; there are keys, aliases-per-key, "),
            ("keys=many", "keys is a number from 1 to 10000000, not \"many\""),
            ("keys=-1", "not \"-1\""),
            ("keys=99999999999999999999999", "keys is a number from 1 to 10000000"),
            ("", "not of the form"),
        ] {
            let error = Limits::default().set(setting).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
