//! A key store that is closed: for tools that read state and use no key.

use std::fmt;
use std::sync::Arc;

use service::ports::{
    Binding, DataKeyPair, Import, ImportError, ImportKey, KeyStore, KeyStoreError, Material,
    MaterialError, MaterialId, Opened, Pending, TokenError, TokenKind,
};
use wire::enums::{DataKeyPairSpec, WrappingKeySpec};
use zeroize::Zeroizing;

/// A key store that does nothing but say that it is closed.
pub struct Closed;

#[derive(Debug)]
struct IsClosed;

impl fmt::Display for IsClosed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is closed")
    }
}

impl std::error::Error for IsClosed {}

fn closed() -> KeyStoreError {
    KeyStoreError::Unavailable(Box::new(IsClosed))
}

fn refused<'a, T: Send + 'a, E: Send + 'a>(error: E) -> Pending<'a, Result<T, E>> {
    Box::pin(std::future::ready(Err(error)))
}

impl KeyStore for Closed {
    fn generate<'a>(
        &'a self,
        _: Binding<'a>,
    ) -> Pending<'a, Result<(Vec<u8>, Opened), KeyStoreError>> {
        refused(closed())
    }

    fn open<'a>(
        &'a self,
        _: Binding<'a>,
        _: MaterialId,
        _: &'a [u8],
    ) -> Pending<'a, Result<Arc<dyn Material>, KeyStoreError>> {
        refused(closed())
    }

    fn rebind<'a>(
        &'a self,
        _: Binding<'a>,
        _: MaterialId,
        _: &'a [u8],
        _: Binding<'a>,
    ) -> Pending<'a, Result<Vec<u8>, KeyStoreError>> {
        refused(closed())
    }

    fn rewrap<'a>(
        &'a self,
        _: Binding<'a>,
        _: MaterialId,
        _: &'a [u8],
    ) -> Pending<'a, Result<Option<Vec<u8>>, KeyStoreError>> {
        refused(closed())
    }

    fn import_key<'a>(
        &'a self,
        _: Binding<'a>,
        _: WrappingKeySpec,
    ) -> Pending<'a, Result<ImportKey, KeyStoreError>> {
        refused(closed())
    }

    fn import<'a>(
        &'a self,
        _: Binding<'a>,
        _: Import<'a>,
    ) -> Pending<'a, Result<(Vec<u8>, Opened), ImportError>> {
        refused(closed().into())
    }

    fn take<'a>(
        &'a self,
        _: Binding<'a>,
        _: Zeroizing<Vec<u8>>,
    ) -> Pending<'a, Result<(Vec<u8>, Opened), ImportError>> {
        refused(closed().into())
    }

    fn seal_token<'a>(
        &'a self,
        _: &'a str,
        _: TokenKind,
        _: &'a [u8],
        _: &'a [u8],
    ) -> Pending<'a, Result<Vec<u8>, KeyStoreError>> {
        refused(closed())
    }

    fn open_token<'a>(
        &'a self,
        _: &'a str,
        _: TokenKind,
        _: &'a [u8],
        _: &'a [u8],
    ) -> Pending<'a, Result<Zeroizing<Vec<u8>>, TokenError>> {
        refused(TokenError::KeyStore(closed()))
    }

    fn rewrap_token<'a>(
        &'a self,
        _: &'a str,
        _: TokenKind,
        _: &'a [u8],
        _: &'a [u8],
    ) -> Pending<'a, Result<Option<Vec<u8>>, KeyStoreError>> {
        refused(closed())
    }

    fn data_key_pair(&self, _: DataKeyPairSpec) -> Pending<'_, Result<DataKeyPair, KeyStoreError>> {
        refused(closed())
    }

    fn random(&self, _: usize) -> Result<Zeroizing<Vec<u8>>, KeyStoreError> {
        Err(closed())
    }

    fn seal_for_recipient(&self, _: &[u8], _: &[u8]) -> Result<Vec<u8>, MaterialError> {
        Err(closed().into())
    }
}
