//! The table holds together, every source sets every setting, and what is wrong is said.

use std::collections::HashSet;
use std::path::PathBuf;

use super::*;

fn file(text: &str) -> (tempfile::TempDir, Sources) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("strongroom.toml");
    std::fs::write(&path, text).unwrap();
    (directory, Sources { file: Some(path), ..Sources::default() })
}

fn variables(pairs: &[(&str, &str)]) -> Sources {
    let variables = pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
    Sources { variables, ..Sources::default() }
}

fn flag(flag: &str, values: &[&str]) -> Sources {
    let setting = Setting::all().iter().find(|known| known.flag() == flag).unwrap();
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    Sources { flags: vec![(setting, values)], ..Sources::default() }
}

/// All faults of a file's text, without the directory that the file was in.
fn faults(text: &str) -> Vec<String> {
    let (directory, sources) = file(text);
    let prefix = format!("{}/", directory.path().display());
    let faults = Config::read(&sources).faults;
    faults.iter().map(|fault| fault.to_string().replace(&prefix, "")).collect()
}

/// A file that sets nothing but that.
fn line(setting: &Setting, value: &str) -> String {
    let section = match setting.section {
        "" => String::new(),
        section => format!("[{section}]\n"),
    };
    format!("{section}{} = {value}\n", setting.name)
}

/// Another value than the default, as the file would have it: the example, or a changed default.
fn another(setting: &'static Setting) -> String {
    if !setting.example.is_empty() {
        return setting.example.to_owned();
    }
    let default = setting.show(&Config::default());
    let changes = [('1', "2"), ('2', "3"), ('3', "2"), ('5', "4"), ('6', "7"), ('/', "/a/")].map(
        |(from, to)| {
            let changed = default.replacen(from, to, 1);
            (changed != default).then_some(changed)
        },
    );
    let other = || default.replace("strongroom", "other");
    changes.into_iter().flatten().next().unwrap_or_else(other)
}

#[test]
fn names_are_told_apart_everywhere() {
    let (mut flags, mut variables) = (HashSet::new(), HashSet::new());
    for setting in Setting::all() {
        assert!(flags.insert(setting.flag()), "{setting:?}");
        assert!(variables.insert(setting.variable()), "{setting:?}");
        assert!(Setting::find(setting.section, setting.name) == Some(setting));
    }
    // Flags that commands have beside the settings'.
    for taken in ["config", "help", "version", "json"] {
        assert!(!flags.contains(taken));
    }
}

#[test]
fn defaults_are_what_they_must_be() {
    let mut text = String::new();
    let origins: Vec<_> = Setting::all().iter().map(|known| (known, Origin::Default)).collect();
    text.push_str(&reference::effective(&Config::default(), &origins));
    let (_directory, sources) = file(&text);
    let loaded = Config::load(&sources).unwrap();
    assert_eq!(loaded.config, Config::default());
    // Every line was taken, so that no default only looks like one.
    assert!(loaded.origins.iter().all(|(_, origin)| origin.line().is_some()));
}

#[test]
fn every_setting_is_set_by_file_variable_and_flag() {
    for setting in Setting::all() {
        let value = another(setting);
        let (_directory, sources) = file(&line(setting, &value));
        let from_file = Config::read(&sources);
        let shown = setting.show(&from_file.config);
        assert_ne!(shown, setting.show(&Config::default()), "{setting:?} = {value}");
        let plain = |text: &str| text.trim_matches(['[', ']']).replace('"', "");
        let read = Config::read(&variables(&[(&setting.variable(), &plain(&value))]));
        assert_eq!(plain(&value), plain(&setting.show(&read.config)), "{setting:?}");
        let read = Config::read(&flag(&setting.flag(), &[&plain(&value)]));
        assert_eq!(plain(&value), plain(&setting.show(&read.config)), "{setting:?}");
        // Nothing else has changed.
        let mut config = read.config;
        (setting.copy)(&Config::default(), &mut config);
        assert_eq!(config, Config::default(), "{setting:?}");
        let refusal = format!("{} must be", setting.path());
        let refused = from_file.faults.iter().find(|fault| fault.what.starts_with(&refusal));
        assert!(refused.is_none(), "{refused:?}");
    }
}

