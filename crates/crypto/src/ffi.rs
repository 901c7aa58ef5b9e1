//! The C functions of AWS-LC that aws-lc-rs has no safe form of, and those of libsecp256k1, made
//! safe.
//!
//! It owns the calls and nothing else: lengths are fixed by types or checked here, so that no
//! argument can make a call undefined. It must not know what the keys are for.
#![allow(unsafe_code, reason = "functions of C are called by pointer; nothing else in here is")]

use std::ffi::{c_int, c_uint};
use std::mem::MaybeUninit;
use std::ptr::{self, NonNull};
use std::sync::OnceLock;

use aws_lc_sys as lc;
use secp256k1_sys as k1;
use zeroize::{Zeroize, Zeroizing};

use crate::random;

/// The lengths of Ed25519 values in bytes (RFC 8032, 5.1).
pub(crate) const ED25519_SEED: usize = 32;
pub(crate) const ED25519_PRIVATE: usize = 64;
pub(crate) const ED25519_PUBLIC: usize = 32;
pub(crate) const ED25519_SIGNATURE: usize = 64;
/// The length of a SHA-512 digest, which Ed25519ph signs, in bytes.
pub(crate) const SHA_512: usize = 64;

/// A call of the library failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failed;

/// Success is 1 in all of these functions; failures are 0 or negative.
fn succeeded(result: c_int) -> Result<(), Failed> {
    if result == 1 { Ok(()) } else { Err(Failed) }
}

/// Writes `seed || public key` to `private`.
pub(crate) fn ed25519_expand(seed: &[u8; ED25519_SEED], private: &mut [u8; ED25519_PRIVATE]) {
    let mut public = [0; ED25519_PUBLIC];
    // SAFETY: all three have the lengths that the function reads and writes.
    unsafe {
        lc::ED25519_keypair_from_seed(public.as_mut_ptr(), private.as_mut_ptr(), seed.as_ptr());
    }
}

/// Ed25519 (RFC 8032, 5.1.6) with a key that [`ed25519_expand`] made.
pub(crate) fn ed25519_sign(
    private: &[u8; ED25519_PRIVATE],
    message: &[u8],
) -> Result<[u8; ED25519_SIGNATURE], Failed> {
    let mut signature = [0; ED25519_SIGNATURE];
    // SAFETY: signature and key have the lengths that the function expects; the message is read
    // for as long as it is.
    succeeded(unsafe {
        lc::ED25519_sign(signature.as_mut_ptr(), message.as_ptr(), message.len(), private.as_ptr())
    })?;
    Ok(signature)
}

/// Ed25519ph (RFC 8032, 5.1) of a SHA-512 digest, without a context.
pub(crate) fn ed25519ph_sign(
    private: &[u8; ED25519_PRIVATE],
    digest: &[u8; SHA_512],
) -> Result<[u8; ED25519_SIGNATURE], Failed> {
    let mut signature = [0; ED25519_SIGNATURE];
    // SAFETY: all three have the lengths that the function expects; a context of length 0 is
    // not read.
    succeeded(unsafe {
        lc::ED25519ph_sign_digest(
            signature.as_mut_ptr(),
            digest.as_ptr(),
            private.as_ptr(),
            ptr::null(),
            0,
        )
    })?;
    Ok(signature)
}

/// Checks what [`ed25519ph_sign`] made.
pub(crate) fn ed25519ph_verify(
    public: &[u8; ED25519_PUBLIC],
    digest: &[u8; SHA_512],
    signature: &[u8; ED25519_SIGNATURE],
) -> Result<(), Failed> {
    // SAFETY: as in `ed25519ph_sign`.
    succeeded(unsafe {
        lc::ED25519ph_verify_digest(
            digest.as_ptr(),
            signature.as_ptr(),
            public.as_ptr(),
            ptr::null(),
            0,
        )
    })
}

