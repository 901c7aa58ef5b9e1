//! What callgrind writes, read: the instructions of each function by itself and with all that it
//! calls. The format is that of valgrind's manual, "Callgrind Format Specification"; it must not
//! know the program that was counted.

use std::collections::HashMap;

use crate::Outcome;

/// Instructions of one function.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Cost {
    /// In itself.
    pub(crate) own: u64,
    /// With all that it calls.
    pub(crate) inclusive: u64,
}

/// The instructions of a stretch of time.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) total: u64,
    /// By the function's name. What a function that calls itself costs with what it calls is
    /// counted from its outermost call.
    pub(crate) functions: HashMap<String, Cost>,
}

impl Counts {
    /// Reads one dump.
    ///
    /// # Errors
    /// A sentence, if it isn't callgrind's.
    pub(crate) fn parse(text: &str) -> Outcome<Self> {
        let mut names = HashMap::new();
        let mut counts = Self::default();
        let mut function: &str = "";
        let mut of_call = false;
        for line in text.lines() {
            if let Some(name) = line.strip_prefix("fn=") {
                function = named(&mut names, name)?;
            } else if let Some(name) = line.strip_prefix("cfn=") {
                named(&mut names, name)?;
            } else if line.starts_with("calls=") {
                of_call = true;
            } else if line.starts_with(|c: char| c.is_ascii_digit() || "+-*".contains(c)) {
                let cost = line.split(' ').nth(1).map_or(Ok(0), str::parse::<u64>);
                let cost = cost.map_err(|_| format!("callgrind's line `{line}` has no cost"))?;
                counts.add(function, cost, std::mem::take(&mut of_call));
            }
        }
        if counts.total == 0 { Err("callgrind counted nothing".to_owned()) } else { Ok(counts) }
    }

    /// A line of a function's own, or of a call that it makes.
    fn add(&mut self, function: &str, cost: u64, of_call: bool) {
        let (outermost, is_nested) = outermost(function);
        if !of_call {
            self.total += cost;
        }
        let known = self.functions.entry(outermost.to_owned()).or_default();
        if !of_call {
            known.own += cost;
        }
        if !is_nested {
            known.inclusive += cost;
        }
    }
}

/// A name is written out once, with a number that stands for it afterwards.
fn named<'a>(names: &mut HashMap<&'a str, &'a str>, text: &'a str) -> Outcome<&'a str> {
    let (number, name) = text.split_once(')').ok_or_else(|| format!("no number in `{text}`"))?;
    match name.strip_prefix(' ') {
        Some(name) => {
            names.insert(number, name);
            Ok(name)
        }
        None => names.get(number).copied().ok_or_else(|| format!("`{text}` stands for nothing")),
    }
}

/// callgrind writes `f'2` for what `f` does within itself.
fn outermost(function: &str) -> (&str, bool) {
    match function.rsplit_once('\'') {
        Some((name, level)) if level.parse::<u32>().is_ok() => (name, true),
        _ => (function, false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = "# callgrind format\nevents: Ir\nsummary: 40\n\nfl=(1) a.rs\nfn=(1) outer\n\
        3 5\ncfn=(2) inner\ncalls=2 7\n3 30\n\nfn=(2)\n7 10\n+1 5\ncfn=(3) inner'2\ncalls=1 7\n\
        * 15\n\nfn=(3)\n8 15\n+2 5\n";

    #[test]
    fn costs_are_summed_by_function() {
        let counts = Counts::parse(DUMP).expect("callgrind's");
        assert_eq!(counts.total, 40);
        assert_eq!(counts.functions["outer"], Cost { own: 5, inclusive: 35 });
        assert_eq!(counts.functions["inner"], Cost { own: 35, inclusive: 30 });
    }

    #[test]
    fn what_is_no_dump_is_refused() {
        assert!(Counts::parse("").is_err());
        assert!(Counts::parse("fn=(1)\n3 5\n").is_err());
        assert!(Counts::parse("fn=(1) a\n3 x\n").is_err());
    }
}
