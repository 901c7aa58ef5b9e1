//! What `get` and `range` promise.

use service::ports::VALUE_MAX;

use super::Fixture;

pub(crate) async fn absent_is_none(store: Fixture) {
    assert_eq!(store.item("nothing").await, None);
    assert_eq!(store.item("").await, None);
    assert_eq!(store.item(&"k".repeat(10_000)).await, None);
    assert_eq!(store.keys("", "", 10).await, (vec![], false));
}

pub(crate) async fn ranges_ascend_by_bytes(store: Fixture) {
    // In the order of their bytes, which is neither that of UTF-16 nor that of any language.
    let ordered = ["\0", "\0a", "A", "Z", "a", "a\0", "a/b", "aa", "z", "é", "\u{ffff}", "😀"];
    for key in ordered.iter().rev() {
        store.put(key, key.as_bytes()).await;
    }
    let (keys, more) = store.keys("", "", 100).await;
    assert_eq!(keys, ordered);
    assert!(!more);
    for key in ordered {
        let item = store.item(key).await.unwrap();
        assert_eq!((item.key.as_str(), item.value.as_slice()), (key, key.as_bytes()));
    }
}

pub(crate) async fn ranges_page(store: Fixture) {
    for number in 0..10 {
        store.put(&format!("k/{number}"), &[number]).await;
    }
    store.put("j", b"").await;
    store.put("l", b"").await;
    let all: Vec<_> = (0..10).map(|number| format!("k/{number}")).collect();
    for limit in 1..12 {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = store.range("k/", &after, limit).await.unwrap();
            assert!(page.items.len() <= limit);
            seen.extend(page.items.iter().map(|item| item.key.clone()));
            assert_eq!(page.more, seen.len() < all.len(), "limit {limit}");
            if !page.more {
                break;
            }
            after.clone_from(&page.items.last().unwrap().key);
        }
        assert_eq!(seen, all, "limit {limit}");
    }
    assert_eq!(store.keys("k/", "", 0).await, (vec![], true));
    assert_eq!(store.keys("none", "", 0).await, (vec![], false));
    // `after` need not exist, and may lie before or behind all of the prefix.
    assert_eq!(store.keys("k/", "k/55", 1).await, (vec!["k/6".to_owned()], true));
    assert_eq!(store.keys("k/", "a", 1).await, (vec!["k/0".to_owned()], true));
    assert_eq!(store.keys("k/", "z", 1).await, (vec![], false));
    let item = store.range("k/", "k/6", 1).await.unwrap().items.remove(0);
    assert_eq!(Some(item), store.item("k/7").await);
}

pub(crate) async fn prefixes_end_where_they_end(store: Fixture) {
    // U+10FFFF is the last character: no text lies behind all texts that begin with it.
    let last = "\u{10ffff}";
    for key in ["a", "a/", "a/1", "a0", "é", "éa", "\u{ff}", "\u{100}"] {
        store.put(key, b"").await;
    }
    for key in [last.to_owned(), format!("{last}{last}"), format!("{last}a")] {
        store.put(&key, b"").await;
    }
    assert_eq!(store.keys("a/", "", 9).await.0, ["a/", "a/1"]);
    assert_eq!(store.keys("a", "", 9).await.0, ["a", "a/", "a/1", "a0"]);
    assert_eq!(store.keys("é", "", 9).await.0, ["é", "éa"]);
    assert_eq!(store.keys("\u{ff}", "", 9).await.0, ["\u{ff}"]);
    let behind = vec![last.to_owned(), format!("{last}a"), format!("{last}{last}")];
    assert_eq!(store.keys(last, "", 9).await, (behind.clone(), false));
    assert_eq!(store.keys(last, last, 9).await, (behind[1..].to_vec(), false));
}

pub(crate) async fn values_of_every_size(store: Fixture) {
    for size in [0, 1, 4_095, 4_096, 4_097, 100_000, VALUE_MAX] {
        let value: Vec<u8> = (0..size).map(|at| u8::try_from(at % 251).unwrap()).collect();
        store.put("k", &value).await;
        assert!(store.value("k").await == Some(value), "{size} bytes");
    }
}
