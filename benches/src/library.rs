//! The libraries' own speed for a row's cryptography: the same algorithm on a message of the same
//! size, on the core that servers run on, while nothing else does. It must not know the server.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::rand::{self, SystemRandom};
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, ParsedPublicKey,
    PqdsaKeyPair, PqdsaSigningAlgorithm, VerificationAlgorithm,
};
use aws_lc_rs::{digest, hmac};
use secp256k1::SecretKey;

use crate::Outcome;
use crate::child::{SERVER_CORE, pin};

const MESSAGE: &[u8] = &[0; 32];
/// How long one turn takes.
const TURN: Duration = Duration::from_millis(300);
/// Operations between two looks at the clock, which costs as much as the quickest of them.
const BATCH: u32 = 8;

/// A signature scheme, by its key.
#[derive(Clone, Copy)]
pub(crate) enum Scheme {
    Rsa2048,
    Rsa3072,
    Rsa4096,
    P256,
    P384,
    P521,
    Secp256k1,
    Ed25519,
    MlDsa44,
    MlDsa65,
    MlDsa87,
}

/// What a row asks of the library.
#[derive(Clone, Copy)]
pub(crate) enum Primitive {
    Sign(Scheme),
    Verify(Scheme),
    /// What an Encrypt takes: random numbers, a derived key, AES-256-GCM once.
    DeriveAndSeal,
    Mac,
}

impl Primitive {
    /// Whether it is the row's own work, so that the ratio to it says something.
    pub(crate) fn is_signature(self) -> bool {
        matches!(self, Self::Sign(_) | Self::Verify(_))
    }
}

/// An operation that succeeds or fails.
type Work = Box<dyn Fn() -> bool + Send + Sync>;

/// A library's way to do a row's work.
pub(crate) struct Library {
    pub(crate) name: &'static str,
    work: Work,
}

/// The libraries that can do it, with keys made for this.
pub(crate) fn libraries(primitive: Primitive) -> Outcome<Vec<Library>> {
    let failed = |_| "the library fails at its own key".to_owned();
    let ours = works(primitive).map_err(failed)?;
    let mut found = vec![Library { name: "aws-lc-rs", work: ours }];
    if let Primitive::Sign(Scheme::Secp256k1) = primitive {
        let work = libsecp256k1().map_err(|error| error.to_string())?;
        found.push(Library { name: "libsecp256k1", work });
    }
    Ok(found)
}

impl Library {
    /// Operations a second in one turn, all of which succeed.
    pub(crate) fn turn(&self) -> Outcome<f64> {
        // The load's thread waits meanwhile, so that both cores are free.
        let measured = std::thread::scope(|scope| {
            scope.spawn(|| pin(&[SERVER_CORE]).map(|()| rate(&self.work))).join()
        });
        measured.map_err(|_| format!("{} failed at work that must succeed", self.name))?
    }
}

fn rate(work: &Work) -> f64 {
    let start = Instant::now();
    let mut count = 0_u32;
    while start.elapsed() < TURN {
        for _ in 0..BATCH {
            assert!(black_box(work()), "the rate of failures tells nothing");
        }
        count += BATCH;
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}

type Fallible<T> = Result<T, aws_lc_rs::error::Unspecified>;

fn works(primitive: Primitive) -> Fallible<Work> {
    match primitive {
        Primitive::DeriveAndSeal => derive_and_seal(),
        Primitive::Mac => {
            let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())?;
            Ok(Box::new(move || hmac::sign(&key, MESSAGE).as_ref().len() == 32))
        }
        Primitive::Sign(scheme) => Ok(pair(scheme)?.sign),
        Primitive::Verify(scheme) => pair(scheme)?.verify,
    }
}

/// What a key pair can do.
struct Pair {
    sign: Work,
    verify: Fallible<Work>,
}

fn pair(scheme: Scheme) -> Fallible<Pair> {
    use signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256K1_SHA256_ASN1,
        ECDSA_P256K1_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1, ECDSA_P384_SHA384_ASN1_SIGNING,
        ECDSA_P521_SHA512_ASN1, ECDSA_P521_SHA512_ASN1_SIGNING, ML_DSA_44, ML_DSA_44_SIGNING,
        ML_DSA_65, ML_DSA_65_SIGNING, ML_DSA_87, ML_DSA_87_SIGNING,
    };
    match scheme {
        Scheme::Rsa2048 => rsa(KeySize::Rsa2048),
        Scheme::Rsa3072 => rsa(KeySize::Rsa3072),
        Scheme::Rsa4096 => rsa(KeySize::Rsa4096),
        Scheme::P256 => ecdsa(&ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P256_SHA256_ASN1),
        Scheme::P384 => ecdsa(&ECDSA_P384_SHA384_ASN1_SIGNING, &ECDSA_P384_SHA384_ASN1),
        Scheme::P521 => ecdsa(&ECDSA_P521_SHA512_ASN1_SIGNING, &ECDSA_P521_SHA512_ASN1),
        Scheme::Secp256k1 => ecdsa(&ECDSA_P256K1_SHA256_ASN1_SIGNING, &ECDSA_P256K1_SHA256_ASN1),
        Scheme::Ed25519 => ed25519(),
        Scheme::MlDsa44 => ml_dsa(&ML_DSA_44_SIGNING, &ML_DSA_44),
        Scheme::MlDsa65 => ml_dsa(&ML_DSA_65_SIGNING, &ML_DSA_65),
        Scheme::MlDsa87 => ml_dsa(&ML_DSA_87_SIGNING, &ML_DSA_87),
    }
}