/// The hash of an HMAC.
#[derive(Clone, Copy)]
pub(crate) enum Hash {
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// HMAC (RFC 2104) in one call, into `mac`, which must be as long as the hash.
///
/// aws-lc-rs moves its HMAC states, which can forge MACs, and leaves copies behind; the C
/// function has one and wipes it.
pub(crate) fn hmac(hash: Hash, key: &[u8], message: &[u8], mac: &mut [u8]) -> Result<(), Failed> {
    // SAFETY: the functions take nothing and return pointers to constants.
    let hash = unsafe {
        match hash {
            Hash::Sha224 => lc::EVP_sha224(),
            Hash::Sha256 => lc::EVP_sha256(),
            Hash::Sha384 => lc::EVP_sha384(),
            Hash::Sha512 => lc::EVP_sha512(),
        }
    };
    // SAFETY: `hash` is one of the library's.
    let expected = unsafe { lc::EVP_MD_size(hash) };
    if mac.len() != expected {
        return Err(Failed);
    }
    let mut written: c_uint = 0;
    // SAFETY: key and message are read for as long as they are, and `mac` has room for the hash.
    let result = unsafe {
        lc::HMAC(
            hash,
            key.as_ptr().cast(),
            key.len(),
            message.as_ptr(),
            message.len(),
            mac.as_mut_ptr(),
            &raw mut written,
        )
    };
    if result.is_null() { Err(Failed) } else { Ok(()) }
}

/// An AES key schedule that is wiped when it is dropped, which aws-lc-rs leaves out.
struct AesKey(lc::AES_KEY);

impl Drop for AesKey {
    fn drop(&mut self) {
        self.0.rd_key.zeroize();
    }
}

/// Opens AES-KWP (RFC 5649) into `out` and returns how many bytes were written. `out` needs
/// `wrapped.len() - 8` bytes and must be wiped when this fails.
pub(crate) fn aes_kwp_unwrap(kek: &[u8], wrapped: &[u8], out: &mut [u8]) -> Result<usize, Failed> {
    let bits = match kek.len() {
        16 => 128,
        24 => 192,
        32 => 256,
        _ => return Err(Failed),
    };
    let mut key = AesKey(lc::AES_KEY { rd_key: [0; 60], rounds: 0 });
    // SAFETY: `kek` has as many bits as are told.
    if unsafe { lc::AES_set_decrypt_key(kek.as_ptr(), bits, &raw mut key.0) } != 0 {
        return Err(Failed);
    }
    let mut written = 0;
    // SAFETY: the key is set up; at most `out.len()` bytes are written and `wrapped.len()` read.
    succeeded(unsafe {
        lc::AES_unwrap_key_padded(
            &raw const key.0,
            out.as_mut_ptr(),
            &raw mut written,
            out.len(),
            wrapped.as_ptr(),
            wrapped.len(),
        )
    })?;
    Ok(written)
}

/// A private key as the library holds it: on its own heap, wiped when it is freed.
pub(crate) struct PrivateKey(NonNull<lc::EVP_PKEY>);

// SAFETY: the library's keys don't belong to a thread.
unsafe impl Send for PrivateKey {}
// SAFETY: the functions below don't change a key apart from its count of references, which is
// atomic ("may be used concurrently on multiple threads by non-mutating functions", evp.h).
unsafe impl Sync for PrivateKey {}

impl Drop for PrivateKey {
    fn drop(&mut self) {
        // SAFETY: this value owns the key and is gone after this.
        unsafe { lc::EVP_PKEY_free(self.0.as_ptr()) };
    }
}

/// One operation's state, with a reference to the key.
struct Context(NonNull<lc::EVP_PKEY_CTX>);

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: this value owns the context and is gone after this.
        unsafe { lc::EVP_PKEY_CTX_free(self.0.as_ptr()) };
    }
}

impl PrivateKey {
    /// Parses a PKCS#8 private key of any algorithm that the library knows.
    pub(crate) fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, Failed> {
        let mut reader = MaybeUninit::uninit();
        // SAFETY: the reader is filled by the call, and `pkcs8` outlives it.
        let mut reader = unsafe {
            lc::CBS_init(reader.as_mut_ptr(), pkcs8.as_ptr(), pkcs8.len());
            reader.assume_init()
        };
        // SAFETY: the reader is valid; the returned key, if any, is ours.
        let key = unsafe { lc::EVP_parse_private_key(&raw mut reader) };
        NonNull::new(key).map(Self).ok_or(Failed)
    }

    fn context(&self) -> Result<Context, Failed> {
        // SAFETY: the key lives as long as `self` and the context holds a reference to it.
        let context = unsafe { lc::EVP_PKEY_CTX_new(self.0.as_ptr(), ptr::null_mut()) };
        NonNull::new(context).map(Context).ok_or(Failed)
    }

    /// Writes the raw public key, which must be exactly as long as `public`.
    pub(crate) fn public(&self, public: &mut [u8]) -> Result<(), Failed> {
        let mut len = public.len();
        // SAFETY: at most `len` bytes are written; the key lives as long as `self`.
        succeeded(unsafe {
            lc::EVP_PKEY_get_raw_public_key(self.0.as_ptr(), public.as_mut_ptr(), &raw mut len)
        })?;
        if len == public.len() { Ok(()) } else { Err(Failed) }
    }

