//! Rotation of the root key, and what a crash at any point of it leaves.

use std::sync::Arc;

use crypto::RootKey;
use seals::{SealsError, Secret};
use service::ports::{Commit, Store as _};

use super::installation::{
    Breaking, Installation, PASSPHRASE, failed, missing, opened, passphrase, proof, proves, share,
    started,
};

const PREVIOUS: &str = "keystore/root-key/previous";

/// The previous root key, as the key store opens it.
async fn previous(own: &Installation, root_key: &RootKey) -> Option<RootKey> {
    let item = own.store.get(PREVIOUS).await.unwrap()?;
    Some(root_key.unwrap_root_key(&item.value).unwrap())
}

async fn finish(own: &Installation) {
    let commit = Commit { deletes: vec![PREVIOUS.to_owned()], ..Commit::default() };
    own.store.commit(commit).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn every_seal_opens_the_new_root_key_and_it_the_previous_one() {
    let own = Installation::new().await;
    for _ in 0..3 {
        let before = own.seals.rehearse(passphrase(PASSPHRASE), None).await;
        opened(before);
        let (old, _) = opened(own.started().await.unseal(passphrase(PASSPHRASE), None).await);
        let old_proof = proof(&old);
        let new = own.seals.rotate_root_key().await.unwrap();
        let new_proof = proof(&new);
        assert!(!proves(&new, &old_proof));
        assert!(proves(&previous(&own, &new).await.unwrap(), &old_proof));
        assert!(own.seals.rotation_under_way().await.unwrap());
        assert!(matches!(failed(own.seals.rotate_root_key().await), SealsError::RotationUnderWay));
        let seals = own.started().await;
        let (root_key, _) = opened(seals.unseal(passphrase(PASSPHRASE), None).await);
        assert!(proves(&root_key, &new_proof));
        let file = Secret::KeyFile(own.key_file());
        assert!(proves(&opened(seals.unseal(file, None).await).0, &new_proof));
        missing(seals.unseal(share(&own.shares[4]), None).await);
        missing(seals.unseal(share(&own.shares[2]), None).await);
        let (root_key, _) = opened(seals.unseal(share(&own.shares[0]), None).await);
        assert!(proves(&root_key, &new_proof));
        finish(&own).await;
        assert!(!own.seals.rotation_under_way().await.unwrap());
    }
    // The seals go on as before.
    own.seals.remove("usb").await.unwrap();
    opened(own.started().await.unseal(passphrase(PASSPHRASE), None).await);
}

#[tokio::test]
async fn a_crash_leaves_the_old_root_key_or_the_new_one_with_the_previous_under_it() {
    for (done, does_the_last) in [(0, false), (0, true), (1, false)] {
        let own = Installation::new().await;
        let store = Breaking::at(&own.store, done, does_the_last);
        let seals = started(store).await;
        opened(seals.unseal(passphrase(PASSPHRASE), None).await);
        let answered = seals.rotate_root_key().await;
        assert_eq!(answered.is_ok(), done == 1);
        let replaced = done == 1 || does_the_last;

        let after = own.started().await;
        let (root_key, _) = opened(after.unseal(passphrase(PASSPHRASE), None).await);
        assert_eq!(proves(&root_key, &own.proof), !replaced);
        match previous(&own, &root_key).await {
            Some(previous) => assert!(replaced && proves(&previous, &own.proof)),
            None => assert!(!replaced),
        }
        // What begins anew ends well, whatever was left.
        if replaced {
            finish(&own).await;
        }
        after.rotate_root_key().await.unwrap();
        opened(own.started().await.unseal(Secret::KeyFile(own.key_file()), None).await);
    }
}

#[tokio::test]
async fn a_server_that_does_not_know_what_came_of_it_changes_no_seals() {
    let own = Installation::new().await;
    let store = Breaking::at(&own.store, 0, true);
    let seals = started(Arc::clone(&store) as _).await;
    opened(seals.unseal(passphrase(PASSPHRASE), None).await);
    failed(seals.rotate_root_key().await);
    assert!(matches!(failed(seals.remove("usb").await), SealsError::Tampered(_)));
    // Unsealing again finds out.
    opened(seals.unseal(passphrase(PASSPHRASE), None).await);
    store.left.store(9, std::sync::atomic::Ordering::SeqCst);
    seals.remove("usb").await.unwrap();
}
