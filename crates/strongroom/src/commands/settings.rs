//! The flags of the settings, made from the table of them. Must not know any one setting.

use std::path::PathBuf;

use clap::builder::StyledStr;
use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches};
use server::config::{Config, Form, Setting, Sources};

/// The id of the flag that names the file.
const FILE: &str = "config";

/// Where a command that needs the configuration finds it: `--config`, the environment, and a flag
/// for each setting.
pub(crate) struct Settings {
    file: Option<PathBuf>,
    flags: Vec<(&'static Setting, Vec<String>)>,
}

impl Settings {
    /// Everything that settings are read from, the environment as it is now included.
    pub(crate) fn sources(&self) -> Sources {
        Sources {
            file: self.file.clone(),
            variables: std::env::vars_os().collect(),
            flags: self.flags.clone(),
        }
    }
}

impl Args for Settings {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new(FILE)
            .long(FILE)
            .value_name("FILE")
            .env("STRONGROOM_CONFIG")
            .value_parser(clap::value_parser!(PathBuf))
            .help("The configuration file");
        Setting::all().iter().fold(command.arg(file), |command, setting| command.arg(flag(setting)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Settings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let given = |setting: &'static Setting| {
            let values = matches.get_many::<String>(&setting.flag())?;
            Some((setting, values.cloned().collect()))
        };
        let flags = Setting::all().iter().filter_map(given).collect();
        Ok(Self { file: matches.get_one(FILE).cloned(), flags })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The flag of a setting. Its value stays text: what it must be the table says, in its words.
fn flag(setting: &'static Setting) -> Arg {
    let summary = setting.summary();
    let short = summary.split_once(". ").map_or(summary.as_str(), |(first, _)| first);
    let (expected, default) = (setting.expected(), setting.show(&Config::default()));
    let (variable, path) = (setting.variable(), setting.path());
    let about = format!(
        "{summary}\n\nValue: {expected}. Default: {default}. In the file: {path}. Variable: \
         {variable}."
    );
    let arg = Arg::new(setting.flag())
        .long(setting.flag())
        .value_name("VALUE")
        .help_heading("Settings")
        .help(StyledStr::from(short.trim_end_matches('.').to_owned()))
        .long_help(StyledStr::from(about));
    match setting.form() {
        Form::One => arg.action(ArgAction::Set),
        Form::Many => arg.action(ArgAction::Append),
        // A value must follow after `=`, so that what comes next on the line isn't taken for it.
        Form::Switch => arg
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .value_name("BOOL"),
    }
}
