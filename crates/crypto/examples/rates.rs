//! Prints how many operations a second this crate does on one thread, beside the library used
//! directly in the same run: `cargo run --release -p crypto --example rates`.
//!
//! The two take turns, so that a neighbour's load falls on both.

use std::error::Error;
use std::hint::black_box;
use std::time::{Duration, Instant};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, ParsedPublicKey,
    PqdsaKeyPair, PqdsaSigningAlgorithm, VerificationAlgorithm,
};
use aws_lc_rs::{digest, hmac, kem};
use crypto::{
    Curve, EcKey, Ed25519Key, MacKey, MacSpec, Message, MlDsaKey, MlDsaSpec, MlKemKey, MlKemSpec,
    RsaEncryptionAlgorithm, RsaKey, RsaSigningAlgorithm, RsaSpec,
};
use secp256k1::{SecretKey, ecdsa};

const MESSAGE: &[u8] = &[7; 64];
const TURN: Duration = Duration::from_millis(100);
const TURNS: usize = 5;

type Outcome = Result<(), Box<dyn Error>>;

/// Operations a second in one turn, all of which succeed.
fn rate<T, E>(operation: impl Fn() -> Result<T, E>) -> f64 {
    let start = Instant::now();
    let mut count = 0_u32;
    while start.elapsed() < TURN {
        assert!(black_box(operation()).is_ok(), "the rate of failures tells nothing");
        count += 1;
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}

fn compare<A, B, C, D>(
    name: &str,
    ours: impl Fn() -> Result<A, B>,
    library: impl Fn() -> Result<C, D>,
) {
    let mut rates = [const { Vec::new() }; 2];
    for _ in 0..TURNS {
        rates[0].push(rate(&ours));
        rates[1].push(rate(&library));
    }
    let [ours, library] = rates.map(|mut turns| {
        turns.sort_by(f64::total_cmp);
        turns[TURNS / 2]
    });
    println!("{name:32} {ours:>10.0} {library:>10.0}   {:.2}", ours / library);
}

fn parsed(
    algorithm: &'static dyn VerificationAlgorithm,
    public: &[u8],
) -> Result<ParsedPublicKey, Box<dyn Error>> {
    Ok(ParsedPublicKey::new(algorithm, public)?)
}

fn rsa(name: &str, spec: RsaSpec, size: KeySize) -> Outcome {
    let (ours, theirs) = (RsaKey::generate(spec)?, KeyPair::generate(size)?);
    let algorithm = RsaSigningAlgorithm::PssSha256;
    let random = SystemRandom::new();
    let sign = || {
        let mut signature = vec![0; spec.modulus_len()];
        theirs
            .sign(&signature::RSA_PSS_SHA256, &random, MESSAGE, &mut signature)
            .map(|()| signature)
    };
    compare(&format!("{name} PSS sign"), || ours.sign(algorithm, Message::Raw(MESSAGE)), sign);
    let mine = ours.sign(algorithm, Message::Raw(MESSAGE))?;
    let public = parsed(&signature::RSA_PSS_2048_8192_SHA256, theirs.public_key().as_ref())?;
    let other = sign()?;
    compare(
        &format!("{name} PSS verify"),
        || ours.verify(algorithm, Message::Raw(MESSAGE), &mine),
        || public.verify_sig(MESSAGE, &other),
    );
    let padding = RsaEncryptionAlgorithm::OaepSha256;
    let ciphertext = ours.encrypt(padding, MESSAGE)?;
    let (decrypt, encrypt) =
        (rate(|| ours.decrypt(padding, &ciphertext)), rate(|| ours.encrypt(padding, MESSAGE)));
    println!(
        "{:32} {decrypt:>10.0}\n{:32} {encrypt:>10.0}",
        format!("{name} OAEP decrypt"),
        format!("{name} OAEP encrypt")
    );
    Ok(())
}

fn ec(
    name: &str,
    curve: Curve,
    signing: &'static EcdsaSigningAlgorithm,
    verification: &'static dyn VerificationAlgorithm,
) -> Outcome {
    let (ours, theirs) = (EcKey::generate(curve)?, EcdsaKeyPair::generate(signing)?);
    let random = SystemRandom::new();
    compare(
        &format!("{name} sign"),
        || ours.sign(Message::Raw(MESSAGE)),
        || theirs.sign(&random, MESSAGE),
    );
    let mine = ours.sign(Message::Raw(MESSAGE))?;
    let public = parsed(verification, theirs.public_key().as_ref())?;
    let other = theirs.sign(&random, MESSAGE)?;
    compare(
        &format!("{name} verify"),
        || ours.verify(Message::Raw(MESSAGE), &mine),
        || public.verify_sig(MESSAGE, other.as_ref()),
    );
    let peer = EcKey::generate(curve)?;
    if ours.agree(peer.public_key()).is_ok() {
        let agree = rate(|| ours.agree(peer.public_key()));
        println!("{:32} {agree:>10.0}", format!("{name} agree"));
    }
    Ok(())
}

/// Beside the safe crate over libsecp256k1, which blinds anew for each signature.
fn secp256k1() -> Outcome {
    let ours = EcKey::generate(Curve::Secp256k1)?;
    let theirs = SecretKey::from_secret_bytes([7; 32])?;
    let hashed = || secp256k1::Message::from_digest(sha256(MESSAGE));
    let extra = [7; 32];
    let sign = || Ok::<_, ()>(ecdsa::sign_with_noncedata(hashed(), &theirs, &extra));
    compare(
        "libsecp256k1 sign",
        || ours.sign(Message::Raw(MESSAGE)),
        || sign().map(|s| s.serialize_der()),
    );
    let mine = ours.sign(Message::Raw(MESSAGE))?;
    let public = theirs.public_key();
    let other = ecdsa::sign(hashed(), &theirs).serialize_der();
    compare(
        "libsecp256k1 verify",
        || ours.verify(Message::Raw(MESSAGE), &mine),
        || ecdsa::Signature::from_der(&other)?.verify(hashed(), &public),
    );
    Ok(())
}

fn sha256(message: &[u8]) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, message);
    // SHA-256 has 32 bytes.
    std::array::from_fn(|place| digest.as_ref()[place])
}