#[test]
fn a_flag_goes_before_a_variable_before_the_file() {
    let (_directory, mut sources) = file("[log]\nlevel = \"error\"\n");
    let origin = |sources: &Sources| {
        let loaded = Config::load(sources).unwrap();
        (loaded.config.log.level, loaded.origin("log", "level"))
    };
    let (level, from) = origin(&sources);
    assert_eq!((level, from.line()), (LogLevel::Error, Some(2)));
    sources.variables = variables(&[("STRONGROOM_LOG_LEVEL", "warn")]).variables;
    let variable = Origin::Variable("STRONGROOM_LOG_LEVEL".to_owned());
    assert_eq!(origin(&sources), (LogLevel::Warn, variable));
    sources.flags = flag("log-level", &["debug"]).flags;
    assert_eq!(origin(&sources), (LogLevel::Debug, Origin::Flag("log-level".to_owned())));
    // What is overruled must be right all the same.
    sources.variables = variables(&[("STRONGROOM_LOG_LEVEL", "loud")]).variables;
    let faults = Config::load(&sources).unwrap_err().to_string();
    let must_be = "must be \"error\", \"warn\", \"info\", \"debug\" or \"trace\"";
    assert_eq!(faults, format!("STRONGROOM_LOG_LEVEL: log.level {must_be}, not \"loud\""));
}

#[test]
fn what_is_unknown_is_refused_with_a_proposal() {
    for (text, said) in [
        (
            "data_dri = \"x\"",
            "1: there is no setting data_dri above all sections; did you mean \
                              data_dir?",
        ),
        (
            "[listen]\nadresses = []",
            "2: there is no setting adresses in [listen]; did you mean \
                                     addresses?",
        ),
        ("\n[tsl]\ncertificate = \"\"", "2: there is no section [tsl]; did you mean [tls]?"),
        ("[audit.htpp]\n", "1: there is no section [audit.htpp]; did you mean [audit.http]?"),
        (
            "[tls]\nconnections = 1",
            "2: there is no setting connections in [tls]; there is one in \
                                    [limits]",
        ),
        (
            "[log]\ndata_dir = \"x\"",
            "2: there is no setting data_dir in [log]; data_dir stands \
                                     above all sections",
        ),
        ("[log.x]\n", "1: there is no section [log.x]; did you mean [log]?"),
        ("zzz = 1", "1: there is no setting zzz above all sections"),
        ("audit = 1", "1: [audit] is a section, not a setting"),
        ("[[audit]]\n", "1: [audit] is a section, not a setting"),
        ("[audit]\nstdout = true", "2: [audit.stdout] is a section, not a setting"),
    ] {
        assert_eq!(faults(text), [format!("strongroom.toml:{said}")], "{text}");
    }
}

#[test]
fn a_secret_in_a_place_that_is_none_is_not_repeated() {
    let told = faults("[seal]\npassphrase = \"correct horse battery staple\"\n").concat();
    assert!(told.contains("there is no setting passphrase in [seal]") && !told.contains("horse"));
}

#[test]
fn syntax_is_refused_with_its_line() {
    for (text, line) in [
        ("[log\nlevel = 1", 1),
        ("[log]\nlevel = \"info\nformat = \"json\"", 2),
        ("[log]\nlevel = \"info\"\nlevel = \"warn\"", 3),
        ("[log]\n[tls]\n[log]\n", 3),
        ("data_dir", 1),
        ("data_dir = ", 1),
    ] {
        let faults = faults(text);
        assert!(!faults.is_empty(), "{text}");
        assert!(faults[0].starts_with(&format!("strongroom.toml:{line}: ")), "{text}: {faults:?}");
    }
    let deep = format!("data_dir = {}", "[".repeat(100_000));
    assert!(!faults(&deep).is_empty());
}

#[test]
fn every_fault_is_told_in_the_order_of_the_file() {
    let text = "[limits]\nheader_time = 20\nconnection = 3\nbody_time = \"20\"\nheaders = 5\n\
                drain_time = \"2h\"\nheader_size = \"1GB\"\nhandshake_time = 10\n\
                http2_streams = \"100\"\nidle_time = true\n";
    let faults = faults(text);
    assert_eq!(faults.len(), 9, "{faults:#?}");
    for (fault, said) in faults.iter().zip([
        "2: limits.header_time must be a duration from 1s to 10m, not 20",
        "3: there is no setting connection in [limits]; did you mean connections?",
        "4: limits.body_time must be a duration from 1s to 10m, not \"20\"",
        "5: limits.headers must be a number from 32 to 1000, not 5",
        "6: limits.drain_time must be a duration from 1s to 1h, not \"2h\"",
        "7: limits.header_size must be a size from 16KiB to 1MiB, not \"1GB\"",
        "8: limits.handshake_time must be a duration from 1s to 5m, not 10",
        "9: limits.http2_streams must be a number from 1 to 10000, not \"100\"",
        "10: limits.idle_time must be a duration from 1s to 1h, not true",
    ]) {
        assert_eq!(fault, &format!("strongroom.toml:{said}"));
    }
}

