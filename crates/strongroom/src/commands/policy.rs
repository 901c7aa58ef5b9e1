//! `strongroom policy`: who may do what, and why. Reads a data directory, beside the server that
//! uses it or without one.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use server::{Caller, Explanation, InspectError, Inspection, KeyUsers, Question, Route};

use crate::connection;

/// The exit code of a question whose answer is no.
const NO: u8 = 1;
/// The exit code of a question that has no answer.
const NO_ANSWER: u8 = 2;

/// What `policy` takes.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    question: Asked,
}

#[derive(Subcommand)]
enum Asked {
    /// Tell whether a principal may do something, and which statements decide it. Exits with 0 if
    /// it may, with 1 if not.
    Explain(Explain),
    /// List who can use a key, and by which route.
    WhoCan(WhoCan),
}

#[derive(clap::Args)]
struct Explain {
    /// The ARN of a user, role, role's session or root user, or an account id.
    #[arg(long, value_name = "ARN")]
    principal: String,
    /// The action, such as kms:Decrypt, iam:CreateUser or sts:AssumeRole.
    #[arg(long)]
    action: String,
    /// The resource's ARN; of keys also an id or alias of the principal's account; `*` for actions
    /// without a resource.
    #[arg(long, value_name = "ARN", default_value = "*")]
    resource: String,
    /// A condition key that the request has, such as kms:EncryptionContext:purpose=test; may be
    /// given several times.
    #[arg(long, value_name = "KEY=VALUE")]
    context: Vec<String>,
    #[command(flatten)]
    place: Place,
}

#[derive(clap::Args)]
struct WhoCan {
    /// The key: its ARN, an alias ARN, or an id or alias with --account and --region.
    key: String,
    /// An action such as kms:Decrypt, instead of all that use the key; may be given several times.
    #[arg(long)]
    action: Vec<String>,
    /// The account of an id or alias.
    #[arg(long, value_name = "ID", default_value = "000000000000")]
    account: String,
    #[command(flatten)]
    place: Place,
}

#[derive(clap::Args)]
struct Place {
    /// The data directory of the server.
    #[arg(
        long,
        value_name = "DIRECTORY",
        env = "STRONGROOM_DATA_DIR",
        default_value = "strongroom-data"
    )]
    data_dir: PathBuf,
    /// The Region of the request, and of a key that isn't named by its ARN.
    #[arg(long, value_name = "NAME", default_value = "us-east-1", env = "AWS_DEFAULT_REGION")]
    region: String,
}

/// Answers the question.
pub(crate) fn run(arguments: Arguments) -> ExitCode {
    let answered = connection::run(answer(arguments.question))
        .and_then(|answered| answered.map_err(|error| error.to_string()));
    answered.unwrap_or_else(|error| {
        eprintln!("strongroom: {error}");
        ExitCode::from(NO_ANSWER)
    })
}

async fn answer(question: Asked) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut out = io::stdout().lock();
    match question {
        Asked::Explain(asked) => {
            let inspection = Inspection::open(&asked.place.data_dir)?;
            let context = pairs(&asked.context)?;
            let (action, resource) = (asked.action.as_str(), asked.resource.as_str());
            let question = Question { action, resource, context: &context };
            let region = &asked.place.region;
            let (caller, told) = inspection.explain(&asked.principal, region, question).await?;
            show(&mut out, &caller, &asked, &told)?;
            Ok(if told.allowed { ExitCode::SUCCESS } else { ExitCode::from(NO) })
        }
        Asked::WhoCan(asked) => {
            let inspection = Inspection::open(&asked.place.data_dir)?;
            let actions = actions(&asked.action)?;
            let region = &asked.place.region;
            let users = inspection.users_of(&asked.key, &asked.account, region, &actions).await?;
            list(&mut out, &users, &actions)?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn pairs(context: &[String]) -> Result<Vec<(String, String)>, InspectError> {
    let pair = |text: &String| {
        let (key, value) = text
            .split_once('=')
            .ok_or_else(|| InspectError::Malformed(format!("--context {text}: no KEY=VALUE")))?;
        Ok((key.to_owned(), value.to_owned()))
    };
    context.iter().map(pair).collect()
}

/// The actions that are asked about: those that use a key, or the ones that are named.
fn actions(named: &[String]) -> Result<Vec<&'static str>, InspectError> {
    if named.is_empty() {
        return Ok(server::uses());
    }
    let known = server::actions();
    let find = |name: &String| {
        let found = known.iter().find(|known| known.eq_ignore_ascii_case(name));
        found.copied().ok_or_else(|| InspectError::UnknownAction(name.clone()))
    };
    named.iter().map(find).collect()
}

fn show(
    out: &mut impl Write,
    caller: &Caller,
    asked: &Explain,
    told: &Explanation,
) -> io::Result<()> {
    let Explain { action, resource, .. } = asked;
    let arn = &caller.arn;
    if told.allowed {
        writeln!(out, "ALLOWED: {arn} may do {action} on {resource}")?;
        writeln!(out, "  by {}", told.reason)?;
    } else {
        writeln!(out, "REFUSED: User: {arn} is not authorized to perform: {action} on resource: ")?;
        writeln!(out, "  {resource} {}", told.reason)?;
    }
    writeln!(out, "statements that speak of it:")?;
    for one in &told.statements {
        let sid = one.sid.as_ref().map_or_else(String::new, |sid| format!(" ({sid})"));
        let effect = if one.allows { "allows" } else { "denies" };
        let but = match (one.conditional, one.holds) {
            (false, _) => "",
            (true, true) => ", its conditions hold",
            (true, false) => ", but its conditions don't hold",
        };
        writeln!(
            out,
            "  {} {}, statement {}{sid}: {effect}{but}",
            one.layer, one.policy, one.statement
        )?;
    }
    if told.statements.is_empty() {
        writeln!(out, "  none")?;
    }
    Ok(())
}

fn list(out: &mut impl Write, users: &KeyUsers, actions: &[&'static str]) -> io::Result<()> {
    writeln!(out, "key {}", users.key)?;
    for (principal, routes) in &users.principals {
        writeln!(out, "{principal}")?;
        write_routes(out, routes, actions)?;
    }
    if users.principals.is_empty() {
        writeln!(out, "nobody that is known here")?;
    }
    for named in &users.unknown {
        let what = if named == "*" { "everybody" } else { named };
        writeln!(out, "{what}: named by the key's policy or a grant, not known here")?;
    }
    Ok(())
}

fn write_routes(
    out: &mut impl Write,
    routes: &BTreeMap<Route, Vec<&'static str>>,
    actions: &[&'static str],
) -> io::Result<()> {
    for (route, allowed) in routes {
        let what = if allowed.len() == actions.len() && actions.len() > 1 {
            "all uses".to_owned()
        } else {
            allowed.join(", ")
        };
        let but = if route.conditional { ", under conditions" } else { "" };
        writeln!(out, "  {what}{but}: by {}", route.by)?;
    }
    Ok(())
}
