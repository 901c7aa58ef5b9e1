//! Each kind of seal opens with what is its own and with nothing else; attempts and rehearsals.

use std::sync::Arc;
use std::time::Duration;

use crypto::ShareRejection;
use seals::{
    Kind, NewMethod, Outcome, PASSPHRASE_MIN, Refusal, Seals, SealsError, Secret, Unopened,
};
use storage::Memory;

use super::installation::{
    Hands, Installation, PASSPHRASE, by_passphrase, failed, missing, named, opened, passphrase,
    proof, proves, refused, share, started, texts,
};

#[tokio::test]
async fn every_kind_opens_the_same_root_key_after_a_start() {
    let own = Installation::new().await;
    assert!(proves(&own.root_key, &own.proof));
    for (secrets, name) in [
        (vec![passphrase(PASSPHRASE)], "desk"),
        (own.shares[1..4].iter().map(|text| share(text)).collect(), "holders"),
        (vec![Secret::KeyFile(own.key_file())], "usb"),
    ] {
        let seals = own.started().await;
        assert!(!seals.unsealed().await);
        let count = secrets.len();
        for (index, secret) in secrets.into_iter().enumerate() {
            let outcome = seals.unseal(secret, None).await;
            if index + 1 < count {
                assert_eq!(usize::from(missing(outcome)), count - index - 1);
                continue;
            }
            let (root_key, opened_by) = opened(outcome);
            assert_eq!(opened_by, name);
            assert!(proves(&root_key, &own.proof));
        }
        assert!(seals.unsealed().await);
        seals.seal().await;
        assert!(!seals.unsealed().await);
    }
}

#[tokio::test]
async fn installations_have_nothing_in_common() {
    let (one, other) = (Installation::new().await, Installation::new().await);
    assert_ne!(one.seals.installation().await.unwrap(), other.seals.installation().await.unwrap());
    // The same passphrase opens both, each to a root key of its own.
    let (root_key, _) = opened(other.started().await.unseal(passphrase(PASSPHRASE), None).await);
    assert!(!proves(&root_key, &one.proof));
    let refusal = refused(other.started().await.unseal(share(&one.shares[0]), None).await);
    assert!(matches!(refusal, Refusal::OtherSet { .. }));
    assert!(!refusal.wrong_secret());
    let file = Secret::KeyFile(one.key_file());
    assert!(refused(other.started().await.unseal(file, None).await).wrong_secret());
}

#[tokio::test]
async fn a_directory_without_seals_has_none() {
    let (store, clock) = (Arc::new(Memory::new()), Arc::new(Hands::default()));
    assert!(Seals::open(store, clock).await.unwrap().is_none());
}

#[tokio::test(start_paused = true)]
async fn wrong_passphrases_are_refused_named_and_slowed() {
    let own = Installation::new().await;
    let seals = own.started().await;
    for (attempt, wrong) in
        ["", "correct horse battery stapl", "correct horse battery staple "].into_iter().enumerate()
    {
        let refusal = refused(seals.unseal(passphrase(wrong), None).await);
        let Refusal::NotOpened(tried) = &refusal else { panic!("{refusal}") };
        assert_eq!((tried.len(), tried[0].name.as_str()), (1, "desk"));
        assert!(matches!(tried[0].reason, Unopened::WrongSecret));
        assert!(refusal.wrong_secret() && refusal.code() == "NotOpened");
        if !wrong.is_empty() {
            assert!(!refusal.to_string().contains(wrong), "the refusal tells the passphrase");
        }
        // The right one is slowed as well, whichever way it is used.
        for refusal in [
            refused(seals.unseal(passphrase(PASSPHRASE), None).await),
            refused(seals.rehearse(passphrase(PASSPHRASE), None).await),
        ] {
            assert!(matches!(refusal, Refusal::TooSoon { kind: Kind::Passphrase, .. }));
        }
        // Other kinds are not.
        opened(seals.rehearse(Secret::KeyFile(own.key_file()), None).await);
        tokio::time::advance(Duration::from_secs(1 << attempt)).await;
    }
    opened(seals.unseal(passphrase(PASSPHRASE), None).await);
    // The right one has ended the delay.
    refused(seals.unseal(passphrase("wrong"), None).await);
    tokio::time::advance(Duration::from_secs(1)).await;
    opened(seals.unseal(passphrase(PASSPHRASE), None).await);
    let long = refused(seals.unseal(passphrase(&"x".repeat(5000)), None).await);
    assert!(matches!(long, Refusal::Failed(SealsError::PassphraseTooLong)));
}

