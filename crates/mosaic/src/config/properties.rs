//! What holds for any text at all: no panic, and the right line. Leaves out: what the messages say (`tests.rs`).

use proptest::prelude::*;

use super::tests::layered;

/// Pieces that make a file nearly right, which is where a reader breaks.
fn near_toml() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("[limits]\n".to_owned()),
        Just("[oidc.a]\n".to_owned()),
        Just("oidc.a.".to_owned()),
        Just("limits.body_bytes = ".to_owned()),
        Just("allowed_hosts = [".to_owned()),
        Just("database_url = 'postgres://".to_owned()),
        Just("bus_url = 'valkey://u:p@".to_owned()),
        Just("'\n".to_owned()),
        Just("\r\n".to_owned()),
        any::<String>(),
        "[a-z.\\[\\]{}='\"0-9\n]{0,12}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_text_panics(file in near_toml(), name in "MOSAIC_[A-Z_]{0,20}|.*", value in any::<String>()) {
        let told = layered(&file, &[(&name, &value)], &[(&name, &value), ("listen", &value)]);
        if let Err(error) = told {
            prop_assert!(error.to_string().lines().all(|line| line.contains(": ")));
        }
    }

    #[test]
    fn an_unknown_key_names_its_line(
        before in prop::collection::vec(
            prop_oneof![
                Just(""), Just("# listen = 1"), Just("[limits]"), Just("quota.workspace_bytes = '1 GiB'"),
                Just("cors_origins = [\n  'https://a.example',\n]"), Just("log.level = '''info'''"),
            ],
            0..6,
        ),
        ending in prop_oneof![Just("\n"), Just("\r\n")],
    ) {
        let mut seen = std::collections::HashSet::new();
        let kept: Vec<&str> = before.into_iter().filter(|text| text.is_empty() || seen.insert(*text)).collect();
        let head: String = kept.iter().map(|text| format!("{text}\n")).collect();
        let line = head.matches('\n').count() + 1;
        let text = format!("{head}zzz = 1\n\n[oidc.x]\nyyy.xxx = 2\n").replace('\n', ending);
        let error = layered(&text, &[], &[]).unwrap_err().to_string();
        let table = if kept.contains(&"[limits]") { "limits." } else { "" };
        let first = format!("mosaic.toml:{line}: unknown key `{table}zzz`");
        let second = format!("mosaic.toml:{}: unknown key `oidc.x.yyy.xxx`", line + 3);
        prop_assert!(error.lines().any(|told| told == first), "{error}");
        prop_assert!(error.lines().any(|told| told == second), "{error}");
    }
}
