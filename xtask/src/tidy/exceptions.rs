//! The table of exceptions: `path  rule  reason`, one to a line. It owns the form of the table, and
//! that an entry which excuses nothing is itself a violation. It must not know the rules.

use super::Violation;

/// Where the table is, from the root.
pub(super) const TABLE: &str = "xtask/exceptions.txt";

struct Exception<'a> {
    line: usize,
    path: &'a str,
    rule: &'a str,
}

/// The violations that no exception excuses, with those of the table itself, in order.
pub(super) fn apply(table: &str, found: Vec<Violation>) -> Vec<Violation> {
    let report = |line: usize, what: String| Violation {
        path: TABLE.to_owned(),
        line,
        rule: "exception",
        what,
    };
    let mut exceptions = Vec::new();
    let mut remaining = Vec::new();
    for (index, line) in table.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let mut words = line.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some(path), Some(rule), Some(_)) => {
                exceptions.push(Exception { line: index + 1, path, rule });
            }
            _ => remaining.push(report(index + 1, "not `path  rule  reason`".to_owned())),
        }
    }
    for exception in &exceptions {
        if !found.iter().any(|one| exception.excuses(one)) {
            let what = format!("{} doesn't break `{}` any more", exception.path, exception.rule);
            remaining.push(report(exception.line, what));
        }
    }
    let excused = |one: &Violation| exceptions.iter().any(|exception| exception.excuses(one));
    remaining.extend(found.into_iter().filter(|one| !excused(one)));
    remaining.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    remaining
}

impl Exception<'_> {
    fn excuses(&self, violation: &Violation) -> bool {
        self.path == violation.path && self.rule == violation.rule
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn violation(path: &str, rule: &'static str) -> Violation {
        Violation { path: path.to_owned(), line: 7, rule, what: String::new() }
    }

    #[test]
    fn an_exception_excuses_its_path_and_rule_only() {
        let found = vec![violation("a.rs", "name"), violation("a.rs", "unsafe")];
        let table = "# path rule reason\na.rs  name  AWS's own noun.\n";
        assert_eq!(apply(table, found), [violation("a.rs", "unsafe")]);
    }

    #[test]
    fn an_exception_without_a_case_is_a_violation() {
        let remaining = apply("\na.rs  name  AWS's own noun.\n", Vec::new());
        assert_eq!(remaining.len(), 1);
        assert_eq!((remaining[0].path.as_str(), remaining[0].line), (TABLE, 2));
    }

    #[test]
    fn an_exception_without_a_reason_is_a_violation_and_excuses_nothing() {
        let remaining = apply("a.rs name\n", vec![violation("a.rs", "name")]);
        assert_eq!(remaining.len(), 2);
    }
}
