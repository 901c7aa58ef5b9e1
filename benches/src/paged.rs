//! The lists of AWS's APIs, page by page. It owns markers; it must not know why somebody asks.

use serde_json::{Value, json};

use crate::Outcome;
use crate::http::Connection;
use crate::place::{Account, Place};

/// How many users a page holds.
const USERS: usize = 1_000;

/// A list of KMS.
pub(crate) struct List {
    /// The operation.
    pub(crate) name: &'static str,
    /// The member of the answer that holds the page.
    pub(crate) items: &'static str,
    /// The member of an item that tells it from the others.
    pub(crate) id: &'static str,
    /// The longest page.
    pub(crate) page: usize,
}

pub(crate) const KEYS: List = List { name: "ListKeys", items: "Keys", id: "KeyId", page: 1000 };
pub(crate) const ALIASES: List =
    List { name: "ListAliases", items: "Aliases", id: "AliasName", page: 100 };
pub(crate) const GRANTS: List =
    List { name: "ListGrants", items: "Grants", id: "GrantId", page: 100 };
pub(crate) const TAGS: List =
    List { name: "ListResourceTags", items: "Tags", id: "TagKey", page: 50 };

/// The part of a list's body that a marker continues.
pub(crate) fn body(key_id: Option<&str>, limit: usize, marker: Option<&str>) -> Value {
    let mut body = json!({ "Limit": limit });
    if let Some(key_id) = key_id {
        body["KeyId"] = key_id.into();
    }
    if let Some(marker) = marker {
        body["Marker"] = marker.into();
    }
    body
}

/// All ids of a list, and the bodies by which its pages were asked for.
pub(crate) async fn walk(
    connection: &mut Connection,
    place: &Place,
    list: &List,
    key_id: Option<&str>,
    limit: usize,
) -> Outcome<(Vec<String>, Vec<Value>)> {
    let (mut ids, mut bodies) = (Vec::new(), Vec::new());
    let mut marker: Option<String> = None;
    loop {
        let body = body(key_id, limit, marker.as_deref());
        let request = place.request(list.name, &body)?;
        bodies.push(body);
        let answer: Value = serde_json::from_slice(connection.exchange(&request).await?)
            .map_err(|error| error.to_string())?;
        let items = answer[list.items].as_array().ok_or("a page without items")?;
        ids.extend(items.iter().filter_map(|item| item[list.id].as_str().map(str::to_owned)));
        match answer["NextMarker"].as_str() {
            Some(next) => marker = Some(next.to_owned()),
            None => return Ok((ids, bodies)),
        }
    }
}

/// The names of all users of an account, and the bodies by which the pages were asked for.
pub(crate) async fn users(
    connection: &mut Connection,
    account: &Account,
    limit: Option<usize>,
) -> Outcome<(Vec<String>, Vec<String>)> {
    let (mut names, mut bodies) = (Vec::new(), Vec::new());
    let first = format!("Action=ListUsers&MaxItems={}", limit.unwrap_or(USERS));
    let mut body = first.clone();
    loop {
        bodies.push(body);
        let request = account.query(&bodies[bodies.len() - 1])?;
        let answer = String::from_utf8_lossy(connection.exchange(&request).await?).into_owned();
        names.extend(elements(&answer, "UserName").map(str::to_owned));
        let Some(marker) = elements(&answer, "Marker").next() else { return Ok((names, bodies)) };
        // Markers have characters that form bodies give a meaning.
        let marker = marker.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        body = format!("{first}&Marker={marker}");
    }
}

/// The texts of the elements of that name; those here have no entities in them.
fn elements<'a>(xml: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    let (start, end) = (format!("<{name}>"), format!("</{name}>"));
    let mut rest = xml;
    std::iter::from_fn(move || {
        let (_, behind) = rest.split_once(start.as_str())?;
        let (text, behind) = behind.split_once(end.as_str())?;
        rest = behind;
        Some(text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_in_order() {
        let xml = "<a><b>1</b><c>2</c><b>3</b></a>";
        assert_eq!(elements(xml, "b").collect::<Vec<_>>(), ["1", "3"]);
        assert_eq!(elements(xml, "d").count(), 0);
    }

    #[test]
    fn a_body_says_what_is_known() {
        assert_eq!(body(None, 5, None), json!({"Limit": 5}));
        let whole = json!({"Limit": 5, "KeyId": "k", "Marker": "m"});
        assert_eq!(body(Some("k"), 5, Some("m")), whole);
    }
}
