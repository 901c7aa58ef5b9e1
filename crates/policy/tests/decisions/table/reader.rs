//! How the table is written: a line is a definition, what holds for the rows that follow, or a row.
//! Whatever isn't understood is an error with its place. Must not know what a row should say.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use policy::{Caller, Delegation, DocumentKind, Means, Value as Actual, Values};
use serde_json::{Value, json};

use crate::case::{Case, Paper, Side, Who};

/// A rule of IAM's or KMS's.
pub(super) struct Rule {
    pub(super) place: String,
    pub(super) sentence: String,
    pub(super) page: String,
}

pub(super) struct Row {
    /// File and line.
    pub(super) place: String,
    /// The rule's number, a dot, and a number of its own.
    pub(super) id: String,
    pub(super) rule: u32,
    /// Every cell of the question, by its column.
    pub(super) question: BTreeMap<&'static str, String>,
    pub(super) case: Case,
    pub(super) decision: String,
}

#[derive(Default)]
pub(super) struct Table {
    pub(super) rules: BTreeMap<u32, Rule>,
    pub(super) rows: Vec<Row>,
    /// What is defined and never spoken of.
    pub(super) unused: Vec<String>,
}

/// The columns of a question. `id`, `decision` and `why` stand beside them.
const COLUMNS: [&str; 9] =
    ["caller", "action", "on", "identity", "boundary", "session", "resource", "grant", "context"];

/// What a cell is where neither the row nor a `given` line says it.
const NOTHING: &str = "-";

#[derive(Clone)]
struct Asked {
    arn: String,
    account: String,
    kind: DocumentKind,
    delegation: Delegation,
    /// The action has no resource.
    none: bool,
}

#[derive(Clone)]
struct Written {
    version: Option<String>,
    statements: Vec<Value>,
}

/// What the lines so far have defined.
#[derive(Default)]
struct Scope {
    callers: HashMap<String, Who>,
    resources: HashMap<String, Asked>,
    policies: HashMap<String, Written>,
    /// The users and roles by whose ARNs a policy is bound when it is saved, the first of each.
    saved: Vec<(String, String)>,
    used: RefCell<HashSet<String>>,
}

impl Table {
    /// # Errors
    /// The first line that isn't understood, with its place.
    pub(super) fn read(files: &[(&str, &str)]) -> Result<Self, String> {
        let mut table = Self::default();
        let mut scope = Scope::default();
        for (name, text) in files {
            let mut given: BTreeMap<&'static str, String> = BTreeMap::new();
            let mut columns: Vec<String> = Vec::new();
            for (number, line) in lines(text) {
                let place = format!("{name}:{number}");
                let at = |error: String| format!("{place}: {error}");
                let (word, rest) = line.split_once(' ').unwrap_or((&line, ""));
                match word {
                    "rule" => table.rule(&place, rest).map_err(at)?,
                    "caller" => scope.caller(rest).map_err(at)?,
                    "resource" => scope.resource(rest).map_err(at)?,
                    "policy" => scope.policy(rest).map_err(at)?,
                    "given" => {
                        let (column, value) = rest.split_once(' ').ok_or(at(no("given", rest)))?;
                        given.insert(known(column).map_err(at)?, value.trim().to_owned());
                    }
                    "columns" => columns = cells(rest),
                    _ => {
                        let row = scope.row(&place, &columns, &given, &line).map_err(at)?;
                        table.rows.push(row);
                    }
                }
            }
        }
        table.unused = scope.unused();
        Ok(table)
    }

    fn rule(&mut self, place: &str, text: &str) -> Result<(), String> {
        let cells = cells(text);
        let [number, sentence, page] = &cells[..] else { return Err(no("rule", text)) };
        let number: u32 = number.parse().map_err(|_| no("number", number))?;
        let (sentence, page) = (sentence.clone(), page.clone());
        let rule = Rule { place: place.to_owned(), sentence, page };
        match self.rules.insert(number, rule) {
            None => Ok(()),
            Some(other) => Err(format!("rule {number} stands at {} too", other.place)),
        }
    }
}

