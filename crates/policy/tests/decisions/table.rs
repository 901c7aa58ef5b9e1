//! The table of decisions under `table/`, held against both evaluators. Owns what must be true of
//! the table as a whole. Must not know how a row is written; that is `reader.rs`.

mod reader;

use std::collections::{HashMap, HashSet};

use reader::{Row, Rule, Table};

use crate::naive;

/// Each file with its text. The first two define what the others speak of.
const FILES: [(&str, &str); 19] = [
    ("rules.txt", include_str!("table/rules.txt")),
    ("cast.txt", include_str!("table/cast.txt")),
    ("actions.txt", include_str!("table/actions.txt")),
    ("arns.txt", include_str!("table/arns.txt")),
    ("boundaries.txt", include_str!("table/boundaries.txt")),
    ("context.txt", include_str!("table/context.txt")),
    ("cross-account.txt", include_str!("table/cross-account.txt")),
    ("dates-and-numbers.txt", include_str!("table/dates-and-numbers.txt")),
    ("delegation.txt", include_str!("table/delegation.txt")),
    ("explicit-deny.txt", include_str!("table/explicit-deny.txt")),
    ("grants.txt", include_str!("table/grants.txt")),
    ("not-principal.txt", include_str!("table/not-principal.txt")),
    ("presence.txt", include_str!("table/presence.txt")),
    ("principals.txt", include_str!("table/principals.txt")),
    ("resources.txt", include_str!("table/resources.txt")),
    ("sessions.txt", include_str!("table/sessions.txt")),
    ("several-values.txt", include_str!("table/several-values.txt")),
    ("strings.txt", include_str!("table/strings.txt")),
    ("variables.txt", include_str!("table/variables.txt")),
];

const ROWS_MIN: usize = 300;

fn table() -> Table {
    Table::read(&FILES).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn every_row_is_decided_as_it_says() {
    let mut wrong = Vec::new();
    for Row { place, id, case, decision, .. } in &table().rows {
        for (evaluator, found) in [("policy", case.decided()), ("naive", naive::decides(case))] {
            if found != *decision {
                wrong.push(format!("{place}: {id} by {evaluator}: {found}, and not {decision}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_is_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/decisions/table");
    let mut found = HashSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "txt") {
            found.insert(path.file_name().unwrap().to_str().unwrap().to_owned());
        }
    }
    assert_eq!(found, FILES.iter().map(|(name, _)| (*name).to_owned()).collect());
}

#[test]
fn every_row_has_an_id_and_cites_a_rule() {
    let Table { rules, rows, .. } = table();
    assert!(rows.len() >= ROWS_MIN, "{} rows", rows.len());
    let mut ids: HashMap<&str, &str> = HashMap::new();
    let mut questions: HashMap<String, &str> = HashMap::new();
    for row in &rows {
        if let Some(other) = ids.insert(&row.id, &row.place) {
            panic!("{}: {} stands at {other} too", row.place, row.id);
        }
        if let Some(other) = questions.insert(format!("{:?}", row.question), &row.place) {
            panic!("{}: {} asks what {other} asks", row.place, row.id);
        }
        assert!(rules.contains_key(&row.rule), "{}: {} cites no rule", row.place, row.id);
    }
    for (number, Rule { place, sentence, page }) in &rules {
        assert!(!sentence.is_empty(), "{place}");
        assert!(page.contains("https://docs.aws.amazon.com/"), "{place}: no page of AWS's");
        assert!(rows.iter().any(|row| row.rule == *number), "{place}: no row cites it");
    }
}

/// Both ways of ending and every reason are in the table.
#[test]
fn every_kind_of_decision_is_in_the_table() {
    let Table { rows, .. } = table();
    for decision in [
        "allow by identity ",
        "allow by resource ",
        "allow by root",
        "allow by grant",
        "deny explicit identity ",
        "deny explicit resource ",
        "deny explicit boundary ",
        "deny explicit session ",
        "deny implicit identity",
        "deny implicit resource",
        "deny implicit boundary",
        "deny implicit session",
    ] {
        assert!(rows.iter().any(|row| row.decision.starts_with(decision)), "{decision}");
    }
}

#[test]
fn what_is_defined_is_used() {
    assert_eq!(table().unused, Vec::<String>::new());
}