    /// Signs a digest as it is; for ML-DSA that is mu (FIPS 204, algorithm 7 from line 7 on).
    /// The signature must be exactly as long as `signature`.
    pub(crate) fn sign_digest(&self, digest: &[u8], signature: &mut [u8]) -> Result<(), Failed> {
        let context = self.context()?;
        let mut len = signature.len();
        // SAFETY: the context is valid, the digest is read for as long as it is, and at most
        // `len` bytes are written.
        unsafe {
            succeeded(lc::EVP_PKEY_sign_init(context.0.as_ptr()))?;
            succeeded(lc::EVP_PKEY_sign(
                context.0.as_ptr(),
                signature.as_mut_ptr(),
                &raw mut len,
                digest.as_ptr(),
                digest.len(),
            ))?;
        }
        if len == signature.len() { Ok(()) } else { Err(Failed) }
    }

    /// Checks what [`Self::sign_digest`] made.
    pub(crate) fn verify_digest(&self, digest: &[u8], signature: &[u8]) -> Result<(), Failed> {
        let context = self.context()?;
        // SAFETY: the context is valid; digest and signature are read for as long as they are.
        unsafe {
            succeeded(lc::EVP_PKEY_verify_init(context.0.as_ptr()))?;
            succeeded(lc::EVP_PKEY_verify(
                context.0.as_ptr(),
                signature.as_ptr(),
                signature.len(),
                digest.as_ptr(),
                digest.len(),
            ))
        }
    }

    /// ML-KEM.Encaps (FIPS 203, algorithm 20). Ciphertext and secret must be exactly as long as
    /// the buffers.
    pub(crate) fn encapsulate(
        &self,
        ciphertext: &mut [u8],
        secret: &mut [u8],
    ) -> Result<(), Failed> {
        let context = self.context()?;
        let (mut ciphertext_len, mut secret_len) = (ciphertext.len(), secret.len());
        // SAFETY: the context is valid, and no more is written than the buffers have.
        succeeded(unsafe {
            lc::EVP_PKEY_encapsulate(
                context.0.as_ptr(),
                ciphertext.as_mut_ptr(),
                &raw mut ciphertext_len,
                secret.as_mut_ptr(),
                &raw mut secret_len,
            )
        })?;
        let exact = (ciphertext_len, secret_len) == (ciphertext.len(), secret.len());
        if exact { Ok(()) } else { Err(Failed) }
    }

    /// ML-KEM.Decaps (FIPS 203, algorithm 21). The secret must be exactly as long as the buffer.
    pub(crate) fn decapsulate(&self, ciphertext: &[u8], secret: &mut [u8]) -> Result<(), Failed> {
        let context = self.context()?;
        let mut len = secret.len();
        // SAFETY: the context is valid, the ciphertext is read for as long as it is, and no more
        // is written than the buffer has.
        succeeded(unsafe {
            lc::EVP_PKEY_decapsulate(
                context.0.as_ptr(),
                secret.as_mut_ptr(),
                &raw mut len,
                ciphertext.as_ptr(),
                ciphertext.len(),
            )
        })?;
        if len == secret.len() { Ok(()) } else { Err(Failed) }
    }
}

/// The lengths of secp256k1's values in bytes: a scalar, an uncompressed point (SEC 1, 2.3.3), the
/// digest that is signed, the longest signature in DER.
pub(crate) const SECP256K1_SCALAR: usize = 32;
pub(crate) const SECP256K1_POINT: usize = 65;
pub(crate) const SECP256K1_DIGEST: usize = 32;
const SECP256K1_SIGNATURE: usize = 72;

/// What libsecp256k1 needs for signing: random numbers with which it blinds its arithmetic. It is
/// made once and stays.
struct Signing(NonNull<k1::Context>);

// SAFETY: a context is memory on the heap that doesn't belong to a thread.
unsafe impl Send for Signing {}
// SAFETY: functions that take a context as constant "may be called from several threads at the
// same time" (secp256k1.h); the one that changes it is called before anybody else sees it.
unsafe impl Sync for Signing {}

impl Signing {
    fn context() -> Result<&'static Self, Failed> {
        static SIGNING: OnceLock<Signing> = OnceLock::new();
        if let Some(signing) = SIGNING.get() {
            return Ok(signing);
        }
        let mut seed = Zeroizing::new([0; 32]);
        random::fill(&mut *seed).map_err(|_| Failed)?;
        // SAFETY: the flags are those of a context, which nobody else knows yet.
        let signing = Self(unsafe { k1::secp256k1_context_create(k1::SECP256K1_START_NONE) });
        // SAFETY: the context was just made, and the seed has the 32 bytes that are read.
        let blinded = unsafe { k1::secp256k1_context_randomize(signing.0, seed.as_ptr()) };
        succeeded(blinded)?;
        // Of two threads that both make one, the first is heard; the other's is dropped.
        Ok(SIGNING.get_or_init(|| signing))
    }
}

