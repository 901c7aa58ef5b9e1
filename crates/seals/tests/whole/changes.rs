//! Adding, removing and renewing seals.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use seals::{Kind, NewMethod, Refusal, SEALS_MAX, Seals, SealsError, Secret};
use service::ports::StoreError;
use storage::Memory;

use super::installation::{
    Breaking, Hands, Installation, PASSPHRASE, by_passphrase, failed, missing, named, opened,
    passphrase, proves, refused, share, started, texts,
};

const OTHER: &str = "another passphrase entirely";

#[tokio::test(start_paused = true)]
async fn a_seal_that_was_added_opens_and_one_that_was_removed_does_not() {
    let own = Installation::new().await;
    let issued =
        own.seals.add(named("deputies", NewMethod::Shares { threshold: 2, count: 2 })).await;
    let shares = texts(&issued.unwrap());
    let seals = own.started().await;
    assert_eq!(missing(seals.unseal(share(&shares[0]), None).await), 1);
    let (root_key, name) = opened(seals.unseal(share(&shares[1]), None).await);
    assert_eq!(name, "deputies");
    assert!(proves(&root_key, &own.proof));

    // Seals that were opened change the set as those that made it do.
    seals.remove("desk").await.unwrap();
    let id = seals.list().await.unwrap().into_iter().find(|one| one.name == "usb").unwrap().id;
    seals.remove(&id).await.unwrap();
    for seals in [&seals, &own.started().await] {
        let refusal = refused(seals.unseal(passphrase(PASSPHRASE), None).await);
        assert!(matches!(refusal, Refusal::NoSuchSeal { kind: Kind::Passphrase }));
        let refusal = refused(seals.unseal(Secret::KeyFile(own.key_file()), None).await);
        assert!(matches!(refusal, Refusal::NoSuchSeal { kind: Kind::KeyFile }));
    }
    seals.remove("holders").await.unwrap();
    assert!(matches!(failed(seals.remove("deputies").await), SealsError::LastSeal));
    assert!(matches!(failed(seals.remove("desk").await), SealsError::NoSuchSeal { .. }));
    let left: Vec<_> = seals.list().await.unwrap().into_iter().map(|one| one.name).collect();
    assert_eq!(left, ["deputies"]);
    assert!(seals.findings().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_new_secret_takes_the_place_of_the_old_one() {
    let own = Installation::new().await;
    own.seals.rotate("desk", by_passphrase(OTHER)).await.unwrap();
    let path = own.directory.path().join("new.key");
    own.seals.rotate("usb", NewMethod::KeyFile { path: path.clone() }).await.unwrap();
    let seals = own.started().await;
    assert!(proves(&opened(seals.unseal(passphrase(OTHER), None).await).0, &own.proof));
    assert!(refused(seals.unseal(passphrase(PASSPHRASE), None).await).wrong_secret());
    assert!(proves(&opened(seals.unseal(Secret::KeyFile(path), None).await).0, &own.proof));
    assert!(refused(seals.unseal(Secret::KeyFile(own.key_file()), None).await).wrong_secret());
    let error =
        failed(own.seals.rotate("desk", NewMethod::Shares { threshold: 2, count: 2 }).await);
    assert!(matches!(error, SealsError::OtherKind { kind: Kind::Passphrase }));
    let error = failed(own.seals.rotate("nobody", by_passphrase(OTHER)).await);
    assert!(matches!(error, SealsError::NoSuchSeal { .. }));
}

#[tokio::test]
async fn names_and_numbers_are_bounded() {
    let own = Installation::new().await;
    for bad in ["", " x", "x ", "a/b", "a\nb", "a\0b", &"x".repeat(65)] {
        let error = failed(own.seals.add(named(bad, by_passphrase(OTHER))).await);
        assert!(matches!(error, SealsError::BadName), "{bad:?}");
    }
    let error = failed(own.seals.add(named("desk", by_passphrase(OTHER))).await);
    assert!(matches!(error, SealsError::NameTaken { .. }));
    for number in own.seals.list().await.unwrap().len()..SEALS_MAX {
        let name = format!("more \u{fc} {number}");
        own.seals.add(named(&name, NewMethod::Shares { threshold: 2, count: 2 })).await.unwrap();
    }
    let path = own.directory.path().join("one-too-many.key");
    let more = named("one too many", NewMethod::KeyFile { path: path.clone() });
    assert!(matches!(failed(own.seals.add(more).await), SealsError::TooMany));
    assert!(!path.exists());
    opened(own.started().await.unseal(passphrase(PASSPHRASE), None).await);

    for (wanted, expected) in [
        (Vec::new(), "at least one seal is needed"),
        (
            vec![named("a", by_passphrase(OTHER)), named("a", by_passphrase(OTHER))],
            "another seal has the name \"a\"",
        ),
        ((0..17).map(|n| named(&format!("{n}"), by_passphrase(OTHER))).collect(), "at most 16"),
    ] {
        let (store, clock) = (Arc::new(Memory::new()), Arc::new(Hands::default()));
        let error = failed(Seals::create(store, clock, wanted).await);
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[tokio::test]
async fn an_installation_is_made_once_and_leaves_nothing_behind_when_it_fails() {
    let own = Installation::new().await;
    let before = own.records().await;
    let path = own.directory.path().join("second.key");
    let wanted = || vec![named("usb", NewMethod::KeyFile { path: path.clone() })];
    let clock = || Arc::new(Hands::default());
    let store = Arc::clone(&own.store);
    assert!(matches!(failed(Seals::create(store, clock(), wanted()).await), SealsError::Exists));
    assert_eq!(own.records().await, before);
    assert!(!path.exists());

    // The second of two seals can't be made.
    let store = Arc::new(Memory::new());
    let mut two = wanted();
    two.push(named("short", by_passphrase("short")));
    let error = failed(Seals::create(Arc::clone(&store) as _, clock(), two).await);
    assert!(matches!(error, SealsError::PassphraseTooShort));
    assert!(!path.exists());
    assert!(Seals::open(store, clock()).await.unwrap().is_none());

    // A store that fails may have stored what it was given, so the key file stays.
    let broken = Breaking::at(&Arc::new(Memory::new()), 0, true);
    let error = failed(Seals::create(broken.clone(), clock(), wanted()).await);
    assert!(matches!(error, SealsError::Store(StoreError::Unavailable(_))));
    let seals = started(broken).await;
    opened(seals.unseal(Secret::KeyFile(path), None).await);
}

#[tokio::test]
async fn a_change_that_fails_changes_nothing() {
    let own = Installation::new().await;
    let before = own.records().await;
    let broken = Breaking::at(&own.store, 0, false);
    let seals = started(broken.clone()).await;
    opened(seals.unseal(passphrase(PASSPHRASE), None).await);
    failed(seals.remove("usb").await);
    failed(seals.rotate("desk", by_passphrase(OTHER)).await);
    failed(seals.add(named("new", by_passphrase(OTHER))).await);
    assert_eq!(own.records().await, before);
    broken.left.store(9, Ordering::SeqCst);
    seals.remove("usb").await.unwrap();
}

#[tokio::test]
async fn of_two_changes_at_once_one_is_done_after_the_other() {
    let own = Installation::new().await;
    let other = own.started().await;
    opened(other.unseal(passphrase(PASSPHRASE), None).await);
    // Two servers on one store, or two requests: both changes are there in the end.
    let (one, two) = tokio::join!(own.seals.remove("usb"), other.remove("holders"));
    for (result, seals, name) in [(one, &own.seals, "usb"), (two, &other, "holders")] {
        match result {
            Ok(()) => {}
            Err(SealsError::Conflict) => seals.remove(name).await.unwrap(),
            Err(error) => panic!("{error}"),
        }
    }
    let left: Vec<_> = other.list().await.unwrap().into_iter().map(|one| one.name).collect();
    assert_eq!(left, ["desk"]);
    opened(own.started().await.unseal(passphrase(PASSPHRASE), None).await);
}
