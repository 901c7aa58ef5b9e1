//! Published test vectors: what `conformance/vectors/blob-v1.json` says is what this code does.
//!
//! With `STRONGROOM_WRITE_VECTORS=1` in the environment the test that compares writes the file
//! instead; `check.py --write` beside it then renews the part that was made outside. Every key in
//! the file is obviously artificial. The layout of header and context is repeated here because
//! the crate that owns it can't be imported.

use std::path::PathBuf;
use std::{env, fs};

use serde_json::{Map, Value, json};

use crate::envelope::Salt;
use crate::key_file::{self, KeyFileKind};
use crate::memory::Locked;
use crate::{DomainKey, Error, RootKey, SymmetricKey};

const HEADER: usize = 58;

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../conformance/vectors/blob-v1.json")
}

fn committed() -> Value {
    let text = fs::read_to_string(path()).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.as_bytes().chunks(2);
    digits.map(|two| u8::from_str_radix(str::from_utf8(two).unwrap(), 16).unwrap()).collect()
}

/// The text at `name` of a vector.
fn text<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().unwrap_or_else(|| panic!("{name} is missing in {vector}"))
}

fn bytes(vector: &Value, name: &str) -> Vec<u8> {
    unhex(text(vector, name))
}

fn locked(bytes: &[u8]) -> Locked {
    Locked::filled::<Error>(bytes.len(), |slot| {
        slot.copy_from_slice(bytes);
        Ok(())
    })
    .unwrap()
}

fn material(vector: &Value) -> SymmetricKey {
    SymmetricKey::from_locked(locked(&bytes(vector, "material")))
}

fn domain_key(vector: &Value) -> DomainKey {
    DomainKey::from_locked(locked(&bytes(vector, "domain_key")))
}

fn root_key(vector: &Value) -> RootKey {
    RootKey::from_locked(locked(&bytes(vector, "root_key")))
}

fn salt(vector: &Value) -> Salt {
    let (nonce, iv) = (bytes(vector, "nonce"), bytes(vector, "iv"));
    Salt::fixed(nonce.try_into().unwrap(), iv.try_into().unwrap())
}

/// Kind, account and id of the key: the header's bytes 1 to 26, to which material is named.
fn key_identity(vector: &Value) -> Vec<u8> {
    let account: u64 = text(vector, "account").parse().unwrap();
    let key_id = text(vector, "key_id");
    let (kind, digits) = key_id.strip_prefix("mrk-").map_or((0, key_id), |digits| (1, digits));
    [&[kind], &account.to_be_bytes()[..], &unhex(&digits.replace('-', ""))].concat()
}

fn header(vector: &Value) -> Vec<u8> {
    let identity = key_identity(vector);
    let material_id = material(vector).material_id(&identity).unwrap();
    let header = [&[1], &identity[..], &material_id].concat();
    assert_eq!(header.len(), HEADER);
    header
}

/// The canonical form of the encryption context.
fn context(vector: &Value) -> Vec<u8> {
    let mut pairs: Vec<_> = vector["context"].as_object().unwrap().iter().collect();
    pairs.sort_by_key(|(key, _)| key.as_bytes());
    let length = |len: usize| u32::try_from(len).unwrap().to_be_bytes();
    let mut canonical = length(pairs.len()).to_vec();
    for (key, value) in pairs {
        for part in [key.as_str(), value.as_str().unwrap()] {
            canonical.extend(length(part.len()));
            canonical.extend(part.as_bytes());
        }
    }
    canonical
}

fn domain_binding(vector: &Value) -> Vec<u8> {
    [text(vector, "region"), &vector["version"].to_string()].join("\0").into_bytes()
}

fn material_binding(vector: &Value) -> Vec<u8> {
    let parts = [text(vector, "key_arn"), text(vector, "material_id"), text(vector, "key_spec")];
    parts.join("\0").into_bytes()
}

/// The vector with its outputs filled in from its inputs.
fn with(mut vector: Value, outputs: &[(&str, &[u8])]) -> Value {
    for (name, output) in outputs {
        vector[*name] = hex(output).into();
    }
    vector
}

fn blob(vector: Value) -> Value {
    let (header, context) = (header(&vector), context(&vector));
    let mut blob = header.clone();
    material(&vector)
        .seal_with(&salt(&vector), &header, &context, &bytes(&vector, "plaintext"), &mut blob)
        .unwrap();
    let material_id = &header[26..];
    with(vector, &[("blob", &blob), ("context_bytes", &context), ("material_id", material_id)])
}

fn material_id(vector: Value) -> Value {
    let id = material(&vector).material_id(&key_identity(&vector)).unwrap();
    with(vector, &[("material_id", &id)])
}

fn domain_key_wrap(vector: Value) -> Value {
    let binding = domain_binding(&vector);
    let wrapped = root_key(&vector)
        .wrap_domain_key_with(&salt(&vector), &domain_key(&vector), &binding)
        .unwrap();
    with(vector, &[("binding", &binding), ("wrapped", &wrapped)])
}

