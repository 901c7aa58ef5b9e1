//! When there is a walk, and what follows from it.

use super::*;

fn at(days: i64) -> Timestamp {
    Timestamp::from_millis(0).plus_days(days)
}

/// Domain keys of one Region, the last of them current: since when each is retired, if it is.
fn keys(region: &str, retired: &[Option<i64>]) -> Vec<DomainKeyState> {
    let state = |(number, retired): (u32, &Option<i64>)| DomainKeyState {
        region: region.to_owned(),
        number,
        made: None,
        retired: retired.map(at),
    };
    (1..).zip(retired).map(state).collect()
}

fn due(keys: &[DomainKeyState], last: Option<&Ended>, days: i64) -> Option<Pass> {
    Pass::due(keys, last, vec!["k/".to_owned()], at(days), |_| true)
}

#[test]
fn a_walk_is_due_for_what_is_not_retired_and_for_what_has_been_for_a_week() {
    assert!(due(&[], None, 0).is_none());
    assert!(due(&keys("r", &[None]), None, 0).is_none());
    let pass = due(&keys("r", &[None, None]), None, 0).unwrap();
    assert!(pass.brings("r", 2) && pass.destroys.is_empty());
    let retired = keys("r", &[Some(3), None]);
    assert!(due(&retired, None, 9).is_none());
    let pass = due(&retired, None, 10).unwrap();
    assert_eq!(pass.destroys, [("r".to_owned(), 1)]);
    let unsettled = Pass::due(&retired, None, Vec::new(), at(10), |_| false);
    assert!(unsettled.is_none(), "what began before the rotation may not have ended");
}

#[test]
fn a_walk_destroys_what_it_was_begun_for_and_retires_what_it_found_nothing_of() {
    let all = keys("r", &[Some(0), Some(5), None, None]);
    let pass = due(&all, None, 7).unwrap();
    let retire = vec![("r".to_owned(), 3)];
    assert_eq!(pass.verdict(&all), Verdict { retire, destroy: vec![("r".to_owned(), 1)] });
    // One that was made meanwhile is none of its business.
    let more = keys("r", &[Some(0), Some(5), Some(6), None, None]);
    assert!(pass.verdict(&more).retire.is_empty());
}

#[test]
fn what_is_left_keeps_its_regions_domain_keys() {
    let all = [keys("a", &[None, None]), keys("b", &[Some(0), None])].concat();
    let mut pass = due(&all, None, 9).unwrap();
    pass.leave(Some("b"), "k/b/x");
    let retire = vec![("a".to_owned(), 1)];
    assert_eq!(pass.verdict(&all), Verdict { retire, destroy: Vec::new() });
    let ended = pass.clone().end(None, at(9));
    assert!(ended.finished("a", 2) && !ended.finished("a", 3) && !ended.finished("b", 2));
    // It is looked for again a day later, or once there is another domain key.
    let after = [keys("a", &[Some(9), None]), keys("b", &[Some(0), None])].concat();
    assert!(due(&after, Some(&ended), 9).is_none());
    assert!(due(&after, Some(&ended), 10).is_some());
    assert!(due(&after, Some(&ended), 8).is_some(), "a clock that jumped back");
    assert!(due(&keys("b", &[Some(0), None, None]), Some(&ended), 9).is_some());
    pass.leave(None, "k/unreadable");
    assert_eq!(pass.verdict(&all), Verdict::default(), "it may be of any Region");
}

#[test]
fn a_walk_counts_first_and_then_goes_over_every_kind() {
    let mut pass = due(&keys("r", &[None, None]), None, 0).unwrap();
    pass.kinds.push("l/".to_owned());
    assert_eq!(pass.remaining("r"), None);
    pass.count(Some("r"));
    pass.count(Some("r"));
    pass.advance(Some("k/1"), true);
    assert_eq!((pass.kind, pass.after.as_str(), pass.counted), (0, "k/1", false));
    pass.advance(Some("k/2"), false);
    assert_eq!((pass.kind, pass.after.as_str()), (1, ""));
    pass.advance(None, false);
    assert_eq!((pass.kind, pass.counted, pass.has_ended()), (0, true, false));
    pass.look(Some("r"));
    assert_eq!((pass.remaining("r"), pass.remaining("s")), (Some(1), Some(0)));
    pass.advance(None, false);
    pass.advance(None, false);
    assert!(pass.has_ended());
    assert!(!pass.is_over(&["k/".to_owned()]), "a version with another kind begins anew");
}

#[test]
fn what_was_wrapped_anew_adds_up_over_walks_to_the_same_domain_key() {
    let all = keys("r", &[None, None]);
    let mut pass = due(&all, None, 0).unwrap();
    pass.rewrap(Some("r"));
    let first = pass.end(None, at(0));
    let mut pass = due(&all, Some(&first), 0).unwrap();
    pass.rewrap(Some("r"));
    let second = pass.end(Some(&first), at(0));
    assert_eq!(second.rewrapped["r"], 2);
    let other = due(&keys("s", &[None, None]), Some(&second), 0).unwrap();
    let third = other.end(Some(&second), at(1));
    assert_eq!((third.rewrapped["r"], third.goals["r"]), (2, 2), "what is known stays known");
}