fn ed25519() -> Outcome {
    let (ours, theirs) = (Ed25519Key::generate()?, Ed25519KeyPair::generate()?);
    compare("Ed25519 sign", || ours.sign(MESSAGE), || theirs.try_sign(MESSAGE));
    let digest = rate(|| ours.sign_digest(MESSAGE));
    println!("{:32} {digest:>10.0}", "Ed25519ph sign");
    let mine = ours.sign(MESSAGE)?;
    let public = parsed(&signature::ED25519, theirs.public_key().as_ref())?;
    let other = theirs.try_sign(MESSAGE)?;
    compare(
        "Ed25519 verify",
        || ours.verify(MESSAGE, &mine),
        || public.verify_sig(MESSAGE, other.as_ref()),
    );
    Ok(())
}

fn ml_dsa(
    name: &str,
    spec: MlDsaSpec,
    signing: &'static PqdsaSigningAlgorithm,
    verification: &'static dyn VerificationAlgorithm,
) -> Outcome {
    let (ours, theirs) = (MlDsaKey::generate(spec)?, PqdsaKeyPair::generate(signing)?);
    let sign = || {
        let mut signature = vec![0; signing.signature_len()];
        theirs.sign(MESSAGE, &mut signature).map(|_| signature)
    };
    compare(&format!("{name} sign"), || ours.sign(MESSAGE), sign);
    let mu = rate(|| ours.sign_mu(MESSAGE));
    println!("{:32} {mu:>10.0}", format!("{name} sign mu"));
    let (mine, other) = (ours.sign(MESSAGE)?, sign()?);
    let public = parsed(verification, theirs.public_key().as_ref())?;
    compare(
        &format!("{name} verify"),
        || ours.verify(MESSAGE, &mine),
        || public.verify_sig(MESSAGE, &other),
    );
    Ok(())
}