fn material_wrap(vector: Value) -> Value {
    let binding = material_binding(&vector);
    let wrapped = domain_key(&vector)
        .wrap_symmetric_with(&salt(&vector), &material(&vector), &binding)
        .unwrap();
    with(vector, &[("binding", &binding), ("wrapped", &wrapped)])
}

fn root_key_file(vector: Value) -> Value {
    let file = key_file::encode(KeyFileKind::RootKey, root_key(&vector).locked()).unwrap();
    with(vector, &[("file", file.expose())])
}

type Fill = fn(Value) -> Value;

/// The lists of the file, and what fills in the outputs of each.
const LISTS: [(&str, Fill); 5] = [
    ("blobs", blob),
    ("material_ids", material_id),
    ("domain_key_wraps", domain_key_wrap),
    ("material_wraps", material_wrap),
    ("root_key_files", root_key_file),
];

/// Counting bytes from `first`, so that nobody takes them for a real key.
fn counting(first: u8, len: u8) -> String {
    hex(&(first..first + len).collect::<Vec<_>>())
}

const UUID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";
const MULTI_REGION: &str = "mrk-1234abcd12ab34cd56ef1234567890ab";

fn blob_input(name: &str, key_id: &str, context: &Value, plaintext: &[u8]) -> Value {
    json!({
        "name": name,
        "material": counting(0, 32),
        "account": "111122223333",
        "key_id": key_id,
        "nonce": counting(0x40, 16),
        "iv": counting(0x50, 12),
        "context": context,
        "plaintext": hex(plaintext),
    })
}

fn blob_inputs() -> Value {
    let mut other_salt = blob_input("another nonce and IV", UUID, &json!({}), b"plaintext");
    other_salt["nonce"] = counting(0x80, 16).into();
    other_salt["iv"] = counting(0x90, 12).into();
    let mut other_account = blob_input("a small account", UUID, &json!({}), b"plaintext");
    other_account["account"] = "000000000000".into();
    json!([
        blob_input("no context", UUID, &json!({}), b"plaintext"),
        blob_input("one byte", UUID, &json!({}), b"p"),
        blob_input("a multi-Region key", MULTI_REGION, &json!({}), b"plaintext"),
        blob_input("context a, bc", UUID, &json!({"a": "bc"}), b"plaintext"),
        blob_input("context ab, c", UUID, &json!({"ab": "c"}), b"plaintext"),
        blob_input("an empty value", UUID, &json!({"a": ""}), b"plaintext"),
        blob_input(
            "pairs sort by the bytes of the key",
            UUID,
            &json!({"b": "1", "a": "2", "B": "3", "aa": "4", "\u{e4}": "5"}),
            b"plaintext",
        ),
        blob_input(
            "characters outside ASCII and outside the basic plane",
            UUID,
            &json!({"\u{ff5e}": "wide", "\u{1f511}": "key", "gr\u{fc}n": "\u{20ac}"}),
            "\u{1f511} plaintext".as_bytes(),
        ),
        blob_input("several blocks", UUID, &json!({"tenant": "7"}), &[0xAA; 100]),
        other_salt,
        other_account,
    ])
}

fn inputs() -> Value {
    let wrap = |name: &str, region: &str, version: u32| {
        json!({
            "name": name, "root_key": counting(0x20, 32), "domain_key": counting(0x60, 32),
            "region": region, "version": version,
            "nonce": counting(0xA0, 16), "iv": counting(0xB0, 12),
        })
    };
    let id = |account: &str, key_id: &str| {
        let material = counting(0, 32);
        json!({ "material": material, "account": account, "key_id": key_id })
    };
    json!({
        "about": "Test vectors of ciphertext blob version 1 and of wrapped keys. Bytes are in \
                  hex. docs/internals/blob-format.md and key-hierarchy.md describe the forms.",
        "blobs": blob_inputs(),
        "material_ids": [
            id("111122223333", UUID),
            id("444455556666", UUID),
            id("111122223333", MULTI_REGION),
        ],
        "domain_key_wraps": [
            wrap("the first domain key of a Region", "eu-central-1", 1),
            wrap("a later one", "us-gov-west-1", 12),
        ],
        "material_wraps": [{
            "name": "symmetric key material",
            "domain_key": counting(0x60, 32),
            "material": counting(0, 32),
            "key_arn": format!("arn:aws:kms:eu-central-1:111122223333:key/{UUID}"),
            "material_id": hex(&material(&id("111122223333", UUID))
                .material_id(&key_identity(&id("111122223333", UUID)))
                .unwrap()),
            "key_spec": "SYMMETRIC_DEFAULT",
            "nonce": counting(0xC0, 16),
            "iv": counting(0xD0, 12),
        }],
        "root_key_files": [{ "root_key": counting(0x20, 32) }],
    })
}