impl Drop for Signing {
    fn drop(&mut self) {
        // SAFETY: this value owns the context and is gone after this.
        unsafe { k1::secp256k1_context_destroy(self.0) };
    }
}

/// Which of the two values of s a signature has: s and n - s are equally valid.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Half {
    Lower,
    Higher,
}

/// ECDSA on secp256k1, with a nonce by RFC 6979 from scalar, digest and `extra` (section 3.6). The
/// signature is DER.
pub(crate) fn secp256k1_sign(
    scalar: &[u8; SECP256K1_SCALAR],
    digest: &[u8; SECP256K1_DIGEST],
    extra: &[u8; 32],
    half: Half,
) -> Result<Vec<u8>, Failed> {
    let signing = Signing::context()?;
    let mut der = vec![0; SECP256K1_SIGNATURE];
    let mut len = der.len();
    // SAFETY: the context is one for signing; scalar, digest and extra have the lengths that are
    // read; the signature is written before it is read, and at most `len` bytes of it into `der`.
    unsafe {
        let mut signature = k1::Signature::new();
        succeeded(k1::secp256k1_ecdsa_sign(
            signing.0.as_ptr(),
            &raw mut signature,
            digest.as_ptr(),
            scalar.as_ptr(),
            k1::secp256k1_nonce_function_rfc6979,
            extra.as_ptr().cast(),
        ))?;
        if half == Half::Higher {
            signature = other_half(&signature)?;
        }
        succeeded(k1::secp256k1_ecdsa_signature_serialize_der(
            k1::secp256k1_context_static,
            der.as_mut_ptr(),
            &raw mut len,
            &raw const signature,
        ))?;
    }
    der.truncate(len);
    Ok(der)
}

/// The signature with the other value of s. The library makes the lower one only; its function that
/// negates a scalar is meant for keys and does the same for any.
fn other_half(signature: &k1::Signature) -> Result<k1::Signature, Failed> {
    let mut numbers = [0; 2 * SECP256K1_SCALAR];
    // SAFETY: `numbers` has the 64 bytes that are written and read, the second half of it the 32 of
    // a scalar; what it is parsed into is written before anybody reads it.
    unsafe {
        succeeded(k1::secp256k1_ecdsa_signature_serialize_compact(
            k1::secp256k1_context_static,
            numbers.as_mut_ptr(),
            signature,
        ))?;
        let s = &mut numbers[SECP256K1_SCALAR..];
        succeeded(k1::secp256k1_ec_seckey_negate(k1::secp256k1_context_static, s.as_mut_ptr()))?;
        let mut other = k1::Signature::new();
        succeeded(k1::secp256k1_ecdsa_signature_parse_compact(
            k1::secp256k1_context_static,
            &raw mut other,
            numbers.as_ptr(),
        ))?;
        Ok(other)
    }
}

/// A public key as libsecp256k1 holds it: a point of the curve.
pub(crate) struct Secp256k1Point(k1::PublicKey);

impl Secp256k1Point {
    /// Takes an uncompressed point; one that isn't on the curve is refused.
    pub(crate) fn parse(point: &[u8; SECP256K1_POINT]) -> Result<Self, Failed> {
        // SAFETY: the key is written before anybody reads it, or dropped; the point is read for as
        // long as it is.
        unsafe {
            let mut key = k1::PublicKey::new();
            succeeded(k1::secp256k1_ec_pubkey_parse(
                k1::secp256k1_context_static,
                &raw mut key,
                point.as_ptr(),
                point.len(),
            ))?;
            Ok(Self(key))
        }
    }

    /// Checks a signature in DER, whichever of the two values of s it has.
    pub(crate) fn verify(
        &self,
        digest: &[u8; SECP256K1_DIGEST],
        signature: &[u8],
    ) -> Result<(), Failed> {
        // SAFETY: the signature is read for as long as it is, and what it is parsed into is written
        // before it is read; key and digest have the lengths that are read.
        unsafe {
            let mut parsed = k1::Signature::new();
            succeeded(k1::secp256k1_ecdsa_signature_parse_der(
                k1::secp256k1_context_static,
                &raw mut parsed,
                signature.as_ptr(),
                signature.len(),
            ))?;
            let given = parsed;
            // It tells whether s was the higher one, which is no failure.
            k1::secp256k1_ecdsa_signature_normalize(
                k1::secp256k1_context_static,
                &raw mut parsed,
                &raw const given,
            );
            succeeded(k1::secp256k1_ecdsa_verify(
                k1::secp256k1_context_static,
                &raw const parsed,
                digest.as_ptr(),
                &raw const self.0,
            ))
        }
    }
}
