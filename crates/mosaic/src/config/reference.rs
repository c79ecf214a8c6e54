//! The reference page, docs/configuration.md, made from the table of keys so that it cannot fall behind.
//! Leaves out: writing the file, which `make docs-update` does.

use std::fmt::Write as _;

use super::{
    key::{Key, Kind, Preset},
    numbers::show_size,
    table::KEYS,
};

const BEFORE: &str = "\
# Configuration

<!-- Made from the table of keys in crates/mosaic/src/config/table.rs. Change that, then run
     `make docs-update`. -->

Mosaic runs without any configuration. Each setting has one key; its value is the last one given in this order:

1. the default in the table below;
2. the configuration file: `mosaic.toml`, or the one that `--config FILE` or `MOSAIC_CONFIG` names;
3. the environment: `MOSAIC_` and the key in upper case, with `_` for each dot, such as `MOSAIC_LIMITS_BODY_BYTES`;
4. flags, such as `--listen`.

`MOSAIC_PROVIDER_KEY` is no setting: `mosaic provider add` takes a key from it.

`mosaic config show` prints what came out, and for each value where it came from (secrets are masked). `--json` gives
the same to programs.

Anything that is not understood stops the start: an unknown key, an unknown `MOSAIC_*` variable, a value of the wrong
type or out of bounds, an empty text. All problems are listed at once, each with its place and, for a slip in a name,
the name that was probably meant:

```text
mosaic.toml:12: unknown key `limts.body_bytes`; did you mean `limits.body_bytes`?
MOSAIC_LISTN: unknown setting; did you mean MOSAIC_LISTEN?
mosaic.toml:3: `limits.body_bytes` must be between 1 KiB and 64 MiB, got 0
```

## How values are written

| | in the file | in the environment |
|---|---|---|
| number | `30` | `30` |
| size | `65536`, `\"64 KiB\"`, `\"10MiB\"` (KiB, MiB, GiB, TiB) | `65536`, `64KiB`, `10 MiB` |
| true or false | `true` | `true` |
| list | `[\"a.example\", \"b.example\"]` | `a.example,b.example` (empty: no items) |
| anything else | `\"text\"` | `text` |

A setting marked *secret* is never printed, not even in an error. Keep secrets in the environment, or in a file that
only Mosaic's user can read.

## Settings

| Key | Environment | Default | Meaning |
|---|---|---|---|
";

const PROVIDERS: &str = "
## Providers of logins

Each provider (OpenID Connect) has a name of your choice: a lower-case letter, then up to 31 lower-case letters, digits
and `-`. In the environment the name is written in upper case with `_` for `-`, so `MOSAIC_OIDC_OUR_IDP_ISSUER` is
`oidc.our-idp.issuer`. `issuer`, `client_id` and `client_secret` belong together; without one of them Mosaic does not
start.

| Key | Environment | Default | Meaning |
|---|---|---|---|
";

const AFTER: &str = "
## An example
";

/// A complete file that the tests load, so that it keeps being right.
pub(super) const EXAMPLE: &str = r#"listen = "127.0.0.1:6672"
public_url = "https://chat.example.org"
trusted_proxies = ["127.0.0.1", "10.0.0.0/8"]

[log]
format = "json"

[limits]
blob_bytes = "256 MiB"

[quota]
workspace_bytes = "10 GiB"

[oidc.company]
issuer = "https://login.example.org"
client_id = "mosaic"
# client_secret comes from MOSAIC_OIDC_COMPANY_CLIENT_SECRET
label = "Company account"
signup = true
"#;

/// The page as markdown.
pub(crate) fn page() -> String {
    let mut page = BEFORE.to_owned();
    let (providers, rest): (Vec<&Key>, Vec<&Key>) =
        KEYS.iter().partition(|key| key.provider_field().is_some());
    page.extend(rest.into_iter().map(row));
    page.push_str(PROVIDERS);
    page.extend(providers.into_iter().map(row));
    page.push_str(AFTER);
    // Writing to a String cannot fail.
    let _ = write!(page, "\n```toml\n{EXAMPLE}```\n");
    page
}

fn row(key: &Key) -> String {
    let preset = match key.preset {
        Preset::Absent => "not set".to_owned(),
        Preset::Text("") => "empty".to_owned(),
        Preset::Text(text) => format!("`{text}`"),
        Preset::DataDirectory => "per user, see `mosaic config show`".to_owned(),
        Preset::ProviderName => "the name".to_owned(),
    };
    let bounds = match key.kind {
        Kind::Size { min, max, .. } => format!(" From {} to {}.", show_size(min), show_size(max)),
        Kind::Whole { min, max, .. } => format!(" From {min} to {max}."),
        _ => String::new(),
    };
    let secret = if key.secret() { "*Secret.* " } else { "" };
    let env = key.env_name_for("<NAME>");
    format!("| `{}` | `{env}` | {preset} | {secret}{}{bounds} |\n", key.name, key.doc)
}