/// The lines that say something, with their numbers; an indented one continues the one before.
fn lines(text: &str) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        match found.last_mut() {
            _ if line.trim().is_empty() || line.starts_with('#') => {}
            Some((_, last)) if line.starts_with(' ') => {
                last.push(' ');
                last.push_str(line.trim());
            }
            _ => found.push((index + 1, line.trim_end().to_owned())),
        }
    }
    found
}

fn cells(line: &str) -> Vec<String> {
    line.split('|').map(|cell| cell.trim().to_owned()).collect()
}

fn no(what: &str, text: &str) -> String {
    format!("`{text}` is no {what}")
}

fn known(column: &str) -> Result<&'static str, String> {
    COLUMNS.into_iter().find(|known| *known == column).ok_or_else(|| no("column", column))
}

fn define<T>(into: &mut HashMap<String, T>, name: &str, value: T) -> Result<(), String> {
    match into.insert(name.to_owned(), value) {
        None => Ok(()),
        Some(_) => Err(format!("`{name}` is defined twice")),
    }
}

impl Scope {
    /// `NAME KIND …`: an account, an ARN and unique ids, as the kind has them.
    fn caller(&mut self, text: &str) -> Result<(), String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let account = |arn: &'_ str| arn.split(':').nth(4).unwrap_or_default().to_owned();
        let home = words.get(2).map(|arn| account(arn)).unwrap_or_default();
        let mut caller = match words[..] {
            [_, "root", arn] => Caller::root(&home, arn),
            [_, "user", arn, id] | [_, "user", arn, id, _] => Caller::user(&home, arn, id),
            [_, "role-session", arn, role, id] => Caller::assumed_role(&home, arn, role, id),
            [_, "federated-session", arn, user, id] => Caller::federated_user(&home, arn, user, id),
            [_, "federated-session", arn] => Caller::federated_user(&home, arn, "", ""),
            [_, "service", name] => Caller::service(name),
            [_, "web-identity", provider] => Caller::federated(provider),
            [_, "anonymous"] => Caller::anonymous(),
            _ => return Err(no("caller", text)),
        };
        if let [_, "user", _, _, canonical] = words[..] {
            caller.canonical_user =
                Some(canonical.strip_prefix("canonical=").ok_or(no("canonical id", canonical))?);
        }
        let (arn, id) = (caller.identity_arn.to_owned(), caller.identity_id.to_owned());
        if !arn.is_empty() && !self.saved.iter().any(|(known, _)| *known == arn) {
            self.saved.push((arn, id));
        }
        define(&mut self.callers, words[0], Who::from(caller))
    }

    /// `NAME KIND ARN`. Keys and roles need their policy's delegation, others don't.
    fn resource(&mut self, text: &str) -> Result<(), String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (kind, delegation) = match words.get(1).copied() {
            Some("key") => (DocumentKind::Resource, Delegation::Needed),
            Some("role") => (DocumentKind::Trust, Delegation::Needed),
            Some("other" | "none") => (DocumentKind::Resource, Delegation::Assumed),
            _ => return Err(no("resource", text)),
        };
        let [name, word, arn, rest @ ..] = &words[..] else { return Err(no("resource", text)) };
        let account = match rest {
            [] => arn.split(':').nth(4).unwrap_or_default(),
            ["of", account] => account,
            _ => return Err(no("resource", text)),
        };
        let (arn, account) = ((*arn).to_owned(), account.to_owned());
        let none = *word == "none";
        define(&mut self.resources, name, Asked { arn, account, kind, delegation, none })
    }

    /// `NAME [VERSION] STATEMENT…`, of version 2012-10-17 where none is named.
    fn policy(&mut self, text: &str) -> Result<(), String> {
        let (name, rest) = text.split_once(' ').ok_or_else(|| no("policy", text))?;
        let (version, rest) = version(rest);
        let statements: Result<Vec<Value>, _> =
            serde_json::Deserializer::from_str(rest).into_iter().collect();
        let statements = statements.map_err(|error| format!("{error} in `{rest}`"))?;
        define(&mut self.policies, name, Written { version, statements })
    }

    fn row(
        &self,
        place: &str,
        columns: &[String],
        given: &BTreeMap<&'static str, String>,
        line: &str,
    ) -> Result<Row, String> {
        let cells = cells(line);
        if cells.len() != columns.len() {
            return Err(format!("{} cells for {} columns", cells.len(), columns.len()));
        }
        let mut question: BTreeMap<&'static str, String> = given.clone();
        let (mut id, mut decision) = (String::new(), String::new());
        for (column, cell) in columns.iter().zip(cells) {
            match column.as_str() {
                "id" => id = cell,
                "decision" => decision = cell,
                "why" => {}
                column => {
                    question.insert(known(column)?, cell);
                }
            }
        }
        question.retain(|_, cell| cell != NOTHING);
        let (rule, own) = id.split_once('.').ok_or_else(|| no("id", &id))?;
        let rule: u32 = rule.parse().map_err(|_| no("id", &id))?;
        own.parse::<u32>().map_err(|_| no("id", &id))?;
        let case = self.case(&question)?;
        if !["allow by ", "deny explicit ", "deny implicit "]
            .iter()
            .any(|w| decision.starts_with(w))
        {
            return Err(no("decision", &decision));
        }
        Ok(Row { place: place.to_owned(), id, rule, question, case, decision })
    }

    fn case(&self, question: &BTreeMap<&'static str, String>) -> Result<Case, String> {
        let cell = |column: &str| question.get(column).map_or(NOTHING, |cell| &**cell);
        let who = self.find(&self.callers, "caller", cell("caller"))?;
        let asked = self.find(&self.resources, "resource", cell("on"))?;
        let some = |papers: Vec<Rc<Paper>>, what: &str| match papers.len() {
            0 | 1 => Ok(papers.into_iter().next()),
            _ => Err(format!("there is one {what} at most")),
        };
        let policy = some(self.papers(cell("resource"), asked.kind)?, "policy of a resource")?;
        let grant = match cell("grant") {
            NOTHING => None,
            "account" => Some(Means::Account),
            "identity" => Some(Means::Identity),
            "itself" => Some(Means::Itself),
            other => return Err(no("way to be a grantee", other)),
        };
        let side =
            Side { account: asked.account.clone(), policy, delegation: asked.delegation, grant };
        if asked.none && (side.policy.is_some() || grant.is_some()) {
            return Err("there is no resource".to_owned());
        }
        let boundary = self.papers(cell("boundary"), DocumentKind::Managed)?;
        let session = self.papers(cell("session"), DocumentKind::Identity)?;
        Ok(Case {
            who: who.clone(),
            action: cell("action").to_owned(),
            resource: asked.arn.clone(),
            context: context(cell("context"))?,
            identity: self.papers(cell("identity"), DocumentKind::Identity)?,
            boundary: some(boundary, "boundary")?,
            session: (!session.is_empty()).then_some(session),
            side: (!asked.none).then_some(side),
        })
    }

    fn find<'t, T>(
        &self,
        among: &'t HashMap<String, T>,
        what: &str,
        name: &str,
    ) -> Result<&'t T, String> {
        self.used.borrow_mut().insert(name.to_owned());
        among.get(name).ok_or_else(|| no(what, name))
    }

    fn unused(&self) -> Vec<String> {
        let used = self.used.borrow();
        let all = self.callers.keys().chain(self.resources.keys()).chain(self.policies.keys());
        let mut unused: Vec<String> = all.filter(|name| !used.contains(*name)).cloned().collect();
        unused.sort();
        unused
    }

    /// Policies, with commas between: by name, `bound` after it if its principals were there when
    /// it was saved; or by one statement, `allow` or `deny` and its members. `Action` and
    /// `Resource` are `*` where they aren't among these; `if` is `Condition`.
    fn papers(&self, cell: &str, kind: DocumentKind) -> Result<Vec<Rc<Paper>>, String> {
        let mut papers = Vec::new();
        let mut rest = if cell == NOTHING { "" } else { cell };
        while !rest.is_empty() {
            let end = rest.find([' ', ',']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            let (written, after) = match name {
                "allow" | "deny" => inline(name, after.trim_start(), kind)?,
                _ => (self.find(&self.policies, "policy", name)?.clone(), after),
            };
            let mut json = json!({"Statement": written.statements});
            if let Some(version) = written.version {
                json["Version"] = json!(version);
            }
            let paper =
                Paper::read(name, kind, &json.to_string()).map_err(|malformed| malformed.0)?;
            let (paper, after) = match after.strip_prefix(" bound") {
                Some(after) => (paper.bind(&self.saved), after),
                None => (paper, after),
            };
            papers.push(Rc::new(paper));
            rest = match after.strip_prefix(", ") {
                Some(after) => after,
                None if after.is_empty() => after,
                None => return Err(no("list of policies", cell)),
            };
        }
        Ok(papers)
    }
}

