//! Where in a request a value stands, as AWS writes it: `tags.1.member.tagKey`.

use std::fmt;

/// A position in a request: a chain of steps that lives on the stack and costs nothing until a
/// violation prints it.
#[derive(Clone, Copy)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Root,
    Member(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    /// The request itself.
    pub const ROOT: Path<'static> = Path { parent: None, step: Step::Root };

    /// The member of that name below this position.
    pub fn member(&'a self, name: &'a str) -> Path<'a> {
        Path { parent: Some(self), step: Step::Member(name) }
    }

    /// The list member at this index, counted from zero (AWS's words count from one).
    pub fn index(&'a self, index: usize) -> Path<'a> {
        Path { parent: Some(self), step: Step::Index(index) }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = self.parent.filter(|parent| !matches!(parent.step, Step::Root));
        if let Some(parent) = inner {
            write!(f, "{parent}.")?;
        }
        match self.step {
            Step::Root => Ok(()),
            Step::Member(name) => f.write_str(&lower_first(name)),
            Step::Index(index) => write!(f, "{}.member", index + 1),
        }
    }
}

/// `KeyId` as `keyId`: the form in which AWS's messages and CloudTrail name members.
pub fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map_or_else(String::new, |c| c.to_lowercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_count_from_one() {
        let tags = Path::ROOT.member("Tags");
        let first = tags.index(0);
        assert_eq!(first.member("TagKey").to_string(), "tags.1.member.tagKey");
        assert_eq!(Path::ROOT.member("NumberOfBytes").to_string(), "numberOfBytes");
    }
}