#[test]
fn values_of_every_kind_are_bounded() {
    for (text, said) in [
        ("listen.addresses = [\"localhost:80\"]", "\"localhost:80\", which must be an IP address"),
        ("listen.addresses = \"127.0.0.1:80\"", "must be an array"),
        ("listen.addresses = [1]", "an array of other values than texts"),
        ("listen.addresses = []", "listen.addresses must have an address"),
        ("listen.plain_http = \"true\"", "must be true or false, not \"true\""),
        ("limits.connections = 0", "from 1 to 1000000, not 0"),
        ("limits.connections = -1", "not -1"),
        ("limits.connections = 1_000_001", "not 1000001"),
        ("limits.connections = 99999999999999999999", "not 99999999999999999999"),
        ("limits.connections = 0x1FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", "too large"),
        ("limits.connections = 1.5", "a number with a fraction"),
        ("limits.drain_time = \"0s\"", "from 1s to 1h, not \"0s\""),
        ("limits.drain_time = 2026-01-01", "a date or time"),
        ("data_dir = \"\"", "must be a path, not \"\""),
        ("data_dir = \"a\\u0000b\"", "must be a path, not \"a\\u0000b\""),
        ("data_dir = {}", "must be a path, not a table"),
        ("tls.min_version = \"1.1\"", "\"1.2\" or \"1.3\", not \"1.1\""),
        ("audit.syslog.address = \"siem:514\"", "udp://HOST:PORT"),
        ("audit.syslog.address = \"udp://siem\"", "udp://HOST:PORT"),
        ("audit.syslog.facility = \"kern\"", "\"local7\", not \"kern\""),
        ("audit.syslog.app_name = \"a b\"", "1 to 48 visible ASCII characters"),
        ("audit.http.url = \"https://me:secret@siem/\"", "without a user name in it"),
        ("audit.http.url = \"ftp://siem/\"", "https:// or http://"),
        ("quotas.overrides = [\"1:a=1\"]", "has \"1:a=1\", which must be ACCOUNT:CLASS=N"),
        ("quotas.overrides = [\"*:a=+1\"]", "which must be ACCOUNT:CLASS=N"),
        ("iam.jwks = [\"http://a=b\"]", "has \"http://a=b\", which must be ISSUER=FILE"),
        ("admin.group = \"-x\"", "the name of a group"),
        ("seal.passphrase_credential = \"../x\"", "without a slash"),
    ] {
        let faults = faults(text);
        assert_eq!(faults.len(), 1, "{text}: {faults:?}");
        assert!(faults[0].contains(said), "{text}: {faults:?}");
    }
    let long = format!("data_dir = \"{}\"", "x".repeat(5_000));
    let faults = faults(&long).concat();
    assert!(faults.contains("must be a path") && faults.len() < 300, "{faults}");
}

#[test]
fn paths_of_the_file_begin_where_it_is() {
    let (directory, mut sources) = file(
        "data_dir = \"data\"\n[tls]\ncertificate = \"/etc/a.pem\"\nprivate_key = \"b.pem\"\n\
         [iam]\njwks = [\"https://idp.example=keys.json\"]\n\
         [audit.syslog]\naddress = \"unix://log\"\n",
    );
    let config = Config::load(&sources).unwrap().config;
    assert_eq!(config.server.data_dir, directory.path().join("data"));
    assert_eq!(config.tls.certificate, Some(PathBuf::from("/etc/a.pem")));
    assert_eq!(config.tls.private_key, Some(directory.path().join("b.pem")));
    assert_eq!(
        config.audit_syslog.address,
        Some(SyslogAddress::Unix(directory.path().join("log")))
    );
    let keys = directory.path().join("keys.json");
    assert_eq!(config.iam.jwks[0].to_string(), format!("https://idp.example={}", keys.display()));
    sources.flags = flag("data-dir", &["here"]).flags;
    assert_eq!(Config::load(&sources).unwrap().config.server.data_dir, PathBuf::from("here"));
}