/// Values that differ from a blob that opens in one way each, and must not open.
fn refused(blobs: &[Value]) -> Value {
    let (base, a_bc) = (&blobs[0], &blobs[3]);
    let vector = |name: &str, context: &Value, blob: &[u8]| {
        json!({
            "name": name, "material": base["material"], "context": context, "blob": hex(blob),
        })
    };
    let good = bytes(base, "blob");
    let altered = |name: &str, position: usize| {
        let mut blob = good.clone();
        blob[position] ^= 1;
        vector(name, &json!({}), &blob)
    };
    json!([
        vector("another split of the same letters", &json!({"ab": "c"}), &bytes(a_bc, "blob")),
        vector("a context where none was", &json!({"a": "bc"}), &good),
        vector("no context where one was", &json!({}), &bytes(a_bc, "blob")),
        altered("another key kind", 1),
        altered("another account", 9),
        altered("another key id", 10),
        altered("another material id", 57),
        altered("another nonce", 58),
        altered("another IV", 85),
        altered("another ciphertext", 86),
        altered("another tag", good.len() - 1),
        vector("the last byte cut", &json!({}), &good[..good.len() - 1]),
        vector("a byte too many", &json!({}), &[&good[..], &[0]].concat()),
        vector("nothing after the header", &json!({}), &good[..HEADER]),
    ])
}

fn filled(inputs: &Value) -> Map<String, Value> {
    let mut lists = Map::new();
    for (name, fill) in LISTS {
        let vectors = inputs[name].as_array().unwrap();
        assert!(!vectors.is_empty(), "{name} is empty");
        lists.insert(name.to_owned(), vectors.iter().cloned().map(fill).collect());
    }
    lists
}

#[test]
fn the_published_vectors_are_what_this_code_gives() {
    let inputs = inputs();
    let mut expected = filled(&inputs);
    let refused = refused(expected["blobs"].as_array().unwrap());
    expected.insert("refused_blobs".to_owned(), refused);
    expected.insert("about".to_owned(), inputs["about"].clone());
    let writing = env::var_os("STRONGROOM_WRITE_VECTORS").is_some();
    let made_outside =
        if writing && !path().exists() { Value::Null } else { committed()["made_outside"].clone() };
    expected.insert("made_outside".to_owned(), made_outside);
    let expected = Value::Object(expected);
    if writing {
        let text = serde_json::to_string_pretty(&expected).unwrap() + "\n";
        fs::create_dir_all(path().parent().unwrap()).unwrap();
        // The other tests read the file meanwhile, so it must be whole at every moment.
        let new = path().with_extension("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, path()).unwrap();
    }
    assert_eq!(committed(), expected);
}

#[test]
fn what_was_made_outside_is_made_alike_here() {
    let made_outside = &committed()["made_outside"];
    assert_eq!(&Value::Object(filled(made_outside)), made_outside);
}

#[test]
fn published_blobs_open_and_altered_ones_do_not() {
    let vectors = committed();
    let open = |vector: &Value| {
        let blob = bytes(vector, "blob");
        let (header, sealed) = blob.split_at(HEADER);
        material(vector).open(header, &context(vector), sealed)
    };
    let list = |list: &Value| list.as_array().unwrap().clone();
    for vector in [list(&vectors["blobs"]), list(&vectors["made_outside"]["blobs"])].concat() {
        let opened = open(&vector).unwrap_or_else(|_| panic!("{} does not open", vector["name"]));
        assert_eq!(*opened, bytes(&vector, "plaintext"), "{}", vector["name"]);
    }
    let refused = list(&vectors["refused_blobs"]);
    assert!(refused.len() >= 14);
    for vector in refused {
        assert!(open(&vector).is_err(), "{} opens", vector["name"]);
    }
}

#[test]
fn published_wrapped_keys_and_files_open() {
    let vectors = committed();
    for lists in [&vectors, &vectors["made_outside"]] {
        for vector in lists["domain_key_wraps"].as_array().unwrap() {
            let (root, wrapped) = (root_key(vector), bytes(vector, "wrapped"));
            let opened = root.unwrap_domain_key(&wrapped, &domain_binding(vector)).unwrap();
            assert_eq!(hex(opened.locked().expose()), vector["domain_key"]);
        }
        for vector in lists["material_wraps"].as_array().unwrap() {
            let (domain, wrapped) = (domain_key(vector), bytes(vector, "wrapped"));
            let opened = domain.unwrap_symmetric(&wrapped, &material_binding(vector)).unwrap();
            assert_eq!(hex(opened.locked().expose()), vector["material"]);
        }
        for vector in lists["root_key_files"].as_array().unwrap() {
            let file = locked(&bytes(vector, "file"));
            let opened = key_file::decode(KeyFileKind::RootKey, &file).unwrap();
            assert_eq!(hex(opened.expose()), vector["root_key"]);
        }
    }
}
