//! Models as safetensors: the small English one beside the same computed in full precision, and the default one, whose
//! 4-bit weights are written out as safetensors and read back.

use crate::found;
use crate::reference::{cases, cosine, input};
use mosaic_local::{E5_FILE, Embedder, Input};
use serde_json::{Value, json};
use std::io::Write;

#[test]
fn the_english_model_says_what_full_precision_says() {
    let Some(path) = found::model("all-MiniLM-L6-v2") else { return };
    let mut embedder = Embedder::open(&path).unwrap();
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("../../../../fixtures/embeddings/minilm.json")).unwrap();
    let (mut wrong, mut least) = (Vec::new(), 1.0_f32);
    for case in &cases {
        let text = case["text"].as_str().unwrap();
        let right: Vec<f32> = serde_json::from_value(case["vector"].clone()).unwrap();
        let (n, n_right) =
            (embedder.n_tokens(Input::Query, text), case["ids"].as_array().unwrap().len());
        let near = cosine(&embedder.embed(Input::Query, text), &right);
        least = least.min(near);
        if near < 0.99 || n != n_right {
            wrong.push(format!("{text:?}: {near:.4}, {n} tokens, not {n_right}"));
        }
    }
    println!("{} texts: least {least:.4}", cases.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_default_model_says_the_same_from_safetensors() {
    let Some(path) = found::model(E5_FILE) else { return };
    let folder = tempfile::tempdir().unwrap();
    write_as_safetensors(&std::fs::read(&path).unwrap(), folder.path());
    let (mut four_bits, mut tensors) =
        (Embedder::open(&path).unwrap(), Embedder::open(folder.path()).unwrap());
    for case in cases().iter().step_by(5) {
        let kind = input(&case.input);
        assert_eq!(
            four_bits.n_tokens(kind, &case.text),
            tensors.n_tokens(kind, &case.text),
            "{:?}",
            case.text
        );
        let near = cosine(&four_bits.embed(kind, &case.text), &tensors.embed(kind, &case.text));
        assert!(near > 0.998, "{:?}: {near}", case.text);
    }
}

/// A second reader of the 4-bit file, so that ours is compared with something.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(n);
        self.0 = rest;
        taken
    }

    fn word(&mut self) -> usize {
        u32::from_le_bytes(self.take(4).try_into().unwrap()) as usize
    }

    fn long(&mut self) -> usize {
        u64::from_le_bytes(self.take(8).try_into().unwrap()) as usize
    }
}

fn write_as_safetensors(file: &[u8], folder: &std::path::Path) {
    let mut reader = Reader(&file[8..]);
    let measures: Vec<usize> = (0..9).map(|_| reader.word()).collect();
    let (hidden, inner, n_words, n_positions) =
        (measures[0], measures[3], measures[4], measures[5]);
    let n_pieces = reader.word();
    reader.take(16);
    let n_text = reader.long();
    let begins: Vec<usize> = (0..=n_pieces).map(|_| reader.word()).collect();
    let scores: Vec<f32> = (0..n_pieces).map(|_| f32::from_bits(reader.word() as u32)).collect();
    let text = reader.take(n_text);
    let (_, n_map) = (reader.word(), reader.word());
    let map = charsmap(reader.take(n_map));
    let piece = |at: usize| String::from_utf8(text[begins[at]..begins[at + 1]].to_vec()).unwrap();
    let vocabulary: Vec<_> = (0..n_pieces).map(|at| json!([piece(at), scores[at]])).collect();
    let tokenizer = json!({
        "model": { "type": "Unigram", "unk_id": 3, "vocab": vocabulary },
        "normalizer": { "type": "Sequence", "normalizers": [
            { "type": "Precompiled", "precompiled_charsmap": map }, { "type": "Replace" }
        ]},
    });
    std::fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();

    let (mut head, mut places, mut at) = (serde_json::Map::new(), Vec::new(), 0);
    for _ in 0..reader.word() {
        let n = u16::from_le_bytes(reader.take(2).try_into().unwrap());
        let name = std::str::from_utf8(reader.take(usize::from(n))).unwrap();
        let four_bits = reader.take(1)[0] == 1;
        let (n, offset, _bytes) = (reader.word(), reader.long(), reader.long());
        let columns = if name.ends_with("fo.w") { inner } else { hidden };
        let form = match name {
            "emb.word" => json!([n_words, hidden]),
            "emb.pos" => json!([n_positions, hidden]),
            "emb.type" => json!([n / hidden, hidden]),
            _ if four_bits => json!([n / columns, columns]),
            _ => json!([n]),
        };
        head.insert(
            name_elsewhere(name),
            json!({ "dtype": "F32", "shape": form, "data_offsets": [at, at + n * 4] }),
        );
        places.push((offset, n, four_bits));
        at += n * 4;
    }
    let head = Value::from(head).to_string();
    let mut out =
        std::io::BufWriter::new(std::fs::File::create(folder.join("model.safetensors")).unwrap());
    out.write_all(&(head.len() as u64).to_le_bytes()).unwrap();
    out.write_all(head.as_bytes()).unwrap();
    for (offset, n, four_bits) in places {
        if !four_bits {
            out.write_all(&file[offset..offset + n * 4]).unwrap();
            continue;
        }
        for block in file[offset..offset + n / 32 * 18].chunks_exact(18) {
            let scale = half(u16::from_le_bytes([block[0], block[1]]));
            let low = block[2..].iter().map(|byte| byte & 15);
            for level in low.chain(block[2..].iter().map(|byte| byte >> 4)) {
                out.write_all(&((f32::from(level) - 8.0) * scale).to_le_bytes()).unwrap();
            }
        }
    }
    out.flush().unwrap();
}