#[tokio::test(start_paused = true)]
async fn many_attempts_at_once_are_one_attempt() {
    let own = Installation::new().await;
    let seals = Arc::new(own.started().await);
    let attempts: Vec<_> = (0..8)
        .map(|number| {
            let seals = Arc::clone(&seals);
            tokio::spawn(async move {
                refused(seals.unseal(passphrase(&format!("guess {number}")), None).await)
            })
        })
        .collect();
    let mut tried = 0;
    for attempt in attempts {
        match attempt.await.unwrap() {
            Refusal::NotOpened(_) => tried += 1,
            Refusal::TooSoon { .. } => {}
            other => panic!("{other}"),
        }
    }
    assert_eq!(tried, 1);
}

#[tokio::test(start_paused = true)]
async fn shares_that_are_no_good_are_each_told_apart() {
    let own = Installation::new().await;
    let seals = own.started().await;
    assert_eq!(missing(seals.unseal(share(&own.shares[0]), None).await), 2);

    let mut typo = own.shares[1].clone();
    let last = if typo.ends_with('Z') { "Y" } else { "Z" };
    typo.replace_range(typo.len() - 1.., last);
    let refusal = refused(seals.unseal(share(&typo), None).await);
    assert!(matches!(refusal, Refusal::Share(ShareRejection::Mistyped)), "{refusal}");
    let refusal = refused(seals.unseal(share("SRS1-NONSENSE"), None).await);
    assert!(matches!(refusal, Refusal::Share(ShareRejection::NotAShare)), "{refusal}");
    let refusal = refused(seals.unseal(share(&own.shares[0]), None).await);
    let duplicate = matches!(refusal, Refusal::DuplicateShare { number: 1, missing: 2 });
    assert!(duplicate, "{refusal}");

    // None of these has slowed anybody or lost what was entered.
    let waiting = seals.collected();
    assert_eq!((waiting.len(), waiting[0].missing), (1, 2));
    assert_eq!(waiting[0].numbers, [1]);
    // What is entered for a rehearsal doesn't unseal.
    assert_eq!(missing(seals.rehearse(share(&own.shares[4]), None).await), 2);
    assert_eq!(missing(seals.unseal(share(&own.shares[4]), None).await), 1);
    assert_eq!(missing(seals.rehearse(share(&own.shares[3]), None).await), 1);
    opened(seals.rehearse(share(&own.shares[2]), None).await);
    assert!(!seals.unsealed().await);
    let (root_key, _) = opened(seals.unseal(share(&own.shares[2]), None).await);
    assert!(proves(&root_key, &own.proof));

    let again = own.started().await;
    missing(again.unseal(share(&own.shares[0]), None).await);
    again.forget_shares();
    assert_eq!(missing(again.unseal(share(&own.shares[1]), None).await), 2);
    tokio::time::advance(Duration::from_mins(15)).await;
    assert_eq!(missing(again.unseal(share(&own.shares[2]), None).await), 2);
}

#[tokio::test(start_paused = true)]
async fn a_share_of_an_earlier_set_is_of_no_use() {
    let own = Installation::new().await;
    let before = own.shares.clone();
    let issued = own.seals.rotate("holders", NewMethod::Shares { threshold: 2, count: 2 }).await;
    let after = texts(&issued.unwrap());
    let seals = own.started().await;
    for text in &before {
        let refusal = refused(seals.unseal(share(text), None).await);
        assert!(matches!(refusal, Refusal::OtherSet { .. }), "{refusal}");
    }
    assert_eq!(missing(seals.unseal(share(&after[1]), None).await), 1);
    opened(seals.unseal(share(&after[0]), None).await);
}