fn ml_kem(name: &str, spec: MlKemSpec, algorithm: &'static kem::Algorithm) -> Outcome {
    let (ours, theirs) = (MlKemKey::generate(spec)?, kem::DecapsulationKey::generate(algorithm)?);
    let public = theirs.encapsulation_key()?;
    compare(&format!("{name} encapsulate"), || ours.encapsulate(), || public.encapsulate());
    let (mine, (other, _)) = (ours.encapsulate()?.ciphertext, public.encapsulate()?);
    compare(
        &format!("{name} decapsulate"),
        || ours.decapsulate(&mine),
        || theirs.decapsulate(other.as_ref().into()),
    );
    Ok(())
}

fn mac(name: &str, spec: MacSpec, algorithm: hmac::Algorithm) -> Outcome {
    let ours = MacKey::generate(spec)?;
    let theirs = hmac::Key::generate(algorithm, &SystemRandom::new())?;
    compare(
        &format!("{name} (library: one state)"),
        || ours.mac(MESSAGE),
        || Ok::<_, ()>(hmac::sign(&theirs, MESSAGE)),
    );
    Ok(())
}

fn main() -> Outcome {
    println!("{:32} {:>10} {:>10}   ratio", "operations a second", "crypto", "library");
    rsa("RSA_2048", RsaSpec::Rsa2048, KeySize::Rsa2048)?;
    rsa("RSA_3072", RsaSpec::Rsa3072, KeySize::Rsa3072)?;
    rsa("RSA_4096", RsaSpec::Rsa4096, KeySize::Rsa4096)?;
    let [p256, p384, p521, k256] = [
        (&signature::ECDSA_P256_SHA256_ASN1_SIGNING, &signature::ECDSA_P256_SHA256_ASN1),
        (&signature::ECDSA_P384_SHA384_ASN1_SIGNING, &signature::ECDSA_P384_SHA384_ASN1),
        (&signature::ECDSA_P521_SHA512_ASN1_SIGNING, &signature::ECDSA_P521_SHA512_ASN1),
        (&signature::ECDSA_P256K1_SHA256_ASN1_SIGNING, &signature::ECDSA_P256K1_SHA256_ASN1),
    ];
    ec("ECC_NIST_P256", Curve::P256, p256.0, p256.1)?;
    ec("ECC_NIST_P384", Curve::P384, p384.0, p384.1)?;
    ec("ECC_NIST_P521", Curve::P521, p521.0, p521.1)?;
    ec("ECC_SECG_P256K1", Curve::Secp256k1, k256.0, k256.1)?;
    secp256k1()?;
    ed25519()?;
    ml_dsa("ML_DSA_44", MlDsaSpec::MlDsa44, &signature::ML_DSA_44_SIGNING, &signature::ML_DSA_44)?;
    ml_dsa("ML_DSA_65", MlDsaSpec::MlDsa65, &signature::ML_DSA_65_SIGNING, &signature::ML_DSA_65)?;
    ml_dsa("ML_DSA_87", MlDsaSpec::MlDsa87, &signature::ML_DSA_87_SIGNING, &signature::ML_DSA_87)?;
    ml_kem("ML_KEM_512", MlKemSpec::MlKem512, &kem::ML_KEM_512)?;
    ml_kem("ML_KEM_768", MlKemSpec::MlKem768, &kem::ML_KEM_768)?;
    ml_kem("ML_KEM_1024", MlKemSpec::MlKem1024, &kem::ML_KEM_1024)?;
    mac("HMAC_224", MacSpec::Hmac224, hmac::HMAC_SHA224)?;
    mac("HMAC_256", MacSpec::Hmac256, hmac::HMAC_SHA256)?;
    mac("HMAC_384", MacSpec::Hmac384, hmac::HMAC_SHA384)?;
    mac("HMAC_512", MacSpec::Hmac512, hmac::HMAC_SHA512)
}