#[test]
fn lists_come_from_several_flags_and_from_commas() {
    let config = |sources: &Sources| Config::load(sources).unwrap().config.listen.addresses;
    let wanted = ["127.0.0.1:1".parse().unwrap(), "[::1]:2".parse().unwrap()];
    assert_eq!(config(&flag("listen-addresses", &["127.0.0.1:1", "[::1]:2"])), wanted);
    assert_eq!(config(&flag("listen-addresses", &["127.0.0.1:1,[::1]:2"])), wanted);
    let pairs = [("STRONGROOM_LISTEN_ADDRESSES", "127.0.0.1:1, [::1]:2")];
    assert_eq!(config(&variables(&pairs)), wanted);
    let many = vec!["127.0.0.1:1"; 1_001].join(",");
    let faults = Config::load(&flag("listen-addresses", &[&many])).unwrap_err().to_string();
    assert_eq!(faults, "--listen-addresses: listen.addresses has more than 1000 values");
}

#[test]
fn variables_that_were_meant_to_set_something_are_refused() {
    for (name, said) in [
        ("STRONGROOM_LISTEN_ADRESSES", Some("did you mean STRONGROOM_LISTEN_ADDRESSES?")),
        ("STRONGROOM_TLS_PORTAL", Some("there is no such setting")),
        ("STRONGROOM_CONFIG", None),
        ("STRONGROOM_PORT", None),
        ("STRONGROOM_SERVICE_HOST", None),
        ("STRONGROOM_SERVICE_PORT_KMS", None),
        ("STRONGROOM_PORT_4566_TCP_ADDR", None),
        ("STRONGROOM_ADMIN_PORT_80_TCP", None),
        ("STRONGROOMS", None),
        ("HOME", None),
    ] {
        let faults = Config::read(&variables(&[(name, "x")])).faults;
        let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
        match said {
            Some(said) => assert!(told.len() == 1 && told[0].contains(said), "{name}: {told:?}"),
            None => assert!(told.is_empty(), "{name}: {told:?}"),
        }
    }
}

#[test]
fn plain_http_leaves_the_machine_only_by_name() {
    for (listen, refused) in [
        ("addresses = [\"127.0.0.1:1\", \"[::1]:1\", \"127.8.8.8:1\"]", false),
        ("addresses = [\"[::ffff:127.0.0.1]:1\"]", false),
        ("addresses = [\"127.0.0.1:1\", \"0.0.0.0:1\"]", true),
        ("addresses = [\"[::]:1\"]", true),
        ("addresses = [\"10.0.0.1:1\"]", true),
        ("addresses = [\"10.0.0.1:1\"]\nplain_http = true", false),
        ("addresses = [\"10.0.0.1:1\"]\n[tls]\ncertificate = \"a\"\nprivate_key = \"b\"", false),
    ] {
        let faults = faults(&format!("[listen]\n{listen}\n"));
        assert_eq!(!faults.is_empty(), refused, "{listen}: {faults:?}");
        assert!(!refused || faults[0].contains("strongroom.toml:2: listen.addresses has "));
    }
}

#[test]
fn settings_that_do_not_go_together_are_refused() {
    for (text, said) in [
        ("tls.certificate = \"a\"", "tls.private_key must be too"),
        ("tls.private_key = \"a\"", "tls.certificate must be too"),
        ("tls.client_ca = \"a\"", "of no use without tls.certificate"),
        ("audit.retention_size = \"1MiB\"", "at least audit.segment_size"),
        ("audit.http.token_file = \"a\"", "of no use without audit.http.url"),
        ("audit.http.url = \"http://a\"\naudit.http.ca_file = \"a\"", "begins with http://"),
        ("seal.passphrase_file = \"a\"\nseal.passphrase_credential = \"b\"", "only one"),
        ("audit.retention_size = \"1TiB\"\naudit.undelivered_size = \"1GiB\"", "at least audit"),
    ] {
        let faults = faults(text);
        assert_eq!(faults.len(), 1, "{text}: {faults:?}");
        assert!(faults[0].contains(said), "{text}: {faults:?}");
    }
}

#[test]
fn a_file_that_others_may_write_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let (_directory, sources) = file("");
    let path = sources.file.as_ref().unwrap();
    for (mode, warned) in [(0o600, false), (0o644, false), (0o664, true), (0o666, true)] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        let loaded = Config::load(&sources).unwrap();
        assert_eq!(!loaded.warnings.is_empty(), warned, "{mode:o}");
        assert!(loaded.warnings.iter().all(|warning| warning.what.contains("chmod go-w")));
    }
}