fn version(text: &str) -> (Option<String>, &str) {
    let text = text.trim_start();
    match text.split_once(' ') {
        Some(("unversioned", rest)) => (None, rest),
        Some((version @ "2008-10-17", rest)) => (Some(version.to_owned()), rest),
        _ => (Some("2012-10-17".to_owned()), text),
    }
}

/// One statement, and what follows it.
fn inline<'t>(word: &str, text: &'t str, kind: DocumentKind) -> Result<(Written, &'t str), String> {
    let (version, text) = version(text);
    let (condition, text) = match text.strip_prefix("if ") {
        Some(text) => (true, text),
        None => (false, text),
    };
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let Some(Ok(members)) = stream.next() else { return Err(no("statement", text)) };
    let after = &text[stream.byte_offset()..];
    let members = if condition { json!({ "Condition": members }) } else { members };
    let mut statement = json!({"Effect": if word == "allow" { "Allow" } else { "Deny" }});
    for element in ["Action", "Resource"] {
        let stated =
            members.get(element).is_some() || members.get(format!("Not{element}")).is_some();
        if !stated && kind != DocumentKind::Trust {
            statement[element] = json!("*");
        }
    }
    let members = members.as_object().ok_or_else(|| no("statement", text))?;
    for (name, value) in members {
        statement[name] = value.clone();
    }
    Ok((Written { version, statements: vec![statement] }, after))
}

