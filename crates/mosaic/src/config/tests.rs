//! Whole configurations in, messages and tables out. Leaves out: single values, tested where they are read.

use expect_test::{Expect, expect};

use super::{reference::EXAMPLE, *};

const MASTER: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(super) fn layered(
    file: &str,
    env: &[(&str, &str)],
    flags: &[(&str, &str)],
) -> Result<Config, ConfigError> {
    let (env, flags) = (pairs(env), pairs(flags));
    load(&Sources {
        file: Some(("mosaic.toml", file)),
        env: &env,
        flags: &flags,
        default_data: "/var/lib/mosaic",
    })
}

fn refused(file: &str, env: &[(&str, &str)], want: Expect) {
    want.assert_eq(&layered(file, env, &[]).unwrap_err().to_string());
}

#[test]
fn each_layer_lies_over_the_one_before_and_show_says_which() {
    let file = "listen = '127.0.0.1:1'\nallowed_hosts = ['A.example']\nlimits.body_bytes = '2 MiB'\n\
        database_url = 'postgres://mosaic:hunter2@db.example/mosaic'\n[oidc.our-idp]\nissuer = 'https://idp.example'\n\
        client_id = 'mosaic'\n";
    let env = [
        ("MOSAIC_LISTEN", "127.0.0.1:2"),
        ("MOSAIC_CONFIG", "mosaic.toml"),
        ("MOSAIC_OIDC_OUR_IDP_CLIENT_SECRET", "hunter2"),
        ("MOSAIC_MASTER_KEY", MASTER),
        ("MOSAIC_METRICS_OPEN", "true"),
        ("HOME", "/root"),
    ];
    let config = layered(file, &env, &[("listen", "[::1]:3")]).unwrap();
    expect![[r#"
        listen                          [::1]:3                                        --listen
        data                            /var/lib/mosaic                                default
        database_url                    postgres://mosaic:••••@db.example/mosaic       mosaic.toml:4
        bus_url                         (not set)                                      default
        public_url                      (not set)                                      default
        allowed_hosts                   a.example                                      mosaic.toml:2
        cors_origins                    (none)                                         default
        trusted_proxies                 (none)                                         default
        setup_code                      (not set)                                      default
        master_key                      ••••                                           MOSAIC_MASTER_KEY
        master_key_previous             (not set)                                      default
        log.format                      auto                                           default
        log.level                       info                                           default
        telemetry.endpoint              (not set)                                      default
        telemetry.headers               (not set)                                      default
        metrics_open                    true                                           MOSAIC_METRICS_OPEN
        limits.body_bytes               2 MiB                                          mosaic.toml:3
        limits.blob_bytes               64 MiB                                         default
        limits.request_seconds          30                                             default
        limits.header_bytes             32 KiB                                         default
        limits.connections              20000                                          default
        limits.connections_per_address  1000                                           default
        limits.streams_per_user         50                                             default
        limits.shutdown_seconds         10                                             default
        throttle.address_per_minute     1200                                           default
        throttle.user_per_minute        2400                                           default
        throttle.token_per_minute       2400                                           default
        throttle.login_per_minute       10                                             default
        quota.workspace_bytes           1 GiB                                          default
        session.days                    30                                             default
        models                          (not set)                                      default
        providers.private_hosts         127.0.0.1:11434, localhost:11434, [::1]:11434  default
        providers.from_environment      false                                          default
        providers.catalogue             (not set)                                      default
        providers.second_look           (not set)                                      default
        providers.probe_minutes         5                                              default
        oidc.our-idp.issuer             https://idp.example                            mosaic.toml:6
        oidc.our-idp.client_id          mosaic                                         mosaic.toml:7
        oidc.our-idp.client_secret      ••••                                           MOSAIC_OIDC_OUR_IDP_CLIENT_SECRET
        oidc.our-idp.label              our-idp                                        default
        oidc.our-idp.signup             false                                          default
    "#]].assert_eq(&config.show());
    let json = config.show_json();
    assert_eq!(
        json["limits.body_bytes"],
        serde_json::json!({ "value": 2 << 20, "source": "mosaic.toml:3" })
    );
    assert_eq!(json["public_url"]["value"], serde_json::Value::Null);

    let settings = &config.settings;
    assert_eq!(settings.listen.port(), 3);
    assert_eq!(settings.oidc["our-idp"].client_secret.expose(), "hunter2");
    assert_eq!(
        settings.database_url.as_ref().unwrap().expose(),
        "postgres://mosaic:hunter2@db.example/mosaic"
    );
    for printed in [format!("{config:?}"), config.show(), json.to_string()] {
        assert!(!printed.contains("hunter2") && !printed.contains(MASTER), "{printed}");
    }
}

#[test]
fn every_default_passes_its_own_checks_and_reaches_its_field() {
    let config = load(&Sources { file: None, env: &[], flags: &[], default_data: "/d" }).unwrap();
    expect![[r#"
        Settings {
            listen: 127.0.0.1:6672,
            data: "/d",
            database_url: None,
            bus_url: None,
            public_url: None,
            allowed_hosts: [],
            cors_origins: [],
            trusted_proxies: [],
            setup_code: None,
            master_key: None,
            master_key_previous: None,
            log: Log {
                format: Auto,
                level: "info",
            },
            telemetry: Telemetry {
                endpoint: None,
                headers: [],
            },
            metrics_open: false,
            limits: Limits {
                body_bytes: 1048576,
                blob_bytes: 67108864,
                request_seconds: 30,
                header_bytes: 32768,
                connections: 20000,
                connections_per_address: 1000,
                streams_per_user: 50,
                shutdown_seconds: 10,
            },
            throttle: Throttle {
                address_per_minute: 1200,
                user_per_minute: 2400,
                token_per_minute: 2400,
                login_per_minute: 10,
            },
            quota: Quota {
                workspace_bytes: 1073741824,
            },
            session: Session {
                days: 30,
            },
            models: None,
            providers: Providers {
                private_hosts: [
                    "127.0.0.1:11434",
                    "localhost:11434",
                    "[::1]:11434",
                ],
                from_environment: false,
                catalogue: None,
                second_look: None,
                probe_minutes: 5,
            },
            oidc: {},
        }
    "#]]
    .assert_debug_eq(&config.settings);
}

#[test]
fn every_problem_is_told_at_once_with_its_place() {
    let file = "\
listn = '127.0.0.1:1'
metrics_open = 1
limits = 3
allowed_hosts = ['ok.example', '*']
session.days = '30'
data = '~/mosaic'
body_bytes = 5
\"limits.body_bytes\" = 6
[limts]
body_bytes = 1
[limits]
body_bytes = 0
blob_bytes = '1 GB'
request_seconds = 1.5
listen = '127.0.0.1:1'
[nonsense]
[oidc.Company]
issuer = 'https://idp.example'
[oidc.test]
isuer = 'https://idp.example'
client_id = \"a\\u0000b\"
";
    // `limits` as a value and as a table is not TOML, which hides everything else; so it is looked at twice.
    refused(file, &[], expect!["mosaic.toml:11: this is not TOML: duplicate key"]);
    let env = [
        ("MOSAIC_LISTN", "127.0.0.1:1"),
        ("MOSAIC_LISTEN", "localhost"),
        ("MOSAIC_OIDC_ACME_CLIENTID", "x"),
        ("MOSAIC_OIDC_1_ISSUER", "x"),
        ("MOSAIC_DATABASE_URL", ""),
        ("MOSAIC_TRUSTED_PROXIES", "10.0.0.1,0.0.0.0/0"),
        ("MOSAIC_BANANA", "x"),
    ];
    refused(
        &file.replace("limits = 3", "log = 3"),
        &env,
        expect![[r#"
            mosaic.toml:1: unknown key `listn`; did you mean `listen`?
            mosaic.toml:2: `metrics_open` must be true or false, not a number
            mosaic.toml:3: `log` is a group of settings; start it with a line [log]
            mosaic.toml:4: `allowed_hosts` must be a list of hosts such as chat.example.org or localhost:6672 (no patterns, no URLs), got "*"
            mosaic.toml:5: `session.days` must be a whole number, not a string
            mosaic.toml:6: `data` must be written out: `~` is not expanded here
            mosaic.toml:7: unknown key `body_bytes`; did you mean `limits.body_bytes`?
            mosaic.toml:8: unknown key `"limits.body_bytes"`; did you mean `limits.body_bytes`?
            mosaic.toml:10: unknown key `limts.body_bytes`; did you mean `limits.body_bytes`?
            mosaic.toml:12: `limits.body_bytes` must be between 1 KiB and 64 MiB, got 0
            mosaic.toml:13: `limits.blob_bytes` must be a size such as 65536, "64 KiB" or "10 MiB", got "1 GB"
            mosaic.toml:14: `limits.request_seconds` must be a whole number, not a fractional number
            mosaic.toml:15: unknown key `limits.listen`; did you mean `listen`?
            mosaic.toml:16: unknown key `nonsense`
            mosaic.toml:17: `Company` cannot be the name of a login provider; it takes a lower-case letter, then up to 31 of a–z, 0–9 and -
            mosaic.toml:20: unknown key `oidc.test.isuer`; did you mean `oidc.test.issuer`?
            mosaic.toml:21: `oidc.test.client_id` must not contain control characters such as NUL or a line break
            MOSAIC_BANANA: unknown setting; docs/configuration.md lists them all
            MOSAIC_DATABASE_URL: `database_url` must not be empty; leave it out to use the default
            MOSAIC_LISTEN: `listen` must be an address and port such as 127.0.0.1:6672 or [::1]:6672, got "localhost"
            MOSAIC_LISTN: unknown setting; did you mean MOSAIC_LISTEN?
            MOSAIC_OIDC_1_ISSUER: `1` cannot be the name of a login provider; it takes a lower-case letter, then up to 31 of a–z, 0–9 and -
            MOSAIC_OIDC_ACME_CLIENTID: unknown setting; did you mean MOSAIC_OIDC_ACME_CLIENT_ID?
            MOSAIC_TRUSTED_PROXIES: `trusted_proxies` must be a list of addresses or blocks such as 10.0.0.0/8 (not every address), got "0.0.0.0/0"
            mosaic.toml:19: `oidc.test` also needs `oidc.test.issuer`, `oidc.test.client_secret`"#]],
    );
}

#[test]
fn what_belongs_together_is_asked_for_together() {
    refused(
        &format!(
            "master_key_previous = '{MASTER}'\nbus_url = 'valkey://u:hunter2@h'\n[oidc.b]\n[oidc.a]\nclient_id = 'x'\nissuer = 'nonsense'"
        ),
        &[("MOSAIC_OIDC_C_SIGNUP", "true")],
        expect![[r#"
            mosaic.toml:6: `oidc.a.issuer` must be an http or https URL: relative URL without a base
            mosaic.toml:1: `master_key_previous` is of use only next to the new `master_key`; set both or neither
            mosaic.toml:2: `bus_url` is of use only to nodes that share a PostgreSQL database; set `database_url`, too, or leave `bus_url` out
            mosaic.toml:4: `oidc.a` also needs `oidc.a.client_secret`
            mosaic.toml:3: `oidc.b` also needs `oidc.b.issuer`, `oidc.b.client_id`, `oidc.b.client_secret`
            MOSAIC_OIDC_C_SIGNUP: `oidc.c` also needs `oidc.c.issuer`, `oidc.c.client_id`, `oidc.c.client_secret`"#]],
    );
}

#[test]
fn no_error_repeats_a_secret() {
    let canary = "hunter2hunter2\u{7}";
    for key in env_names().iter().filter(|name| *name != FILE_VARIABLE) {
        let variable = key.replace("<NAME>", "A");
        let spot = key::locate_env(&variable).unwrap();
        if !spot.key().secret() {
            continue;
        }
        let long = "hunter2".repeat(10_000);
        for value in [
            canary,
            "hunter2",
            "hunter2@hunter2",
            "postgres://u:hunter2/@h",
            "valkey://u:hunter2/@h",
            &long,
        ] {
            let name = spot.name();
            for found in [
                layered("", &[(&variable, value)], &[]),
                layered("", &[], &[(&name, value)]),
                layered(&format!("{name} = {value:?}"), &[], &[]),
                layered(&format!("{name} = {value}"), &[], &[]),
                layered(&format!("{name} = '{value}"), &[], &[]),
                layered(&format!("{name} = ['{value}']"), &[], &[]),
            ] {
                let told = found.map_or_else(|error| error.to_string(), |config| config.show());
                assert!(!told.contains("hunter2"), "{name}: {told}");
            }
        }
    }
}

#[test]
fn depth_and_length_are_bounded() {
    let deep = format!("{} = 1", vec!["a"; 20_000].join("."));
    let nested = format!("a = {}", "[".repeat(20_000));
    let long = format!("{} = 1", "a".repeat(1 << 20));
    for text in [&deep, &nested, &long] {
        let error = layered(text, &[], &[]).unwrap_err().to_string();
        assert!(error.starts_with("mosaic.toml:1: ") && error.len() < 400, "{error}");
    }
}

#[test]
fn the_example_of_the_reference_loads() {
    layered(EXAMPLE, &[("MOSAIC_OIDC_COMPANY_CLIENT_SECRET", "x")], &[]).unwrap();
}