#[test]
fn files_that_are_none_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let told = |path: PathBuf| {
        let faults = Config::read(&Sources { file: Some(path), ..Sources::default() }).faults;
        assert_eq!(faults.len(), 1);
        faults[0].to_string()
    };
    assert!(told(directory.path().join("none")).contains("can't be read: No such file"));
    assert!(told(directory.path().to_owned()).contains("it is no file"));
    let path = directory.path().join("strongroom.toml");
    std::fs::write(&path, vec![b'\n'; (1 << 20) + 1]).unwrap();
    assert!(told(path.clone()).contains("longer than 1 MiB"));
    std::fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(told(path.clone()).contains("UTF-8"));
    std::fs::write(&path, vec![b'\n'; 1 << 20]).unwrap();
    assert!(Config::load(&Sources { file: Some(path), ..Sources::default() }).is_ok());
}

#[test]
fn a_reload_takes_what_it_can_and_names_the_rest() {
    let (_directory, sources) = file("[log]\nlevel = \"info\"\n");
    let running = Config::load(&sources).unwrap().config;
    let path = sources.file.as_ref().unwrap();
    let text = "[log]\nlevel = \"debug\"\nformat = \"text\"\n[limits]\nidle_time = \"2m\"\n\
                [quotas]\noverrides = [\"*:a=1.5\"]\n";
    std::fs::write(path, text).unwrap();
    let reloaded = running.reload(&sources).unwrap();
    let paths = |settings: &[&Setting]| settings.iter().map(|s| s.path()).collect::<Vec<_>>();
    assert_eq!(paths(&reloaded.changed), ["log.level", "quotas.overrides"]);
    assert_eq!(paths(&reloaded.needs_restart), ["limits.idle_time", "log.format"]);
    let config = reloaded.config;
    assert_eq!((config.log.level, config.log.format), (LogLevel::Debug, LogFormat::Json));
    assert_eq!(config.limits.idle_time, running.limits.idle_time);
    assert_eq!(config.quotas.overrides, ["*:a=1.5"]);
    std::fs::write(path, "[log]\nlevel = \"loud\"\n").unwrap();
    assert!(running.reload(&sources).is_err());
}

#[test]
fn limits_of_keys_are_bounded_as_the_service_bounds_them() {
    let names = [
        "keys",
        "aliases_per_key",
        "grants_per_key",
        "tags_per_key",
        "policy_bytes",
        "on_demand_rotations",
    ];
    assert_eq!(Config::default().kms.limits(), kms::Limits::default());
    for name in names {
        let setting = Setting::find("kms", name).unwrap();
        let expected = setting.expected();
        let (from, to) =
            expected.strip_prefix("a number from ").unwrap().split_once(" to ").unwrap();
        let set = |value: u64| {
            let mut limits = kms::Limits::default();
            limits.set(&format!("{}={value}", name.replace('_', "-"))).map(|()| limits)
        };
        let (from, to): (u64, u64) = (from.parse().unwrap(), to.parse().unwrap());
        assert!(set(from - 1).is_err() && set(to + 1).is_err(), "{name}");
        for value in [from, to] {
            let config =
                Config::load(&flag(&setting.flag(), &[&value.to_string()])).unwrap().config;
            assert_eq!(config.kms.limits(), set(value).unwrap(), "{name}");
        }
    }
}

/// `STRONGROOM_WRITE_DOCS=1 cargo test -p server config` writes the page anew.
#[test]
fn the_reference_is_the_page() {
    const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let page = reference();
    if std::env::var_os("STRONGROOM_WRITE_DOCS").is_some() {
        std::fs::write(PAGE, &page).unwrap();
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(written == page, "docs/configuration.md is out of date; see this test's first line");
}

/// The example that comes with the package.
#[test]
fn the_packaged_file_is_right() {
    const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../packaging/strongroom.toml");
    Config::load(&Sources { file: Some(FILE.into()), ..Sources::default() }).unwrap();
    // What stands behind a mark is right as well.
    let text = std::fs::read_to_string(FILE).unwrap();
    let lines: Vec<_> = text.lines().map(|line| line.trim_start_matches("#:")).collect();
    let all = lines.join("\n");
    let (_directory, sources) = file(&all);
    Config::load(&sources).unwrap();
    assert_ne!(all, text.trim_end());
}
