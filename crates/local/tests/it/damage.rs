//! Files that are cut short, damaged or of another kind: always an error that names the file, never a panic, and never
//! more memory than the file itself is large.

use crate::found;
use mosaic_local::{CHAT_FILE, Chat, E5_FILE, Embedder, Error};
use std::path::Path;

/// Opens what the name says, and expects that it is refused.
fn refused(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    let error =
        if name.ends_with(".gguf") { Chat::open(&path).err() } else { Embedder::open(&path).err() };
    match error {
        Some(Error::Damaged { path: named, .. }) => assert!(named.starts_with(folder)),
        other => panic!("{name} of {} bytes: {other:?}", bytes.len()),
    }
}

#[test]
fn what_is_cut_short_anywhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in [E5_FILE, CHAT_FILE] {
        let Some(path) = found::model(name) else { return };
        let whole = std::fs::read(path).unwrap();
        let early = [0, 1, 3, 4, 8, 40, 100, 1000, 100_000, 1_000_000, 2_000_000];
        let late = [whole.len() / 10, whole.len() / 2, whole.len() - 1];
        for end in early.into_iter().chain(late) {
            refused(folder.path(), name, &whole[..end]);
        }
    }
}

#[test]
fn huge_numbers_in_a_head_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let Some(path) = found::model(E5_FILE) else { return };
    let whole = std::fs::read(path).unwrap();
    let head = whole[..1 << 16].to_vec();
    // Every word of the head in turn: measures, sizes of the vocabulary, its length.
    for at in (8..76).step_by(4) {
        for value in [u32::MAX, i32::MAX as u32, 1 << 28] {
            let mut damaged = head.clone();
            damaged[at..at + 4].copy_from_slice(&value.to_le_bytes());
            refused(folder.path(), E5_FILE, &damaged);
        }
    }
    for counts in [[u64::MAX, 1], [1, u64::MAX], [4096, 1024]] {
        let mut file = b"GGUF\x03\0\0\0".to_vec();
        counts.iter().for_each(|count| file.extend(count.to_le_bytes()));
        refused(folder.path(), CHAT_FILE, &file);
        // A name of 2⁶² bytes; a list of 2⁶⁰ texts.
        file[8..24].copy_from_slice(&[1_u64.to_le_bytes(), 1_u64.to_le_bytes()].concat());
        refused(
            folder.path(),
            CHAT_FILE,
            &[file.clone(), (1_u64 << 62).to_le_bytes().to_vec()].concat(),
        );
        let list = [
            &1_u64.to_le_bytes()[..],
            b"n",
            &9_u32.to_le_bytes(),
            &8_u32.to_le_bytes(),
            &(1_u64 << 60).to_le_bytes(),
        ];
        refused(folder.path(), CHAT_FILE, &[file, list.concat()].concat());
    }
}

#[test]
fn random_bytes_are_refused_whatever_they_begin_with() {
    let folder = tempfile::tempdir().unwrap();
    let mut state = 1_u64;
    for round in 0..200_usize {
        let mut bytes: Vec<u8> = (0..round * 7)
            .map(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            })
            .collect();
        refused(folder.path(), "x.bin", &bytes);
        for (name, begin) in [
            ("x.bin", &b"E5S1"[..]),
            ("x.gguf", b"GGUF\x03\0\0\0\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0"),
            ("x.gguf", b""),
        ] {
            bytes.splice(..0, begin.iter().copied());
            refused(folder.path(), name, &bytes);
        }
    }
}

#[test]
fn safetensors_that_lie_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let pieces = r#"{"model":{"vocab":{"[CLS]":0,"[SEP]":1,"[UNK]":2}}}"#;
    std::fs::write(folder.path().join("tokenizer.json"), pieces).unwrap();
    let words = "embeddings.word_embeddings.weight";
    for head in [
        "".to_owned(),
        "null".to_owned(),
        "{}".to_owned(),
        "[".repeat(100_000),
        format!(r#"{{"{words}":3}}"#),
        format!(r#"{{"{words}":{{"dtype":"F32","shape":[4,32],"data_offsets":[0,512]}}}}"#),
        format!(
            r#"{{"{words}":{{"dtype":"F32","shape":[18446744073709551615,2],"data_offsets":[0,8]}}}}"#
        ),
        format!(r#"{{"{words}":{{"dtype":"F32","shape":[4,32],"data_offsets":[512,0]}}}}"#),
        format!(
            r#"{{"{words}":{{"dtype":"F32","shape":[4,32],"data_offsets":[18446744073709551615,511]}}}}"#
        ),
    ] {
        let file = [&(head.len() as u64).to_le_bytes(), head.as_bytes(), &[0; 64]].concat();
        refused(folder.path(), "model.safetensors", &file);
    }
    refused(folder.path(), "model.safetensors", &[255; 64]);
    refused(folder.path(), "model.safetensors", &(1_u64 << 24).to_le_bytes());
    for tokenizer in
        ["", "{}", "[]", r#"{"model":{"vocab":[]}}"#, r#"{"model":{"vocab":[["a",1e999]]}}"#]
    {
        std::fs::write(folder.path().join("tokenizer.json"), tokenizer).unwrap();
        refused(folder.path(), "model.safetensors", &[0; 64]);
    }
}

#[test]
fn what_is_not_there_and_what_is_no_file_is_said() {
    let folder = tempfile::tempdir().unwrap();
    assert!(
        matches!(Embedder::open(folder.path()), Err(Error::Missing { name, .. }) if name == E5_FILE)
    );
    assert!(
        matches!(Chat::open(folder.path()), Err(Error::Missing { name, .. }) if name == CHAT_FILE)
    );
    assert!(matches!(Embedder::open(Path::new("/dev/zero")), Err(Error::Damaged { .. })));
}
