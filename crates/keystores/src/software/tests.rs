//! The software key store over a real store.

use super::*;

const ARN: &str = "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";

fn binding(region: &'static str) -> Binding<'static> {
    Binding { region, key_arn: ARN, identity: [7; 25], spec: KeySpec::SymmetricDefault }
}

fn key_store(store: &Arc<storage::Memory>) -> Software {
    Software::new(Arc::clone(store) as _, RootKey::generate().unwrap())
}

#[tokio::test]
async fn material_opens_again_under_its_binding_only() {
    let store = Arc::new(storage::Memory::new());
    let key_store = key_store(&store);
    let (wrapped, made) = key_store.generate(binding("us-east-1")).await.unwrap();
    let mut sealed = Vec::new();
    made.material.seal(b"header", b"context", b"plaintext", &mut sealed).unwrap();
    let opened = key_store.open(binding("us-east-1"), made.id, &wrapped).await.unwrap();
    assert_eq!(opened.open(b"header", b"context", &sealed).unwrap().as_slice(), b"plaintext");

    let other_arn = Binding { key_arn: "arn:x", ..binding("us-east-1") };
    let refused = [
        key_store.open(other_arn, made.id, &wrapped).await,
        key_store.open(binding("us-east-1"), MaterialId([0; 32]), &wrapped).await,
        key_store.open(binding("us-east-1"), made.id, b"").await,
        key_store.open(binding("us-east-1"), made.id, &wrapped[..wrapped.len() - 1]).await,
        key_store.open(binding("eu-west-1"), made.id, &wrapped).await,
    ];
    for (index, result) in refused.into_iter().enumerate() {
        assert!(matches!(result, Err(KeyStoreError::Damaged)), "{index}");
    }
    for at in 0..wrapped.len() {
        let mut altered = wrapped.clone();
        altered[at] ^= 1;
        let result = key_store.open(binding("us-east-1"), made.id, &altered).await;
        assert!(result.is_err(), "byte {at}");
    }
}

#[tokio::test]
async fn another_root_key_opens_nothing() {
    let store = Arc::new(storage::Memory::new());
    let first = key_store(&store);
    first.verify().await.unwrap();
    first.generate(binding("us-east-1")).await.unwrap();
    first.verify().await.unwrap();
    let second = key_store(&store);
    assert!(matches!(second.verify().await, Err(KeyStoreError::Damaged)));
    assert!(matches!(second.generate(binding("us-east-1")).await, Err(KeyStoreError::Damaged)));
}

#[tokio::test]
async fn other_specs_are_refused() {
    let key_store = key_store(&Arc::new(storage::Memory::new()));
    let binding = Binding { spec: KeySpec::Rsa2048, ..binding("us-east-1") };
    let made = key_store.generate(binding).await;
    assert!(matches!(made, Err(KeyStoreError::Unsupported)));
}
