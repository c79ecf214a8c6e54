//! Who has a port that we wanted, and which one is free.

use std::net::{SocketAddr, TcpListener};

/// What to say when an address cannot be listened on.
pub(crate) fn explain(address: SocketAddr, error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::AddrInUse => {
            let holder = holder(address.port()).unwrap_or_else(|| "another program".to_owned());
            let free = free_after(address).map_or_else(
                || "choose another with --listen".to_owned(),
                |free| format!("stop it, or listen elsewhere: mosaic up --listen {free}"),
            );
            format!("{address} is in use by {holder}\n  {free}")
        }
        ErrorKind::PermissionDenied => {
            format!(
                "{address} needs more rights than this user has\n  choose a port above 1023 with --listen, and put a reverse proxy in front (docs/reverse-proxy.md)"
            )
        }
        ErrorKind::AddrNotAvailable => {
            format!(
                "{address} is not an address of this machine\n  choose one of its own with --listen; 0.0.0.0 means all of them"
            )
        }
        _ => format!("{address} cannot be listened on: {error}\n  choose another with --listen"),
    }
}

/// The next ports, tried in turn.
fn free_after(address: SocketAddr) -> Option<SocketAddr> {
    (1..=20)
        .filter_map(|n| address.port().checked_add(n))
        .map(|port| SocketAddr::new(address.ip(), port))
        .find(|candidate| TcpListener::bind(candidate).is_ok())
}

/// The process that listens on a port, as far as this user may know. Linux says so under /proc.
#[cfg(target_os = "linux")]
fn holder(port: u16) -> Option<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"]
        .map(|path| std::fs::read_to_string(path).unwrap_or_default());
    let suffix = format!(":{port:04X}");
    let inode = tables.iter().flat_map(|table| table.lines().skip(1)).find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // 0A: listening.
        let listens = fields.get(1)?.ends_with(&suffix) && *fields.get(3)? == "0A";
        listens.then(|| fields.get(9).map(|inode| format!("socket:[{inode}]"))).flatten()
    })?;
    let processes = std::fs::read_dir("/proc")
        .ok()?
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().bytes().all(|b| b.is_ascii_digit()));
    for process in processes {
        let Ok(files) = std::fs::read_dir(process.path().join("fd")) else { continue };
        let holds = files
            .flatten()
            .any(|file| std::fs::read_link(file.path()).is_ok_and(|to| *to.as_os_str() == *inode));
        if holds {
            let name = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!(
                "process {} ({})",
                process.file_name().to_string_lossy(),
                name.trim()
            ));
        }
    }
    None
}

#[cfg(not(target_os = "linux"))]
fn holder(_: u16) -> Option<String> {
    None
}