fn half(bits: u16) -> f32 {
    let (sign, exponent) = (if bits >> 15 == 1 { -1.0 } else { 1.0 }, i32::from(bits >> 10 & 31));
    let fraction = f32::from(bits & 0x3ff);
    sign * if exponent == 0 {
        fraction * 2_f32.powi(-24)
    } else {
        (1024.0 + fraction) * 2_f32.powi(exponent - 25)
    }
}

fn name_elsewhere(name: &str) -> String {
    let long = |short: &str| match short {
        "q" => "attention.self.query",
        "k" => "attention.self.key",
        "v" => "attention.self.value",
        "ao" => "attention.output.dense",
        "aln" => "attention.output.LayerNorm",
        "fi" => "intermediate.dense",
        "fo" => "output.dense",
        "oln" => "output.LayerNorm",
        other => panic!("{other}"),
    };
    match name.split('.').collect::<Vec<_>>()[..] {
        ["emb", "word"] => "embeddings.word_embeddings.weight".into(),
        ["emb", "pos"] => "embeddings.position_embeddings.weight".into(),
        ["emb", "type"] => "embeddings.token_type_embeddings.weight".into(),
        ["emb", "ln", "w"] => "embeddings.LayerNorm.weight".into(),
        ["emb", "ln", "b"] => "embeddings.LayerNorm.bias".into(),
        [layer, part, "w"] => format!("encoder.layer.{}.{}.weight", &layer[1..], long(part)),
        [layer, part, "b"] => format!("encoder.layer.{}.{}.bias", &layer[1..], long(part)),
        _ => panic!("{name}"),
    }
}

/// The file's map of single characters as SentencePiece would compile it: a double array, made here by trying places.
fn charsmap(map: &[u8]) -> String {
    use base64::Engine;
    use std::collections::BTreeMap;
    #[derive(Default)]
    struct Node {
        next: BTreeMap<u8, Node>,
        value: Option<u32>,
    }
    let (mut reader, mut texts, mut root) = (Reader(map), vec![0], Node::default());
    while !reader.0.is_empty() {
        let from = char::from_u32(reader.word() as u32).unwrap();
        let n = usize::from(reader.take(1)[0]);
        let to: String = (0..n).map(|_| char::from_u32(reader.word() as u32).unwrap()).collect();
        let mut node = &mut root;
        for byte in from.to_string().bytes() {
            node = node.next.entry(byte).or_default();
        }
        node.value = Some(texts.len() as u32);
        texts.extend_from_slice(to.as_bytes());
        texts.push(0);
    }
    let (mut units, mut used) = (vec![0_u32; 1 << 18], vec![false; 1 << 18]);
    // A label is all that is checked on the way, so that no two nodes may have one base.
    let mut bases = std::collections::HashSet::new();
    used[0] = true;
    let mut wait = vec![(0_usize, root)];
    while let Some((at, node)) = wait.pop() {
        // Children lie at `base ^ byte`, a value at `base` itself; a unit says how far its base is from itself.
        let wanted: Vec<u8> =
            node.value.iter().map(|_| 0).chain(node.next.keys().copied()).collect();
        let base = (1..1 << 10).map(|n| n << 8).chain(1..1 << 18).find(|base| {
            !bases.contains(base) && wanted.iter().all(|byte| !used[base ^ usize::from(*byte)])
        });
        let base = base.unwrap();
        bases.insert(base);
        let distance = (at ^ base) as u32;
        assert!(distance < 1 << 21);
        units[at] |= distance << 10 | u32::from(node.value.is_some()) << 8;
        for byte in &wanted {
            used[base ^ usize::from(*byte)] = true;
        }
        if let Some(value) = node.value {
            units[base] = value | 1 << 31;
        }
        for (byte, child) in node.next {
            units[base ^ usize::from(byte)] |= u32::from(byte);
            wait.push((base ^ usize::from(byte), child));
        }
    }
    let mut bytes = ((units.len() * 4) as u32).to_le_bytes().to_vec();
    units.iter().for_each(|unit| bytes.extend(unit.to_le_bytes()));
    bytes.extend(texts);
    base64::engine::general_purpose::STANDARD.encode(bytes)
}
