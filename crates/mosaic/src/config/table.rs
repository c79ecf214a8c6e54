//! The closed table of keys. A new setting is one row here and one field in `settings.rs`; the file, the environment,
//! the flags, `config show` and docs/configuration.md follow. Leaves out: how a kind of value is read (`parse.rs`).

use super::key::{Key, Kind, Preset, Preset::Absent, Preset::Text};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;
const PER_MINUTE_MAX: u64 = 1_000_000;

const fn key(name: &'static str, preset: Preset, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, preset, doc }
}

pub(super) static KEYS: &[Key] = &[
    key(
        "listen",
        Text("127.0.0.1:6672"),
        Kind::Address(|s, _, v| s.listen = v),
        "Where Mosaic listens. Beyond this machine (0.0.0.0) it starts only once an admin exists or `setup_code` is set.",
    ),
    key(
        "data",
        Preset::DataDirectory,
        Kind::Directory(|s, _, v| s.data = v),
        "The data directory: database, blobs, keys. A relative path starts where Mosaic is started.",
    ),
    key(
        "database_url",
        Absent,
        Kind::DatabaseUrl(|s, _, v| s.database_url = Some(v)),
        "A PostgreSQL database (postgres:// or postgresql://). Not set: SQLite in the data directory. `mosaic config show` masks only the password.",
    ),
    key(
        "bus_url",
        Absent,
        Kind::BusUrl(|s, _, v| s.bus_url = Some(v)),
        "A Valkey (valkey://[user:password@]host[:port][/number], or redis://) over which several nodes on one PostgreSQL database tell each other at once what is new. Not set: they look every half second. `mosaic config show` masks only the password.",
    ),
    key(
        "public_url",
        Absent,
        Kind::Origin(|s, _, v| s.public_url = Some(v)),
        "The address people type, such as https://chat.example.org, without a path. Links and login callbacks are made from it.",
    ),
    key(
        "allowed_hosts",
        Text(""),
        Kind::Hosts(|s, _, v| s.allowed_hosts = v),
        "More hosts that requests may name, besides `localhost`, any IP address and the host of `public_url`.",
    ),
    key(
        "cors_origins",
        Text(""),
        Kind::Origins(|s, _, v| s.cors_origins = v),
        "Other web origins whose pages may call the API. Empty: none may.",
    ),
    key(
        "trusted_proxies",
        Text(""),
        Kind::Networks(|s, _, v| s.trusted_proxies = v),
        "Addresses or CIDR blocks of your reverse proxies. Only they may say on whose behalf a request comes.",
    ),
    key(
        "setup_code",
        Absent,
        Kind::Secret { min_chars: 16, put: |s, _, v| s.setup_code = Some(v) },
        "Proves on the setup page that you may create the first admin, instead of the printed link. At least 16 characters.",
    ),
    key(
        "master_key",
        Absent,
        Kind::HexKey(|s, _, v| s.master_key = Some(v)),
        "The key that stored secrets are encrypted under: 64 hexadecimal digits. Not set: a file in the data directory that only its owner can read.",
    ),
    key(
        "master_key_previous",
        Absent,
        Kind::HexKey(|s, _, v| s.master_key_previous = Some(v)),
        "The key before this one, while `mosaic secrets rotate` replaces it.",
    ),
    key(
        "log.format",
        Text("auto"),
        Kind::Format(|s, _, v| s.log.format = v),
        "auto, pretty or json. auto is pretty on a terminal and JSON otherwise.",
    ),
    key(
        "log.level",
        Text("info"),
        Kind::Text(|s, _, v| s.log.level = v),
        "What is logged: error, warn, info, debug or trace, or a filter such as `info,mosaic_store=debug`.",
    ),
    key(
        "telemetry.endpoint",
        Absent,
        Kind::Endpoint(|s, _, v| s.telemetry.endpoint = Some(v)),
        "The base URL of an OpenTelemetry collector (OTLP over HTTP). Not set: nothing is exported.",
    ),
    key(
        "telemetry.headers",
        Absent,
        Kind::Headers(|s, _, v| s.telemetry.headers = v),
        "Headers for the collector: name=value,name=value.",
    ),
    key(
        "metrics_open",
        Text("false"),
        Kind::Truth(|s, _, v| s.metrics_open = v),
        "Whether /metrics answers without a token.",
    ),
    size(
        "limits.body_bytes",
        "1 MiB",
        KIB,
        64 * MIB,
        |s, _, v| s.limits.body_bytes = v,
        "Largest body of a request, uploads aside.",
    ),
    size(
        "limits.blob_bytes",
        "64 MiB",
        64 * KIB,
        4 * GIB,
        |s, _, v| s.limits.blob_bytes = v,
        "Largest upload.",
    ),
    whole(
        "limits.request_seconds",
        "30",
        1,
        3600,
        |s, _, v| s.limits.request_seconds = v,
        "Longest time that one request may take.",
    ),
    size(
        "limits.header_bytes",
        "32 KiB",
        8 * KIB,
        MIB,
        |s, _, v| s.limits.header_bytes = v,
        "Largest head of a request, all headers together.",
    ),
    whole(
        "limits.connections",
        "20000",
        16,
        1_000_000,
        |s, _, v| s.limits.connections = v,
        "Connections open at the same time.",
    ),
    whole(
        "limits.connections_per_address",
        "1000",
        1,
        1_000_000,
        |s, _, v| s.limits.connections_per_address = v,
        "Connections open at the same time from one IPv4 address or IPv6 /64 network. What comes from `trusted_proxies` is not counted.",
    ),
    whole(
        "limits.streams_per_user",
        "50",
        1,
        1_000_000,
        |s, _, v| s.limits.streams_per_user = v,
        "Streams of events and WebSockets that one user may have open at the same time.",
    ),
    whole(
        "limits.shutdown_seconds",
        "10",
        1,
        600,
        |s, _, v| s.limits.shutdown_seconds = v,
        "Longest time that open requests get to end when Mosaic stops.",
    ),
    whole(
        "throttle.address_per_minute",
        "1200",
        1,
        PER_MINUTE_MAX,
        |s, _, v| s.throttle.address_per_minute = v,
        "Requests from one address.",
    ),
    whole(
        "throttle.user_per_minute",
        "2400",
        1,
        PER_MINUTE_MAX,
        |s, _, v| s.throttle.user_per_minute = v,
        "Requests by one user.",
    ),
    whole(
        "throttle.token_per_minute",
        "2400",
        1,
        PER_MINUTE_MAX,
        |s, _, v| s.throttle.token_per_minute = v,
        "Requests with one API token.",
    ),
    whole(
        "throttle.login_per_minute",
        "10",
        1,
        1000,
        |s, _, v| s.throttle.login_per_minute = v,
        "Attempts to log in to one account.",
    ),
    size(
        "quota.workspace_bytes",
        "1 GiB",
        MIB,
        1024 * TIB,
        |s, _, v| s.quota.workspace_bytes = v,
        "Disk space of one workspace.",
    ),
    whole(
        "session.days",
        "30",
        1,
        365,
        |s, _, v| s.session.days = v,
        "How long a login in a browser lasts.",
    ),
    key(
        "models",
        Absent,
        Kind::Directory(|s, _, v| s.models = Some(v)),
        "Where the small models lie that run in Mosaic itself. Not set: `models` in the data directory, or `target/models` here. `make models` fetches them.",
    ),
    key(
        "providers.private_hosts",
        Text("127.0.0.1:11434, localhost:11434, [::1]:11434"),
        Kind::Hosts(|s, _, v| s.providers.private_hosts = v),
        "Private addresses (host:port) at which anybody may set up a provider of models; Ollama on this machine unless told. Others only an admin can name, for the whole server.",
    ),
    key(
        "providers.from_environment",
        Text("false"),
        Kind::Truth(|s, _, v| s.providers.from_environment = v),
        "Whether ANTHROPIC_API_KEY, OPENAI_API_KEY, OPENROUTER_API_KEY, ZAI_API_KEY, DEEPSEEK_API_KEY, OLLAMA_BASE_URL, DEFAULT_PROVIDER and DEFAULT_MODEL count. If so, everybody on this server can use these keys.",
    ),
    key(
        "providers.catalogue",
        Absent,
        Kind::Directory(|s, _, v| s.providers.catalogue = Some(v)),
        "A JSON file with what you know better of models: prices, what they can (docs/models.md).",
    ),
    key(
        "providers.second_look",
        Absent,
        Kind::Text(|s, _, v| s.providers.second_look = Some(v)),
        "A model (provider/model) that is asked what a message is about when Mosaic is unsure by itself. It costs a short call each time.",
    ),
    whole(
        "providers.probe_minutes",
        "5",
        1,
        1440,
        |s, _, v| s.providers.probe_minutes = v,
        "How often every provider is asked whether it answers.",
    ),
    key(
        "oidc.<name>.issuer",
        Absent,
        Kind::Issuer(|s, n, v| s.provider(n).issuer = v),
        "A provider of logins: its issuer URL, exactly as the provider gives it. https, or http on this machine.",
    ),
    key(
        "oidc.<name>.client_id",
        Absent,
        Kind::Text(|s, n, v| s.provider(n).client_id = v),
        "The id under which the provider knows this Mosaic.",
    ),
    key(
        "oidc.<name>.client_secret",
        Absent,
        Kind::Secret { min_chars: 1, put: |s, n, v| s.provider(n).client_secret = v },
        "The secret that belongs to the id.",
    ),
    key(
        "oidc.<name>.label",
        Preset::ProviderName,
        Kind::Text(|s, n, v| s.provider(n).label = v),
        "What the login button says.",
    ),
    key(
        "oidc.<name>.signup",
        Text("false"),
        Kind::Truth(|s, n, v| s.provider(n).signup = v),
        "Whether somebody whom Mosaic does not know yet gets an account by logging in there.",
    ),
];

type PutNumber = super::key::Put<u64>;

const fn size(
    name: &'static str,
    preset: &'static str,
    min: u64,
    max: u64,
    put: PutNumber,
    doc: &'static str,
) -> Key {
    key(name, Text(preset), Kind::Size { min, max, put }, doc)
}

const fn whole(
    name: &'static str,
    preset: &'static str,
    min: u64,
    max: u64,
    put: PutNumber,
    doc: &'static str,
) -> Key {
    key(name, Text(preset), Kind::Whole { min, max, put }, doc)
}
