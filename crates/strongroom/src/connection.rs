//! What the commands that talk to a running server have in common.

use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;

use hyper::Method;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::socket::{self, Failure};

/// Which server is meant.
#[derive(clap::Args)]
pub(crate) struct Connection {
    /// The operator's socket of the server.
    #[arg(
        long,
        global = true,
        value_name = "PATH",
        env = "STRONGROOM_ADMIN_SOCKET",
        default_value = "/run/strongroom/admin.sock"
    )]
    pub(crate) socket: PathBuf,
}

impl Connection {
    /// Asks the server for something.
    ///
    /// # Errors
    /// [`Failure`].
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        call: Option<Value>,
    ) -> Result<Value, Failure> {
        let body = call.map_or_else(Vec::new, |call| call.to_string().into_bytes());
        socket::ask(&self.socket, method, path, Zeroizing::new(body)).await
    }
}

/// Runs what a command has to wait for, to its end.
pub(crate) fn run<T>(work: impl Future<Output = T>) -> Result<T, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map(|runtime| runtime.block_on(work)).map_err(|error| error.to_string())
}

/// Runs a command, and tells how it ended.
pub(crate) fn end(work: impl Future<Output = Result<(), Failure>>) -> ExitCode {
    match run(work) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Ok(Err(failure)) => failed(&failure.to_string()),
        Err(message) => failed(&message),
    }
}

/// Tells why nothing came of a command.
pub(crate) fn failed(message: &str) -> ExitCode {
    eprintln!("strongroom: {message}");
    ExitCode::FAILURE
}
