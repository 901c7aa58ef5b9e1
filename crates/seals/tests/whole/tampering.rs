//! Records that were altered, added, removed, put back or moved: each is refused and named.

use seals::{Finding, Outcome, Refusal, SealsError, Secret};

use super::installation::{
    Installation, PASSPHRASE, by_passphrase, failed, findings, hex, named, opened, passphrase,
    proves, refused,
};

const SET: &str = "seal-set";

fn about(findings: &[Finding], place: &str) -> bool {
    findings.iter().any(|one| one.seal().is_some_and(|id| place == format!("seal/{id}")))
}

#[tokio::test(start_paused = true)]
async fn every_altered_byte_of_every_record_is_refused_and_named() {
    let own = Installation::new().await;
    let good = own.records().await;
    let seals = own.started().await;
    let (mut upfront, mut after_opening) = (0, 0);
    for (place, value) in &good {
        for position in 0..value.len() {
            let mut altered = value.clone();
            altered[position] ^= 1;
            own.tamper(place, Some(altered)).await;
            let known = seals.findings().await.unwrap();
            // Without the list nothing but the secret can tell, so the secret is tried.
            let refusal = refused(seals.unseal(Secret::KeyFile(own.key_file()), None).await);
            let found = findings(refusal);
            if place == SET {
                let list = [Finding::ListAltered, Finding::ListRemoved];
                let named = found.iter().any(|one| list.contains(one) || one.seal().is_some());
                assert!(named, "{place} {position}: {found:?}");
            } else {
                assert!(about(&found, place), "{place} {position}: {found:?}");
            }
            if known.is_empty() { after_opening += 1 } else { upfront += 1 }
        }
        own.tamper(place, Some(value.clone())).await;
    }
    assert!(upfront > 1000 && after_opening > 10, "{upfront} and {after_opening}");
    opened(seals.unseal(Secret::KeyFile(own.key_file()), None).await);
}

#[tokio::test]
async fn records_that_are_cut_or_empty_are_refused() {
    let own = Installation::new().await;
    for (place, value) in own.records().await {
        for cut in [0, 1, 2, value.len() / 2, value.len() - 1] {
            own.tamper(&place, Some(value[..cut].to_vec())).await;
            let refusal = refused(own.started().await.unseal(passphrase(PASSPHRASE), None).await);
            assert!(!findings(refusal).is_empty());
        }
        own.tamper(&place, Some(value)).await;
    }
    opened(own.started().await.unseal(passphrase(PASSPHRASE), None).await);
}

#[tokio::test]
async fn a_removed_record_is_named() {
    let own = Installation::new().await;
    let place = own.place_of("usb").await;
    own.tamper(&place, None).await;
    let found = findings(refused(own.started().await.unseal(passphrase(PASSPHRASE), None).await));
    assert!(matches!(&found[..], [Finding::Removed { name, .. }] if name == "usb"), "{found:?}");
    assert!(matches!(failed(own.seals.remove("desk").await), SealsError::Tampered(_)));
}

