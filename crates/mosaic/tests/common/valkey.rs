//! A Valkey of a test's own: started, frozen, killed, started again at the same place. Also a way to say anything on it.
//!
//! The program is the one that the lent server runs; that server itself is left in peace.

use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// A server that is killed when this is dropped.
pub(crate) struct Valkey {
    program: String,
    port: u16,
    arguments: Vec<String>,
    child: Option<Child>,
}

impl Valkey {
    /// None where no Valkey is lent to us and the test is to be skipped.
    pub(crate) fn start(arguments: &[&str]) -> Option<Valkey> {
        let Ok(lent) = std::env::var("TEST_VALKEY_URL") else {
            assert!(std::env::var_os("TEST_REQUIRED").is_none(), "TEST_VALKEY_URL is not set");
            eprintln!("skipped: TEST_VALKEY_URL is not set");
            return None;
        };
        let address = lent.rsplit('/').next().unwrap().parse().unwrap();
        let info = ask(address, &["INFO", "server"], "config_file:").unwrap();
        let program = info.lines().find_map(|line| line.strip_prefix("executable:")).unwrap();
        let arguments = arguments.iter().map(|it| (*it).to_owned()).collect();
        let mut valkey = Valkey { program: program.to_owned(), port: 0, arguments, child: None };
        // Somebody else may take a free port before we do.
        for _ in 0..5 {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            valkey.port = free.local_addr().unwrap().port();
            drop(free);
            if valkey.run() {
                return Some(valkey);
            }
        }
        panic!("no Valkey could be started");
    }

    #[expect(clippy::disallowed_methods, reason = "a real part of the test")]
    fn run(&mut self) -> bool {
        let mut command = Command::new(&self.program);
        command
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--appendonly", "no"])
            .args(&self.arguments)
            .current_dir(std::env::temp_dir())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let address = self.address();
        let child = self.child.insert(command.spawn().unwrap());
        let (begun, ours) = (Instant::now(), format!("process_id:{}\r", child.id()));
        while begun.elapsed() < PATIENCE && child.try_wait().unwrap().is_none() {
            match ask(address, &["INFO", "server"], "config_file:") {
                Ok(info) if info.contains(&ours) || info.contains("NOAUTH") => return true,
                _ => std::thread::yield_now(),
            }
        }
        self.kill();
        false
    }

    pub(crate) fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    pub(crate) fn url(&self) -> String {
        format!("valkey://{}", self.address())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// At the same place, with nothing in it.
    pub(crate) fn start_again(&mut self) {
        let begun = Instant::now();
        while !self.run() {
            assert!(begun.elapsed() < PATIENCE, "Valkey does not start again");
        }
    }

    /// Says anything to whoever listens.
    pub(crate) fn publish(&self, channel: &str, payload: impl AsRef<[u8]>) {
        let mut stream = TcpStream::connect(self.address()).unwrap();
        stream.write_all(&command(&[b"PUBLISH", channel.as_bytes(), payload.as_ref()])).unwrap();
        answer(&mut stream, "\r\n").unwrap();
    }
}

impl Drop for Valkey {
    fn drop(&mut self) {
        self.kill();
    }
}

fn command(words: &[&[u8]]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        out.extend([format!("${}\r\n", word.len()).as_bytes(), word, b"\r\n"].concat());
    }
    out
}

/// Asks, and reads until the answer holds this word or is an error.
fn ask(address: SocketAddr, words: &[&str], last: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    let words: Vec<&[u8]> = words.iter().map(|word| word.as_bytes()).collect();
    stream.write_all(&command(&words))?;
    answer(&mut stream, last)
}

fn answer(stream: &mut TcpStream, last: &str) -> std::io::Result<String> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let mut text = String::new();
    let mut bytes = [0; 16 * 1024];
    while !text.contains(last) && !text.starts_with('-') {
        let n = stream.read(&mut bytes)?;
        if n == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        text.push_str(&String::from_utf8_lossy(&bytes[..n]));
    }
    Ok(text)
}
