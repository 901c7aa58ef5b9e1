//! Arithmetic that takes long enough to make other requests on the same thread wait: it runs in the
//! background, as many at once as there are cores.

use service::ports::KeyStoreError;
use tokio::sync::Semaphore;

/// Where slow work runs.
pub(super) struct Workers {
    places: Semaphore,
}

impl Workers {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { places: Semaphore::new(cores) }
    }

    /// Runs the work elsewhere.
    ///
    /// # Errors
    /// [`KeyStoreError::Unavailable`] where the server is ending.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, KeyStoreError> {
        let ending = || KeyStoreError::Unavailable("the server is ending".into());
        let _place = self.places.acquire().await.map_err(|_| ending())?;
        background::run(work).await.map_err(|_| ending())
    }

    /// Runs the work elsewhere if it is slow, else here.
    ///
    /// # Errors
    /// As [`Workers::run`].
    pub(super) async fn run_if<T: Send + 'static>(
        &self,
        slow: bool,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, KeyStoreError> {
        if slow { self.run(work).await } else { Ok(work()) }
    }
}
