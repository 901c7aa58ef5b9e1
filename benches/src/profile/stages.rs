//! The stages of a request, known by the names of the functions that stand for them, and how
//! samples of stacks are told apart by them. It must not know how they are sampled.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A stage, and what the names of its functions hold. A pattern that begins with a letter stands at
/// the beginning of a path.
struct Stage {
    name: &'static str,
    patterns: &'static [&'static str],
}

/// Of a frame that several match, the first one has it.
const STAGES: [Stage; 22] = [
    Stage {
        name: "kernel: epoll, futex, switching tasks",
        patterns: &["ep_poll", "do_epoll_wait", "futex_w", "schedule", "__schedule", "eventfd_"],
    },
    Stage {
        name: "kernel: receive",
        patterns: &["tcp_recvmsg", "sock_recvmsg", "__sys_recvfrom", "sock_read_iter"],
    },
    Stage {
        name: "kernel: send",
        patterns: &["tcp_sendmsg", "sock_sendmsg", "__sys_sendto", "sock_write_iter", "do_writev"],
    },
    Stage {
        name: "kernel: write of the record",
        patterns: &["ext4_", "ksys_write", "ksys_pwrite64", "vfs_write"],
    },
    Stage {
        name: "allocation",
        patterns: &[
            "malloc",
            "cfree",
            "free",
            "realloc",
            "calloc",
            "_int_malloc",
            "_int_free",
            "_int_realloc",
            "unlink_chunk",
            "sysmalloc",
            "systrim",
            "__libc_calloc",
        ],
    },
    Stage {
        name: "random numbers",
        patterns: &["crypto::random::", "keystores::software::SystemEntropy"],
    },
    Stage { name: "authenticate: the caller and its policies", patterns: &["iam::"] },
    Stage { name: "authenticate: the signature", patterns: &["sigv4::", "server::evidence::"] },
    Stage { name: "run: cryptography", patterns: &["crypto::", "keystores::"] },
    Stage { name: "record: chain and append", patterns: &["audit::"] },
    Stage {
        name: "record: build",
        patterns: &[
            "service::record::",
            "service::registry::parameters",
            "service::registry::recorded",
            "service::notes::",
            "service::pipeline::Pipeline<S>::tell",
            "kms::usage::",
            "service::filled_in::",
        ],
    },
    Stage {
        name: "decode",
        patterns: &["wire::reader::", "wire::node::", "service::pipeline::parsed"],
    },
    Stage {
        name: "resolve",
        patterns: &[
            "::resolve::",
            "::resolve",
            "kms::lookup::",
            "kms::key_id::",
            "kms::layout::",
            "storage::",
            "::resources",
        ],
    },
    Stage {
        name: "authorize",
        patterns: &[
            "::authorize",
            "kms::authorization::",
            "policy::",
            "kms::grants::",
            "kms::conditions::",
            "service::conditions::",
            "service::caller::",
        ],
    },
    Stage { name: "quotas", patterns: &["server::quotas::", "service::throttling::"] },
    Stage { name: "metrics", patterns: &["server::metrics::"] },
    Stage {
        name: "answer: JSON and headers",
        patterns: &[
            "service::registry::encoded",
            "service::pipeline::answer",
            "server::outbound::",
        ],
    },
    Stage { name: "run: the rest", patterns: &["kms::", "service::registry::"] },
    Stage { name: "route", patterns: &["server::", "service::"] },
    Stage {
        name: "HTTP: read and parse",
        patterns: &[
            "hyper::proto::h1::role::Server as hyper::proto::h1::Http1Transaction>::parse",
            "hyper::proto::h1::role::parse_headers",
            "::poll_read_head",
            "::poll_read_from_io",
            "httparse::",
            "::recv_msg",
        ],
    },
    Stage { name: "HTTP: the rest and write", patterns: &["hyper::"] },
    Stage { name: "tasks and readiness (tokio)", patterns: &["tokio::", "mio::"] },
];

/// What no stage has.
const ELSEWHERE: &str = "elsewhere";

/// What writes for whoever calls it, so that its caller's stage counts.
const TRANSPARENT: [&str; 3] = ["as wire::leaf::Write>", "core::ptr::drop_in_place", "as core::"];

/// How many samples fell to each stage.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Shares {
    samples: u64,
    stages: BTreeMap<&'static str, u64>,
    /// Stacks as flame graphs take them: frames from the outermost on, `;` between them.
    folded: BTreeMap<String, u64>,
}

impl Shares {
    /// Reads what `perf script -F comm,ip,sym` writes: a line for each sample, then its frames from
    /// the innermost on, then an empty line.
    pub(crate) fn parse(script: &str) -> Self {
        let mut shares = Self::default();
        for sample in script.split("\n\n") {
            let frames = sample.lines().filter(|line| line.starts_with(['\t', ' ']));
            let frames: Vec<&str> = frames.map(symbol).collect();
            if !frames.is_empty() {
                shares.samples += 1;
                *shares.stages.entry(stage(&frames)).or_default() += 1;
                let outward: Vec<&str> = frames.into_iter().rev().collect();
                *shares.folded.entry(outward.join(";")).or_default() += 1;
            }
        }
        shares
    }

