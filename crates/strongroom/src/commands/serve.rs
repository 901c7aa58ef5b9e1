//! `strongroom serve`: production.

use std::io;
use std::process::ExitCode;

use server::config::Config;
use server::logging::Logging;
use server::systemd;
use server::{Production, StartError};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::settings::Settings;
use crate::connection::failed;

/// What `serve` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    settings: Settings,
}

/// Runs the server until it is asked to stop.
pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    match serve(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => failed(&message),
    }
}

fn serve(arguments: &Arguments) -> Result<(), String> {
    // While there is but one thread.
    let passed =
        systemd::passed_sockets().map_err(|error| StartError::PassedSockets(error).to_string())?;
    let sources = arguments.settings.sources();
    let loaded = Config::load(&sources).map_err(|faults| faults.to_string())?;
    let config = loaded.config;
    let logging =
        Logging::start(config.log.level, config.log.format).map_err(|error| error.to_string())?;
    for warning in &loaded.warnings {
        tracing::warn!(%warning, "the configuration");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    runtime.block_on(async move {
        let signals = Signals::new().map_err(|error| error.to_string())?;
        let server = Production::start(config, sources, logging, passed).await;
        let server = server.map_err(|error| error.to_string())?;
        for address in server.addresses().map_err(|error| error.to_string())? {
            tracing::info!(%address, "listening");
        }
        let (stop, reload) = signals.watch();
        server.run(Box::pin(stop), reload).await;
        tracing::info!("stopped");
        Ok(())
    })
}

/// The signals that a service manager sends.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl Signals {
    /// Before anything listens, so that an early signal isn't lost.
    fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// What is ready when the server has to stop, and what tells when it has to reload.
    fn watch(mut self) -> (impl Future<Output = ()>, mpsc::Receiver<()>) {
        let (reload, reloads) = mpsc::channel(1);
        tokio::spawn(async move {
            while self.hangup.recv().await.is_some() {
                // One that is still waiting is enough.
                let _ = reload.try_send(());
            }
        });
        let stop = async move {
            tokio::select! {
                _ = self.interrupt.recv() => {}
                _ = self.terminate.recv() => {}
            }
        };
        (stop, reloads)
    }
}