#[tokio::test]
async fn an_added_or_moved_record_is_named() {
    let (own, other) = (Installation::new().await, Installation::new().await);
    let place = other.place_of("desk").await;
    let records = other.records().await;
    let foreign = records.iter().find(|(key, _)| *key == place).unwrap().1.clone();
    own.tamper(&place, Some(foreign.clone())).await;
    let found = findings(refused(own.started().await.unseal(passphrase(PASSPHRASE), None).await));
    assert!(matches!(&found[..], [Finding::Added { id }] if place.ends_with(id)), "{found:?}");
    own.tamper(&place, None).await;

    // Another installation's record in the place of one's own, and one's own in another place.
    let (desk, usb) = (own.place_of("desk").await, own.place_of("usb").await);
    let good = own.records().await;
    own.tamper(&desk, Some(foreign)).await;
    let found = findings(refused(own.started().await.unseal(passphrase(PASSPHRASE), None).await));
    assert!(about(&found, &desk), "{found:?}");
    let of_usb = good.iter().find(|(key, _)| *key == usb).unwrap().1.clone();
    own.tamper(&desk, Some(of_usb)).await;
    let file = Secret::KeyFile(own.key_file());
    let found = findings(refused(own.started().await.unseal(file, None).await));
    assert!(about(&found, &desk), "{found:?}");

    // All records of another installation.
    own.put_back(&other.records().await).await;
    let (root_key, _) = opened(own.started().await.unseal(passphrase(PASSPHRASE), None).await);
    assert!(!proves(&root_key, &own.proof), "it opens nothing of this one");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_was_put_back_is_named() {
    let own = Installation::new().await;
    let desk = own.place_of("desk").await;
    let before = own.records().await;
    let old = before.iter().find(|(key, _)| *key == desk).unwrap().1.clone();
    let other = "another passphrase entirely";
    own.seals.rotate("desk", by_passphrase(other)).await.unwrap();
    let now = own.records().await;

    own.tamper(&desk, Some(old.clone())).await;
    for text in [PASSPHRASE, other] {
        let found = findings(refused(own.started().await.unseal(passphrase(text), None).await));
        let named = matches!(&found[..], [Finding::RolledBack { name, .. }] if name == "desk");
        assert!(named, "{found:?}");
    }
    // With the list made to fit, the list's MAC tells.
    own.put_back(&now).await;
    let list = before.iter().find(|(key, _)| key == SET).unwrap().1.clone();
    let current = now.iter().find(|(key, _)| key == SET).unwrap().1.clone();
    let (list, current) = (json(&list), json(&current));
    let mut forged = current.clone();
    forged["seals"] = list["seals"].clone();
    own.tamper(&desk, Some(old)).await;
    own.tamper(SET, Some(record(&forged))).await;
    let seals = own.started().await;
    assert!(seals.findings().await.unwrap().is_empty());
    let found = findings(refused(seals.unseal(passphrase(PASSPHRASE), None).await));
    assert_eq!(found, [Finding::ListAltered]);
    assert!(!seals.unsealed().await);
    let found = findings(refused(seals.rehearse(passphrase(PASSPHRASE), None).await));
    assert_eq!(found, [Finding::ListAltered]);
}

fn json(record: &[u8]) -> serde_json::Value {
    assert_eq!(record[0], 1);
    serde_json::from_slice(&record[1..]).unwrap()
}

fn record(json: &serde_json::Value) -> Vec<u8> {
    [&[1][..], &serde_json::to_vec(json).unwrap()].concat()
}

/// A forger who makes the list fit must still not get at the operator's secret by a record that
/// asks for less work, or for more than the machine has.
#[tokio::test(start_paused = true)]
async fn forged_parameters_open_nothing_and_cost_nothing() {
    let own = Installation::new().await;
    let good = own.records().await;
    let desk = own.place_of("desk").await;
    let of_desk = json(&good.iter().find(|(key, _)| *key == desk).unwrap().1);
    for (member, value) in [
        ("memory_kib", serde_json::json!(u32::MAX)),
        ("memory_kib", serde_json::json!(8)),
        ("passes", serde_json::json!(1_000_000)),
        ("lanes", serde_json::json!(0)),
        ("salt", serde_json::json!("")),
        ("memory_kib", serde_json::json!(8193)),
    ] {
        own.put_back(&good).await;
        let mut forged = of_desk.clone();
        forged["method"][member] = value.clone();
        let forged = record(&forged);
        let mut list = json(&good.iter().find(|(key, _)| key == SET).unwrap().1);
        for listed in list["seals"].as_array_mut().unwrap() {
            if desk.ends_with(listed["id"].as_str().unwrap()) {
                listed["digest"] = digest(&forged).into();
            }
        }
        own.tamper(&desk, Some(forged)).await;
        own.tamper(SET, Some(record(&list))).await;
        let refusal = refused(own.started().await.unseal(passphrase(PASSPHRASE), None).await);
        let Refusal::NotOpened(tried) = refusal else { panic!("{refusal}") };
        assert_eq!(tried[0].name, "desk", "{member} {value}");
    }
}

fn digest(bytes: &[u8]) -> String {
    hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref())
}

