//! Kills, and failing disks: the library scripts/shim/shim.c, built once per test and preloaded into the program.

use crate::{
    saying::run_with,
    support::{Output, Place},
};
use std::{
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

/// The library, and the file in which it counts.
pub(crate) struct Shim {
    dir: TempDir,
}

/// At which file-changing call the program dies.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kill {
    pub(crate) n: u64,
    /// When that call writes, half of it comes through.
    pub(crate) torn: bool,
}

impl Shim {
    pub(crate) fn build() -> Shim {
        let dir = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/shim/shim.c");
        let made = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(dir.path().join("shim.so"))
            .arg(source)
            .output()
            .expect("a C compiler");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Shim { dir }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Watches what a program changes under a folder, and does there what the settings say.
    pub(crate) fn watch(&self, command: &mut Command, under: &Path, settings: &[(&str, String)]) {
        command
            .env("LD_PRELOAD", self.file("shim.so"))
            .env("SHIM_UNDER", under.canonicalize().unwrap())
            .env("SHIM_COUNT", self.file("count"))
            .envs(settings.iter().map(|(name, value)| (name, value)));
    }

    /// Lets a program die under the folder of a place.
    pub(crate) fn arm(&self, command: &mut Command, place: &Place, kill: Kill) {
        let mut settings = vec![("SHIM_KILL_AT", kill.n.to_string())];
        settings.extend(kill.torn.then(|| ("SHIM_TORN", "1".to_owned())));
        self.watch(command, &place.beside("."), &settings);
    }

    /// How many calls were counted.
    pub(crate) fn count(&self) -> u64 {
        let text = std::fs::read_to_string(self.file("count")).unwrap();
        text.trim().parse().unwrap()
    }

    /// How many calls a command makes that succeeds.
    pub(crate) fn calls_of(&self, place: &Place, arguments: &[&str]) -> u64 {
        run_with(place, arguments, |command| self.watch(command, &place.beside("."), &[])).ok();
        self.count()
    }

    /// Runs a command that dies on its way.
    pub(crate) fn killed(&self, place: &Place, arguments: &[&str], kill: Kill) -> Output {
        run_with(place, arguments, |command| self.arm(command, place, kill))
    }
}

/// Where to kill among the calls after `from`, up to and with `to`: everywhere if that is asked for (`SOAK`), else
/// evenly, at `most` of them; at some of these once more with the write torn.
pub(crate) fn kills(from: u64, to: u64, most: u64) -> Vec<Kill> {
    assert!(to > from, "there is nothing to kill between {from} and {to}");
    let most = if std::env::var_os("SOAK").is_some() { u64::MAX } else { most };
    let step = (to - from).div_ceil(most).max(1);
    let mut found = vec![];
    for (i, n) in (from + 1..=to).step_by(usize::try_from(step).unwrap()).enumerate() {
        found.push(Kill { n, torn: false });
        found.extend((i % 5 == 2).then_some(Kill { n, torn: true }));
    }
    found
}

/// Whether the program was killed there, and not something else. A run may be some calls shorter than the one that
/// was counted.
#[track_caller]
pub(crate) fn was_killed(output: &Output) -> bool {
    assert!(matches!(output.code, None | Some(0)), "{output:?}");
    assert!(!output.stderr.contains("panicked"), "{output:?}");
    output.code.is_none()
}

/// Most kills must have met a program that ran.
#[track_caller]
pub(crate) fn enough(n_killed: usize, n_tried: usize) {
    eprintln!("{n_killed} of {n_tried} kills met the program");
    assert!(n_killed * 10 >= n_tried * 8, "only {n_killed} of {n_tried} kills met the program");
}
