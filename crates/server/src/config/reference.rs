//! The table as text: the reference in Markdown, and the values in force as a file would have them.

use std::fmt::Write as _;

use super::setting::{Form, Setting};
use super::table::SECTIONS;
use super::{Config, Origin};

const HEAD: &str = "\
# Configuration

`strongroom serve` reads one TOML file, which `--config` or the variable `STRONGROOM_CONFIG` names.
Every setting can also be given by a variable of the environment or a flag. A flag goes before a
variable, a variable before the file, the file before the default. A key or section that isn't on
this page is refused, and so is a value out of its bounds.

    strongroom config check --config strongroom.toml

says what is wrong, all of it at once, and which values are in force and where each comes from.

- Durations are a number and `ms`, `s`, `m`, `h` or `d`: `\"30s\"`, `\"90d\"`.
- Sizes are a number and `B`, `KiB`, `MiB`, `GiB` or `TiB`: `\"64KiB\"`.
- Lists are arrays in the file. In a variable their values have commas between them; a flag may be
  given several times.
- Relative paths begin at the file's directory if they stand in the file, and at the working
  directory otherwise.
- No setting holds a secret; settings name files that do.

A running server reads file and variables again when it gets SIGHUP. Settings that are marked
*reloaded* change at once, the others with the next start; the log says which those are. Files of
certificates are watched, and need no reload.

This page is made of the table in the code (`strongroom config reference`).
";

/// The reference of all settings, in Markdown.
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    let config = Config::default();
    for section in SECTIONS {
        let title = match section.name {
            "" => "Above all sections".to_owned(),
            name => format!("[{name}]"),
        };
        let _ = write!(page, "\n## {title}\n\n{}\n", paragraph(section.doc));
        for setting in Setting::all().iter().filter(|known| known.section == section.name) {
            describe(&mut page, setting, &config);
        }
    }
    page
}

fn describe(page: &mut String, setting: &Setting, config: &Config) {
    // Writing to a text can't fail.
    let _ = write!(page, "\n### {}\n\n{}\n\n", setting.path(), paragraph(setting.doc));
    let _ = writeln!(page, "- value: {}", setting.expected());
    let _ = writeln!(page, "- default: `{}`", setting.show(config));
    if !setting.example.is_empty() {
        let _ = writeln!(page, "- example: `{} = {}`", setting.name, setting.example);
    }
    let several = if setting.form() == Form::Many { ", several times if need be" } else { "" };
    let _ = writeln!(page, "- flag: `--{}`{several}", setting.flag());
    let _ = writeln!(page, "- variable: `{}`", setting.variable());
    if setting.reloadable {
        let _ = writeln!(page, "- reloaded");
    }
}

/// A documentation comment's lines without the blank that each begins with.
fn paragraph(doc: &str) -> String {
    let lines: Vec<_> = doc.lines().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    lines.join("\n")
}

/// The values in force as a file would have them, with where each came from beside it.
pub(super) fn effective(config: &Config, origins: &[(&'static Setting, Origin)]) -> String {
    let mut text = String::new();
    let mut section = "";
    for (setting, origin) in origins {
        if setting.section != section {
            section = setting.section;
            let _ = write!(text, "\n[{section}]\n");
        }
        let _ = writeln!(text, "{} = {}  # {origin}", setting.name, setting.show(config));
    }
    text
}

impl Setting {
    /// What it means, in one line without Markdown's marks.
    pub fn summary(&self) -> String {
        let text = self.doc.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        text.replace('`', "")
    }
}
