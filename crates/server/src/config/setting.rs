//! What a setting is, and the form in which the table of them is written.
//!
//! A row of the table is a field of a struct: its documentation is the setting's documentation,
//! its kind says what it may be, and everything else (the file, variables, flags, the reference)
//! follows from the row. Must not know any one setting.

use std::path::Path;

use super::Config;
use super::raw::Raw;

/// What separates the parts of a variable's name, and what every variable begins with.
pub(super) const VARIABLE_PREFIX: &str = "STRONGROOM_";

/// One setting, as the table has it.
pub struct Setting {
    /// The section that it stands in, such as `audit.http`; empty above all sections.
    pub section: &'static str,
    /// Its key in that section.
    pub name: &'static str,
    /// What it means: Markdown, a sentence or more.
    pub doc: &'static str,
    /// A value that isn't the default, as the file would have it; empty where the default shows
    /// well enough what one looks like.
    pub example: &'static str,
    /// Whether a running server takes another value when it is told to reload.
    pub reloadable: bool,
    /// How it is given on the command line.
    pub(super) form: fn() -> Form,
    /// What a value must be: `a duration from 1s to 1h`, say.
    pub(super) expected: fn() -> String,
    /// Reads a value into its place; relative paths begin at the given directory.
    pub(super) read: fn(&mut Config, &Raw, &Path) -> Result<(), String>,
    /// The value that a configuration has, as the file would have it.
    pub(super) show: fn(&Config) -> String,
    /// Takes the value over from the first configuration into the second.
    pub(super) copy: fn(&Config, &mut Config),
}

/// How the values of a setting are given on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One value.
    One,
    /// `true` or `false`; the flag alone is `true`.
    Switch,
    /// Any number of values: the flag several times, or commas between them.
    Many,
}

impl Setting {
    /// Every setting, section by section, in the order in which they are documented.
    pub fn all() -> &'static [Self] {
        super::table::SETTINGS
    }

    /// The setting of that name in that section.
    pub fn find(section: &str, name: &str) -> Option<&'static Self> {
        Self::all().iter().find(|known| known.section == section && known.name == name)
    }

    /// Its name with the section's before it, such as `audit.http.url`.
    pub fn path(&self) -> String {
        self.joined(".")
    }

    /// The flag that sets it, without dashes before it: `audit-http-url`.
    pub fn flag(&self) -> String {
        self.joined("-").replace(['.', '_'], "-")
    }

    /// The environment's variable that sets it: `STRONGROOM_AUDIT_HTTP_URL`.
    pub fn variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.joined("_").replace('.', "_").to_uppercase())
    }

    /// How it is given on the command line.
    pub fn form(&self) -> Form {
        (self.form)()
    }

    /// What a value must be: `a duration from 1s to 1h`, say.
    pub fn expected(&self) -> String {
        (self.expected)()
    }

    /// The value that a configuration has, as the file would have it.
    pub fn show(&self, config: &Config) -> String {
        (self.show)(config)
    }

    fn joined(&self, separator: &str) -> String {
        match self.section {
            "" => self.name.to_owned(),
            section => format!("{section}{separator}{}", self.name),
        }
    }
}

impl std::fmt::Debug for Setting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.path())
    }
}

impl PartialEq for Setting {
    fn eq(&self, other: &Self) -> bool {
        self.section == other.section && self.name == other.name
    }
}

/// A section: its name and what it is about.
pub(super) struct Section {
    pub(super) name: &'static str,
    pub(super) doc: &'static str,
}

/// Makes of the table the structs of the sections, [`Config`], the defaults and the rows.
///
/// A row is `name: Type = default, kind, reload|restart [, "example"];`.
macro_rules! settings {
    ($(
        $(#[doc = $section_doc:literal])+
        [$section:literal] $place:ident: $Section:ident {
            $(
                $(#[doc = $doc:literal])+
                $name:ident: $Type:ty = $default:expr, $kind:expr, $when:ident
                    $(, $example:literal)?;
            )+
        }
    )+) => {
        /// How the server is to run: a struct for each section of the configuration.
        #[derive(Debug, Clone, PartialEq, Eq, Default)]
        pub struct Config {
            $(
                $(#[doc = $section_doc])+
                pub $place: $Section,
            )+
        }

        $(
            $(#[doc = $section_doc])+
            #[derive(Debug, Clone, PartialEq, Eq)]
            pub struct $Section {
                $(
                    $(#[doc = $doc])+
                    pub $name: $Type,
                )+
            }

            impl Default for $Section {
                fn default() -> Self {
                    Self { $($name: $default,)+ }
                }
            }
        )+

        pub(super) const SECTIONS: &[$crate::config::setting::Section] = &[$(
            $crate::config::setting::Section {
                name: $section,
                doc: concat!($($section_doc, "\n"),+),
            },
        )+];

        pub(super) const SETTINGS: &[$crate::config::setting::Setting] = &[$($(
            $crate::config::setting::Setting {
                section: $section,
                name: stringify!($name),
                doc: concat!($($doc, "\n"),+),
                example: concat!($($example)?),
                reloadable: settings!(@$when),
                form: || $kind.form(),
                expected: || $kind.expected(),
                read: |config, raw, directory| {
                    config.$place.$name = $kind.read(raw, directory)?;
                    Ok(())
                },
                show: |config| $kind.show(&config.$place.$name),
                copy: |from, to| to.$place.$name.clone_from(&from.$place.$name),
            },
        )+)+];
    };
    (@reload) => { true };
    (@restart) => { false };
}

pub(super) use settings;