/// `key = value; key = value`: a value as JSON has it, several in a list, or `time("…")`,
/// `address("…")`, `bytes("…")`.
fn context(cell: &str) -> Result<Vec<(String, Values<'static>)>, String> {
    let mut context = Vec::new();
    if cell == NOTHING {
        return Ok(context);
    }
    for entry in cell.split("; ") {
        let (key, text) = entry.split_once(" = ").ok_or_else(|| no("condition key", entry))?;
        let values = match (text.split_once('('), serde_json::from_str::<Value>(text)) {
            (Some((kind, rest)), Err(_)) => {
                let quoted =
                    rest.strip_suffix(')').and_then(|text| serde_json::from_str(text).ok());
                let quoted: String = quoted.ok_or_else(|| no("value", text))?;
                Values::One(typed(kind, &quoted)?)
            }
            (_, Ok(Value::Array(values))) => {
                Values::Many(values.iter().map(plain).collect::<Result<_, String>>()?)
            }
            (_, Ok(value)) => Values::One(plain(&value)?),
            (None, Err(_)) => return Err(no("value", text)),
        };
        context.push((key.to_owned(), values));
    }
    Ok(context)
}

fn plain(value: &Value) -> Result<Actual<'static>, String> {
    match value {
        Value::String(text) => Ok(Actual::from(text.clone())),
        Value::Bool(yes) => Ok(Actual::Bool(*yes)),
        Value::Number(number) => number
            .as_i64()
            .map(Actual::Number)
            .ok_or_else(|| no("whole number", &value.to_string())),
        other => Err(no("value", &other.to_string())),
    }
}

