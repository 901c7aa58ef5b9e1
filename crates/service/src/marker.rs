//! Markers: where the next page of a list begins.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The marker of a page of the list `name` that ends with the item `last`.
pub fn marker(name: &str, last: &str) -> String {
    URL_SAFE_NO_PAD.encode(format!("{name}:{last}"))
}

/// The item that a marker names; `None` for a marker that isn't of this list.
pub fn marked(name: &str, marker: &str) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(marker).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let last = text.strip_prefix(name)?.strip_prefix(':')?;
    (!last.is_empty()).then(|| last.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_serves_its_own_list_only() {
        assert_eq!(marked("ListKeys", &marker("ListKeys", "item")).as_deref(), Some("item"));
        for (name, text) in
            [("ListAliases", marker("ListKeys", "item")), ("L", "?".into()), ("L", marker("L", ""))]
        {
            assert_eq!(marked(name, &text), None);
        }
    }
}
