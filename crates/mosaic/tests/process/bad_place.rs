//! A data directory or a port that cannot be used: it is said who has it and what to do, and nothing changes.

use crate::{
    saying::{free_command, run, run_with},
    support::{Gateway, Output, Place, SETUP_CODE},
};
use rustix::process::geteuid;
use std::{
    collections::BTreeMap,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

/// A place whose gateway ran once.
pub(crate) async fn made() -> Arc<Place> {
    Gateway::start_sqlite(&[]).stop().await
}

/// The files of the data directory, without what the lock says for people.
pub(crate) fn files(place: &Place) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = place.files();
    files.retain(|path, _| path.file_name().is_some_and(|name| name != "lock"));
    files
}

/// Starts the gateway where that cannot work. It says so, and changes nothing.
#[track_caller]
pub(crate) fn refuses(place: &Place, words: &[&str], change: impl FnOnce(&mut Command)) -> String {
    let before = files(place);
    let output = run_with(place, &["up", "--listen", "127.0.0.1:0"], change);
    let said = output.refused_with_next_step(1, words);
    let after = files(place);
    let changed = |path: &&PathBuf| before.get(*path) != after.get(*path);
    let changed: Vec<_> = before.keys().chain(after.keys()).filter(changed).collect();
    assert!(changed.is_empty(), "{changed:?} changed: {said}");
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_port_in_use_is_explained_and_another_one_offered() {
    let place = made().await;
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let before = files(&place);
    let output = place.mosaic(&["up", "--listen", &address]);
    let ours = format!("process {}", std::process::id());
    let said =
        output.refused_with_next_step(1, &[&address, "in use by", &ours, "mosaic up --listen"]);
    assert!(files(&place) == before, "the data directory was changed");
    let offered = said.split_whitespace().skip_while(|word| *word != "--listen").nth(1).unwrap();
    // The offer can be taken as it stands.
    let gateway = Gateway::try_start_with(place, &[], |command| {
        let arguments: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        let mut other = Command::new(command.get_program());
        let taken = arguments
            .iter()
            .map(|it| if it == "127.0.0.1:0" { offered.as_ref() } else { it.as_os_str() });
        other
            .args(taken)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        *command = other;
    });
    assert_eq!(gateway.unwrap().address().to_string(), offered);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_in_use_is_refused_by_the_name_of_its_holder() {
    let gateway = Gateway::start_sqlite(&[]);
    let (pid, address) = (gateway.pid().to_string(), gateway.address().to_string());
    let output = gateway.place().mosaic(&["up", "--listen", "127.0.0.1:0"]);
    output.refused_with_next_step(1, &["in use by process", &pid, &address, "--data"]);
    gateway.get("/healthz").await.is(200);
    // A lock whose holder is dead holds nothing.
    let place = gateway.kill();
    Gateway::start_at(place, &[]).get("/readyz").await.is(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_directory_that_is_a_file_is_refused() {
    let place = Place::sqlite();
    std::fs::write(place.data(), "my letters").unwrap();
    let output = place.mosaic(&["up", "--listen", "127.0.0.1:0"]);
    output.refused_with_next_step(1, &["data directory", "--data"]);
    place.mosaic(&["user", "list"]).refused_with_next_step(1, &["data"]);
    assert_eq!(std::fs::read_to_string(place.data()).unwrap(), "my letters");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_without_data_say_so_and_make_none() {
    let place = Place::sqlite();
    for command in
        [&["user", "list"][..], &["audit", "verify"], &["backup", "saved"], &["secrets", "rotate"]]
    {
        place.mosaic(command).refused_with_next_step(1, &["there is no data in", "mosaic up"]);
    }
    assert!(!place.data().exists());
}

/// A user of this machine who is not us, if we may become one.
fn somebody_else(arguments: &[&str], place: &Place) -> Option<Output> {
    if !geteuid().is_root() {
        eprintln!("skipped: only root can become somebody else");
        return None;
    }
    // Everybody has to reach the program and the place, wherever the checkout is.
    let program = place.beside("mosaic");
    if !program.exists() {
        std::fs::copy(env!("CARGO_BIN_EXE_mosaic"), &program).unwrap();
    }
    std::fs::set_permissions(place.beside("."), PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(&program);
    command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").current_dir("/");
    command.arg("--data").arg(place.data()).args(arguments).stdin(Stdio::null());
    Some(run(command))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_directory_that_may_not_be_read_is_refused() {
    let place = made().await;
    let set = |mode: u32| {
        std::fs::set_permissions(place.data(), PermissionsExt::from_mode(mode)).unwrap();
    };
    set(0);
    let arguments = ["up", "--listen", "127.0.0.1:0"];
    let output = match geteuid().is_root() {
        true => somebody_else(&arguments, &place),
        false => Some(place.mosaic(&arguments)),
    };
    set(0o700);
    let Some(output) = output else { return };
    output.refused_with_next_step(
        1,
        &["data directory", "Permission denied", "owner and permissions"],
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_else_can_use_the_control_socket() {
    let gateway = Gateway::start_sqlite(&[]);
    let place = gateway.place().clone();
    place.ok(&["user", "add", "ada"]);
    let Some(output) = somebody_else(&["user", "list"], &place) else { return };
    output.refused(1, &["Permission denied"]);
    // Not even when somebody opened every door: the kernel says who is there.
    let open = |name: &str, mode: u32| {
        std::fs::set_permissions(place.data().join(name), PermissionsExt::from_mode(mode)).unwrap();
    };
    open("", 0o777);
    open("lock", 0o666);
    open("control.sock", 0o777);
    let output = somebody_else(&["user", "list"], &place).unwrap();
    assert_eq!(output.code, Some(1), "{output:?}");
    assert!(!output.stdout.contains("ada"), "{output:?}");
    assert!(place.ok(&["user", "list"]).contains("ada"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deep_data_directory_has_a_control_socket_all_the_same() {
    let place = Place::sqlite();
    // Longer than the address of a socket may be.
    let deep = place.beside(&"deep/".repeat(40));
    assert!(deep.as_os_str().len() > 200);
    let with = |arguments: &[&str]| {
        let mut command = free_command();
        command.arg("--data").arg(&deep).args(arguments).current_dir(place.beside("."));
        command
    };
    let mut gateway =
        with(&["up", "--listen", "127.0.0.1:0", "--setup-code", SETUP_CODE]).spawn().unwrap();
    let socket = deep.join("control.sock");
    crate::support::eventually("it runs", crate::support::PATIENCE, async || {
        announces(&deep) && socket.exists()
    })
    .await;
    let added = run(with(&["user", "add", "ada"]));
    let listed = run(with(&["user", "list"]));
    gateway.kill().unwrap();
    gateway.wait().unwrap();
    added.ok();
    assert!(listed.ok().contains("ada"));
    assert!(run(with(&["user", "list"])).ok().contains("ada"));
}

/// Whether the lock says where the gateway listens: it does so last.
fn announces(data: &Path) -> bool {
    std::fs::read_to_string(data.join("lock")).is_ok_and(|text| text.contains("127.0.0.1:"))
}