fn verification(
    algorithm: &'static dyn VerificationAlgorithm,
    public: &[u8],
    signature: Vec<u8>,
) -> Fallible<Work> {
    let public =
        ParsedPublicKey::new(algorithm, public).map_err(|_| aws_lc_rs::error::Unspecified)?;
    Ok(Box::new(move || public.verify_sig(MESSAGE, &signature).is_ok()))
}

fn rsa(size: KeySize) -> Fallible<Pair> {
    let key = RsaKeyPair::generate(size)?;
    let random = SystemRandom::new();
    let length = key.public_modulus_len();
    let sign = move |key: &RsaKeyPair| {
        let mut made = vec![0; length];
        key.sign(&signature::RSA_PSS_SHA256, &random, MESSAGE, &mut made).map(|()| made)
    };
    let made = sign(&key)?;
    let public = key.public_key().as_ref();
    let verify = verification(&signature::RSA_PSS_2048_8192_SHA256, public, made);
    Ok(Pair { sign: Box::new(move || sign(&key).is_ok()), verify })
}

fn ecdsa(
    signing: &'static EcdsaSigningAlgorithm,
    verifying: &'static dyn VerificationAlgorithm,
) -> Fallible<Pair> {
    let key = EcdsaKeyPair::generate(signing)?;
    let random = SystemRandom::new();
    let made = key.sign(&random, MESSAGE)?.as_ref().to_vec();
    let verify = verification(verifying, key.public_key().as_ref(), made);
    Ok(Pair { sign: Box::new(move || key.sign(&random, MESSAGE).is_ok()), verify })
}

fn ed25519() -> Fallible<Pair> {
    let key = Ed25519KeyPair::generate()?;
    let made = key.try_sign(MESSAGE)?.as_ref().to_vec();
    let verify = verification(&signature::ED25519, key.public_key().as_ref(), made);
    Ok(Pair { sign: Box::new(move || key.try_sign(MESSAGE).is_ok()), verify })
}

fn ml_dsa(
    signing: &'static PqdsaSigningAlgorithm,
    verifying: &'static dyn VerificationAlgorithm,
) -> Fallible<Pair> {
    let key = PqdsaKeyPair::generate(signing)?;
    let sign = move |key: &PqdsaKeyPair| {
        let mut made = vec![0; signing.signature_len()];
        key.sign(MESSAGE, &mut made).map(|_| made)
    };
    let made = sign(&key)?;
    let verify = verification(verifying, key.public_key().as_ref(), made);
    Ok(Pair { sign: Box::new(move || sign(&key).is_ok()), verify })
}

/// 28 random bytes, HMAC-SHA-256 over a counter, a label and a nonce, AES-256-GCM of 32 bytes with
/// 100 bytes of associated data.
fn derive_and_seal() -> Fallible<Work> {
    let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())?;
    let seal = move || -> Fallible<usize> {
        let mut fresh = [0; 28];
        rand::fill(&mut fresh)?;
        let (nonce, vector) = fresh.split_at(16);
        let mut label = [0; 48];
        label[..16].copy_from_slice(nonce);
        let derived = hmac::sign(&key, &label);
        let derived = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, derived.as_ref())?);
        let mut bytes = MESSAGE.to_vec();
        let vector = Nonce::try_assume_unique_for_key(vector)?;
        derived.seal_in_place_append_tag(vector, Aad::from([0; 100]), &mut bytes)?;
        Ok(bytes.len())
    };
    Ok(Box::new(move || seal().is_ok()))
}

/// Signs as the server has to: a digest first, a signature in DER at the end.
fn libsecp256k1() -> Result<Work, secp256k1::Error> {
    let mut secret = [0; 32];
    // A zero key is refused below, so that a generator that fails shows.
    let _ = rand::fill(&mut secret);
    let key = SecretKey::from_secret_bytes(secret)?;
    Ok(Box::new(move || {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, MESSAGE).as_ref());
        let message = secp256k1::Message::from_digest(hash);
        secp256k1::ecdsa::sign(message, &key).serialize_der().len() > 8
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_do_what_is_asked_of_them() {
        let primitives = [
            Primitive::DeriveAndSeal,
            Primitive::Mac,
            Primitive::Sign(Scheme::P256),
            Primitive::Verify(Scheme::P256),
            Primitive::Sign(Scheme::Secp256k1),
            Primitive::Verify(Scheme::Ed25519),
            Primitive::Verify(Scheme::MlDsa44),
        ];
        for primitive in primitives {
            for library in libraries(primitive).expect("keys") {
                assert!((library.work)(), "{}", library.name);
            }
        }
        let names: Vec<_> = libraries(Primitive::Sign(Scheme::Secp256k1)).expect("keys");
        assert_eq!(names.len(), 2);
    }
}
