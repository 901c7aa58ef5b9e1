//! Reading the configuration again while the server runs.
//!
//! Must not know what a setting means.

use std::fmt;

use super::{Instance, quotas};
use crate::config::{Faults, Setting};
use crate::start::StartError;
use crate::tls::TlsError;

/// What a reload came to.
pub(crate) struct Reloaded {
    /// The settings that changed.
    pub(crate) changed: Vec<String>,
    /// The settings that stand otherwise in the sources, and take a restart.
    pub(crate) needs_restart: Vec<String>,
}

/// Why everything stays as it was.
pub(crate) enum ReloadError {
    /// The configuration is at fault.
    Configuration(Faults),
    /// A quota in it can't be taken.
    Quotas(StartError),
    /// The certificate can't be read again.
    Certificate(TlsError),
}

impl fmt::Display for ReloadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(faults) => faults.fmt(f),
            Self::Quotas(error) => error.fmt(f),
            Self::Certificate(error) => error.fmt(f),
        }
    }
}

impl Instance {
    /// Reads the configuration again and takes what can be taken without a restart, certificates
    /// included.
    ///
    /// # Errors
    /// [`ReloadError`]; everything stays as it was then.
    pub(crate) fn reload(&self) -> Result<Reloaded, ReloadError> {
        let mut settings = self.settings.lock();
        let reloaded = settings.reload(&self.sources).map_err(ReloadError::Configuration)?;
        let quotas = quotas(&reloaded.config).map_err(ReloadError::Quotas)?;
        if let Some(tls) = &self.tls {
            tls.reload().map_err(ReloadError::Certificate)?;
        }
        *settings = reloaded.config;
        self.logging.set_level(settings.log.level);
        self.watch.quotas.set(quotas);
        drop(settings);
        let names = |settings: &[&Setting]| {
            settings.iter().map(|setting| setting.path()).collect::<Vec<_>>()
        };
        let (changed, needs_restart) = (names(&reloaded.changed), names(&reloaded.needs_restart));
        tracing::info!(?changed, ?needs_restart, "the configuration was reloaded");
        Ok(Reloaded { changed, needs_restart })
    }
}