#[tokio::test(start_paused = true)]
async fn a_key_file_of_another_seal_and_one_that_is_damaged_are_told_apart() {
    let own = Installation::new().await;
    let seals = own.started().await;
    let missing = own.directory.path().join("missing");
    let refusal = refused(seals.unseal(Secret::KeyFile(missing.clone()), None).await);
    assert!(matches!(refusal, Refusal::KeyFile(_)) && !refusal.wrong_secret());
    assert!(refusal.to_string().contains(&missing.display().to_string()));

    let mut content = std::fs::read(own.key_file()).unwrap();
    content[20] ^= 1;
    std::fs::write(own.key_file(), content).unwrap();
    let refusal = refused(seals.unseal(Secret::KeyFile(own.key_file()), None).await);
    assert!(matches!(refusal, Refusal::KeyFile(_)), "{refusal}");

    let other = Installation::new().await;
    let refusal = refused(seals.unseal(Secret::KeyFile(other.key_file()), None).await);
    assert!(refusal.wrong_secret(), "{refusal}");
}

#[tokio::test(start_paused = true)]
async fn a_seal_can_be_named_and_all_of_a_kind_are_tried_otherwise() {
    let own = Installation::new().await;
    let other = "another passphrase entirely";
    own.seals.add(named("spare", by_passphrase(other))).await.unwrap();
    let seals = own.started().await;
    assert_eq!(opened(seals.unseal(passphrase(other), None).await).1, "spare");
    assert_eq!(opened(seals.unseal(passphrase(PASSPHRASE), None).await).1, "desk");
    let id = seals.list().await.unwrap().into_iter().find(|one| one.name == "spare").unwrap().id;
    assert_eq!(opened(seals.unseal(passphrase(other), Some(&id)).await).1, "spare");
    let refusal = refused(seals.unseal(passphrase(other), Some("usb")).await);
    assert!(matches!(refusal, Refusal::NoSuchSeal { kind: Kind::Passphrase }));
    let refusal = refused(seals.unseal(passphrase(other), Some("desk")).await);
    let Refusal::NotOpened(tried) = refusal else { panic!("{refusal}") };
    assert_eq!(tried.len(), 1);
}

#[tokio::test]
async fn a_rehearsal_changes_nothing() {
    let own = Installation::new().await;
    let before = own.records().await;
    for seals in [own.started().await, started(Arc::clone(&own.store) as _).await] {
        let outcome = seals.rehearse(passphrase(PASSPHRASE), Some("desk")).await;
        assert!(matches!(outcome, Ok(Outcome::Opened { root_key: (), .. })));
        opened(seals.rehearse(Secret::KeyFile(own.key_file()), None).await);
        assert!(!seals.unsealed().await);
        assert!(matches!(failed(seals.remove("desk").await), SealsError::Sealed));
    }
    opened(own.seals.rehearse(passphrase(PASSPHRASE), None).await);
    assert_eq!(own.records().await, before);
}

#[tokio::test]
async fn passphrases_have_a_least_length_and_are_taken_as_they_are() {
    let create = |text: String| async move {
        let wanted = vec![named("one", by_passphrase(&text))];
        Seals::create(Arc::new(Memory::new()), Arc::new(Hands::default()), wanted).await
    };
    for short in [String::new(), "x".repeat(PASSPHRASE_MIN - 1), "\u{e9}".repeat(14)] {
        assert!(matches!(failed(create(short).await), SealsError::PassphraseTooShort));
    }
    assert!(matches!(failed(create("x".repeat(1025)).await), SealsError::PassphraseTooLong));
    let text = " \u{1f511}  with blanks around \n";
    let (seals, root_key, _) = create(text.to_owned()).await.unwrap();
    let proof = proof(&root_key);
    assert!(proves(&opened(seals.unseal(passphrase(text), None).await).0, &proof));
    assert!(refused(seals.unseal(passphrase(text.trim()), None).await).wrong_secret());
}
