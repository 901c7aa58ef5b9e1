//! The configuration: one table of settings, and the file, variables and flags that set them.
//!
//! A flag goes before a variable, a variable before the file, the file before the default. Every
//! value that can't be taken is a fault that says where it came from and what it must be; with one
//! fault there is no configuration. Must not know what a setting is used for.

mod checks;
mod environment;
mod fault;
mod file;
mod kinds;
mod raw;
mod reference;
mod setting;
mod table;
mod units;
mod values;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use fault::{Fault, Faults, Origin};
pub use reference::reference;
pub use setting::{Form, Setting};
pub use table::{
    Admin, Audit, AuditHttp, AuditStdout, AuditSyslog, Config, Iam, Kms, Limits, Listen, Log,
    Memory, Operations, Quotas, Removal, Rotation, Seal, Server, Tls,
};
pub use values::{AuditSync, LogFormat, LogLevel, MemoryLock, SyslogAddress, TlsVersion};

use file::{Findings, Found};
use raw::Raw;

/// Where settings are looked for.
#[derive(Debug, Default)]
pub struct Sources {
    /// The configuration file.
    pub file: Option<PathBuf>,
    /// The environment.
    pub variables: Vec<(OsString, OsString)>,
    /// The flags that were given, by their settings, each with its values.
    pub flags: Vec<(&'static Setting, Vec<String>)>,
}

/// What the sources come to, faults included.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration; where a value is at fault, without it.
    pub config: Config,
    /// Where each setting's value came from, in the table's order.
    pub origins: Vec<(&'static Setting, Origin)>,
    /// What is wrong.
    pub faults: Vec<Fault>,
    /// What may be wrong, or dangerous.
    pub warnings: Vec<Fault>,
}

/// What a running server makes of sources that were read again.
#[derive(Debug)]
pub struct Reloaded {
    /// The old configuration with the new values of what a reload can change.
    pub config: Config,
    /// What has changed in it.
    pub changed: Vec<&'static Setting>,
    /// What stands otherwise in the sources, and takes a restart.
    pub needs_restart: Vec<&'static Setting>,
    /// What may be wrong, or dangerous.
    pub warnings: Vec<Fault>,
}

impl Config {
    /// Reads all sources, whatever is wrong with them.
    pub fn read(sources: &Sources) -> Loaded {
        let mut loaded = Loaded {
            config: Self::default(),
            origins: Setting::all().iter().map(|setting| (setting, Origin::Default)).collect(),
            faults: Vec::new(),
            warnings: Vec::new(),
        };
        if let Some(path) = &sources.file {
            match file::read(path) {
                // Paths in the file begin where the file is.
                Ok(found) => loaded.take(found, path.parent().unwrap_or(Path::new(""))),
                Err(error) => {
                    let origin = Origin::File(Arc::new(path.clone()), 1);
                    let what = format!("the configuration file can't be read: {error}");
                    loaded.faults.push(Fault { origin, what });
                }
            }
        }
        loaded.faults.sort_by_key(|fault| fault.origin.line());
        loaded.take(environment::find(&sources.variables), Path::new(""));
        for (setting, values) in &sources.flags {
            let (raw, origin) = (Raw::Words(values.clone()), Origin::Flag(setting.flag()));
            loaded.take_one(&Found { setting, raw, origin }, Path::new(""));
        }
        checks::check(&mut loaded);
        loaded
    }

    /// Reads all sources.
    ///
    /// # Errors
    /// [`Faults`]: everything that is wrong with them.
    pub fn load(sources: &Sources) -> Result<Loaded, Faults> {
        let loaded = Self::read(sources);
        if loaded.faults.is_empty() { Ok(loaded) } else { Err(Faults(loaded.faults)) }
    }

    /// Reads all sources again for a server that runs with this configuration.
    ///
    /// # Errors
    /// [`Faults`]; the server goes on with what it has.
    pub fn reload(&self, sources: &Sources) -> Result<Reloaded, Faults> {
        let Loaded { config: new, warnings, .. } = Self::load(sources)?;
        let mut config = self.clone();
        let different = Setting::all().iter().filter(|known| known.show(self) != known.show(&new));
        let (changed, needs_restart): (Vec<_>, Vec<_>) =
            different.partition(|setting| setting.reloadable);
        for setting in &changed {
            (setting.copy)(&new, &mut config);
        }
        Ok(Reloaded { config, changed, needs_restart, warnings })
    }
}

impl Kms {
    /// How many of each there may be, as the service takes it.
    pub fn limits(&self) -> kms::Limits {
        kms::Limits {
            keys: self.keys,
            aliases_per_key: self.aliases_per_key,
            grants_per_key: self.grants_per_key,
            tags_per_key: self.tags_per_key,
            policy_bytes: self.policy_bytes,
            on_demand_rotations: self.on_demand_rotations,
        }
    }
}

impl Loaded {
    fn take(&mut self, findings: Findings, directory: &Path) {
        self.faults.extend(findings.faults);
        self.warnings.extend(findings.warnings);
        for found in &findings.found {
            self.take_one(found, directory);
        }
    }

    fn take_one(&mut self, found: &Found, directory: &Path) {
        match (found.setting.read)(&mut self.config, &found.raw, directory) {
            Ok(()) => {
                let origin = self.origins.iter_mut().find(|(known, _)| *known == found.setting);
                if let Some((_, origin)) = origin {
                    origin.clone_from(&found.origin);
                }
            }
            Err(error) => {
                let what = format!("{} {error}", found.setting.path());
                self.faults.push(Fault { origin: found.origin.clone(), what });
            }
        }
    }

    /// Where a setting's value came from.
    fn origin(&self, section: &str, name: &str) -> Origin {
        let known = |setting: &Setting| setting.section == section && setting.name == name;
        let found = self.origins.iter().find(|(setting, _)| known(setting));
        found.map_or(Origin::Default, |(_, origin)| origin.clone())
    }

    /// The values in force as a file would have them, with where each came from beside it.
    pub fn effective(&self) -> String {
        reference::effective(&self.config, &self.origins)
    }
}