fn typed(kind: &str, text: &str) -> Result<Actual<'static>, String> {
    let value = match kind {
        "time" => text.parse::<jiff::Timestamp>().ok().map(|t| Actual::Time(t.as_millisecond())),
        "address" => text.parse().ok().map(Actual::Address),
        "bytes" => STANDARD.decode(text).ok().map(|bytes| Actual::Binary(bytes.into())),
        _ => None,
    };
    value.ok_or_else(|| no(kind, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAST: &str = "rule 1 | A sentence. | A page.\n\
        caller eve user arn:aws:iam::111122223333:user/eve AIDAEVE\n\
        resource key key arn:aws:kms:r:111122223333:key/a\n\
        resource no-key none *\n\
        policy all {\"Effect\":\"Allow\",\"Action\":\"kms:*\",\n  \"Resource\":\"*\"}\n\
        given action kms:Encrypt\n\
        columns id | caller | on | identity | context | decision\n";

    fn read(lines: &str) -> Result<Table, String> {
        Table::read(&[("f", &format!("{CAST}{lines}"))])
    }

    #[test]
    fn a_row_is_read() {
        let row = "1.1 | eve | key | all, deny if {\"Null\":{\"aws:k\":true}} | \
                   aws:k = [\"a\",2]; aws:t = time(\"1970-01-01T00:00:01Z\") | \
                   deny implicit resource";
        let table = read(row).unwrap();
        let Row { place, id, case, decision, .. } = &table.rows[0];
        assert_eq!((&**place, &**id, &**decision), ("f:9", "1.1", "deny implicit resource"));
        assert_eq!((case.identity.len(), &*case.action), (2, "kms:Encrypt"));
        let values = [Values::Many(vec![Actual::from("a"), Actual::Number(2)])];
        assert_eq!(case.context[0], ("aws:k".to_owned(), values[0].clone()));
        assert_eq!(case.context[1], ("aws:t".to_owned(), Values::One(Actual::Time(1000))));
        assert_eq!(table.unused, ["no-key"]);
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        assert!(read("1.1 | eve | key | all | - | deny implicit identity").is_ok());
        for lines in [
            "1.1 | bob | key | all | - | deny implicit identity",
            "1.1 | eve | door | all | - | deny implicit identity",
            "1.1 | eve | key | most | - | deny implicit identity",
            "1.1 | eve | key | all some | - | deny implicit identity",
            "1.1 | eve | key | all,all | - | deny implicit identity",
            "1.1 | eve | key | allow | - | deny implicit identity",
            "1.1 | eve | key | allow {\"Principal\":\"*\"} | - | deny implicit identity",
            "1.1 | eve | key | allow {\"Actoin\":\"*\"} | - | deny implicit identity",
            "1.1 | eve | key | all | - | refuse",
            "1.1 | eve | key | all | - | deny",
            "1.1 | eve | key | all | - | allow",
            "1.1 | eve | key | all | -",
            "1.1 | eve | key | all | - | deny implicit identity | why",
            "1.x | eve | key | all | - | deny implicit identity",
            "1 | eve | key | all | - | deny implicit identity",
            "1.1 | eve | key | all | aws:k | deny implicit identity",
            "1.1 | eve | key | all | aws:k = a | deny implicit identity",
            "1.1 | eve | key | all | aws:k = null | deny implicit identity",
            "1.1 | eve | key | all | aws:k = 1.5 | deny implicit identity",
            "1.1 | eve | key | all | aws:k = moment(\"1970-01-01\") | deny implicit identity",
            "1.1 | eve | key | all | aws:k = time(\"noon\") | deny implicit identity",
            "columns id | who\n1.1 | eve",
            "given colour red",
            "given action",
            "caller eve user arn:aws:iam::111122223333:user/eve AIDAEVE",
            "caller bob person arn:aws:iam::111122223333:user/bob AIDABOB",
            "caller bob user arn:aws:iam::111122223333:user/bob AIDABOB bob",
            "resource door wood arn:aws:kms:r:111122223333:key/a",
            "resource key-two key",
            "policy two {",
            "policy all {}",
            "policy",
            "rule 1 | Another. | A page.",
            "rule 2 | A sentence.",
            "rule two | A sentence. | A page.",
            "given resource all\n1.1 | eve | no-key | all | - | deny implicit identity",
            "given grant hers\n1.1 | eve | key | all | - | deny implicit identity",
            "given boundary all, all\n1.1 | eve | key | all | - | deny implicit identity",
            "note",
        ] {
            assert!(read(lines).is_err(), "{lines}");
        }
    }
}