#[tokio::test(start_paused = true)]
async fn a_damaged_seal_can_be_left_behind_by_who_opens_another() {
    let own = Installation::new().await;
    own.seals.add(named("extra", by_passphrase("another passphrase entirely"))).await.unwrap();
    let (usb, extra) = (own.place_of("usb").await, own.place_of("extra").await);
    own.tamper(&usb, Some(b"\x01garbage".to_vec())).await;
    own.tamper(&extra, None).await;
    own.tamper("seal/0000000000000000", Some(vec![1])).await;
    let seals = own.started().await;
    refused(seals.unseal(passphrase(PASSPHRASE), None).await);
    refused(seals.unseal_and_mend(passphrase("wrong"), None).await.map(|(outcome, _)| outcome));
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    let (outcome, found) = seals.unseal_and_mend(passphrase(PASSPHRASE), None).await.unwrap();
    let Outcome::Opened { root_key, .. } = outcome else { panic!("not opened") };
    assert!(proves(&root_key, &own.proof));
    assert_eq!(found.len(), 3, "{found:?}");
    let left: Vec<_> = seals.list().await.unwrap().into_iter().map(|one| one.name).collect();
    assert_eq!(left, ["desk", "holders"]);
    let again = own.started().await;
    opened(again.unseal(passphrase(PASSPHRASE), None).await);
    own.seals.remove("holders").await.unwrap();
    assert!(own.started().await.findings().await.unwrap().is_empty());
    let nothing = again.unseal_and_mend(passphrase(PASSPHRASE), None).await.unwrap().1;
    assert!(nothing.is_empty());
}

#[tokio::test]
async fn without_a_list_to_trust_the_seal_that_opens_is_the_only_one_left() {
    let list_of_another = {
        let other = Installation::new().await.records().await;
        other.into_iter().find(|(key, _)| key == SET).unwrap().1
    };
    for value in [None, Some(vec![]), Some(b"\x01{}".to_vec()), Some(list_of_another)] {
        let own = Installation::new().await;
        own.tamper(SET, value).await;
        let seals = own.started().await;
        assert!(!findings(refused(seals.unseal(passphrase(PASSPHRASE), None).await)).is_empty());
        let file = Secret::KeyFile(own.key_file());
        let (outcome, found) = seals.unseal_and_mend(file, None).await.unwrap();
        let Outcome::Opened { root_key, .. } = outcome else { panic!("not opened") };
        assert!(proves(&root_key, &own.proof) && !found.is_empty());
        let left: Vec<_> = seals.list().await.unwrap().into_iter().map(|one| one.name).collect();
        assert_eq!(left, ["usb"]);
        let file = Secret::KeyFile(own.key_file());
        opened(own.started().await.unseal(file, None).await);
    }
}

#[tokio::test(start_paused = true)]
async fn a_seal_that_is_none_any_more_does_not_mend() {
    let own = Installation::new().await;
    let desk = own.place_of("desk").await;
    let before = own.records().await;
    let old = before.iter().find(|(key, _)| *key == desk).unwrap().1.clone();
    own.seals.rotate("desk", by_passphrase("another passphrase entirely")).await.unwrap();
    for removed in [false, true] {
        if removed {
            own.tamper(&desk, None).await;
            own.seals.unseal_and_mend(Secret::KeyFile(own.key_file()), None).await.unwrap();
        }
        own.tamper(&desk, Some(old.clone())).await;
        let seals = own.started().await;
        let outcome = seals.unseal_and_mend(passphrase(PASSPHRASE), None).await;
        assert!(!findings(refused(outcome.map(|(outcome, _)| outcome))).is_empty());
        assert!(!seals.unsealed().await);
    }
}