    /// The table, in markdown, of a request that takes so many nanoseconds.
    #[expect(clippy::cast_precision_loss, reason = "there are fewer than 2^53 samples")]
    pub(crate) fn table(&self, name: &str, nanoseconds: f64) -> String {
        let mut text = format!("| {name} | ns | % |\n|---|---:|---:|\n");
        let mut row = |name: &str, count: u64| {
            let share = count as f64 / self.samples.max(1) as f64;
            let _ =
                writeln!(text, "| {name} | {:.0} | {:.1} |", share * nanoseconds, share * 100.0);
        };
        let names = STAGES.iter().map(|stage| stage.name).chain([ELSEWHERE]);
        let counts = names.map(|name| (name, self.stages.get(name).copied().unwrap_or_default()));
        let mut counts: Vec<_> = counts.filter(|(_, count)| *count > 0).collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        for (name, count) in counts {
            row(name, count);
        }
        row("in all", self.samples);
        text
    }

    /// How many samples there were.
    pub(crate) fn samples(&self) -> u64 {
        self.samples
    }

    /// The stacks, a line each, for programs that draw flame graphs.
    pub(crate) fn folded(&self) -> String {
        self.folded.iter().fold(String::new(), |mut text, (stack, count)| {
            let _ = writeln!(text, "{stack} {count}");
            text
        })
    }
}

/// A frame's name, behind its address.
fn symbol(line: &str) -> &str {
    line.trim().split_once(' ').map_or("[unknown]", |(_, symbol)| symbol.trim())
}

/// The stage of the innermost frame that has one.
fn stage(frames: &[&str]) -> &'static str {
    let known = |frame: &&str| {
        let is_transparent = TRANSPARENT.iter().any(|one| frame.contains(one));
        let mut stages = STAGES.iter().filter(|_| !is_transparent);
        stages.find(|stage| stage.patterns.iter().any(|one| holds(frame, one)))
    };
    frames.iter().find_map(known).map_or(ELSEWHERE, |stage| stage.name)
}

/// Whether a name holds the pattern at the beginning of a path in it.
fn holds(name: &str, pattern: &str) -> bool {
    let is_start = |at: usize| {
        let before = name[..at].chars().next_back();
        pattern.starts_with(':')
            || before.is_none_or(|c| !(c.is_alphanumeric() || c == '_' || c == ':'))
    };
    name.match_indices(pattern).any(|(at, _)| is_start(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCRIPT: &str = "tokio-rt-worker \n\tffff1 copy\n\tffff2 tcp_sendmsg\n\t3 __writev\n\t\
        4 hyper::proto::h1::io::Buffered<T,B>::poll_flush\n\n\
        tokio-rt-worker \n\t1 aws_lc_SHA256\n\t2 sigv4::canonical::hex\n\t3 server::evidence::x\n\n\
        tokio-rt-worker \n\t1 aws_lc_SHA256\n\t2 sigv4::canonical::hex\n\t3 server::evidence::x\n\n\
        tokio-rt-worker \n\t1 unheard_of\n\n";

    #[test]
    fn the_innermost_stage_has_the_sample() {
        let shares = Shares::parse(SCRIPT);
        let expected = [("kernel: send", 1), ("authenticate: the signature", 2), (ELSEWHERE, 1)];
        assert_eq!(shares.stages, BTreeMap::from(expected));
        assert_eq!(shares.samples(), 4);
        let table = shares.table("Encrypt", 1000.0);
        assert!(
            table.contains("|---:|\n| authenticate: the signature | 500 | 50.0 |\n"),
            "{table}"
        );
        assert!(table.ends_with("| in all | 1000 | 100.0 |\n"), "{table}");
        let folded = "server::evidence::x;sigv4::canonical::hex;aws_lc_SHA256 2\n";
        assert!(shares.folded().contains(folded), "{}", shares.folded());
    }

    #[test]
    fn names_are_held_where_a_path_begins() {
        assert!(holds("<audit::log::Log as service::ports::audit::AuditLog>::a", "audit::"));
        assert!(!holds("<kms::Kms as service::ports::audit::AuditLog>::a", "audit::"));
        assert!(holds("__x::authorize::{{closure}}", "::authorize"));
        assert!(!holds("do_free", "free"));
    }

    #[test]
    fn who_writes_for_another_has_no_stage() {
        let writer = "<kms::operations::encrypt::EncryptResponse as wire::leaf::Write>::write";
        assert_eq!(stage(&[writer, "service::registry::encoded"]), "answer: JSON and headers");
        assert_eq!(stage(&[writer, "service::registry::parameters"]), "record: build");
    }
}
