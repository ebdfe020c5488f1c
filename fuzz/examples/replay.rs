//! Does every seed and every input that was found keep the laws, and how long does the worst of them take?
//!
//! `cargo run --release --manifest-path fuzz/Cargo.toml --example replay [-- TARGET …]`. The time law: no input of 64 KiB costs
//! a program that uses the crate more than 10 ms, not counted what other libraries do before it. Asked of the seeds and the
//! corpora, as they are and blown up to 64 KiB, and of hostile inputs that are made here. An input counts with the fastest of its runs, because others use the machine too.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use certmap_fuzz::{TARGETS, der};

const BYTES: usize = 64 * 1024;
const LIMIT: Duration = Duration::from_millis(10);
/// An input that took longer is run again before it counts.
const AGAIN: usize = 20;

fn main() -> ExitCode {
    let wanted: Vec<String> = env::args().skip(1).collect();
    let mut slow = 0;
    for target in TARGETS.iter().filter(|target| wanted.is_empty() || wanted.iter().any(|name| name == target.name)) {
        let inputs = inputs(target.name);
        inputs.iter().for_each(|(_, input)| (target.law)(input));
        let Some(work) = target.work else {
            println!("{:<14} {:>6} inputs keep the laws", target.name, inputs.len());
            continue;
        };
        let mut worst = (Duration::ZERO, String::new());
        let (mut timed, mut beyond) = (0, 0);
        let mut take = |name: &str, input: &[u8]| {
            timed += 1;
            let mut time = fastest(work, input, LIMIT);
            if let Some(foreign) = target.foreign.filter(|_| time > LIMIT) {
                time = time.saturating_sub(fastest(foreign, input, Duration::ZERO));
                beyond += 1;
            }
            if time > LIMIT {
                slow += 1;
                println!("{}: {time:?} for {name}", target.name);
                fs::write(env::temp_dir().join(format!("slow-{}-{slow}", target.name)), input).expect("a file");
            }
            if time > worst.0 {
                worst = (time, name.to_owned());
            }
        };
        for (name, input) in &inputs {
            let input = &input[..input.len().min(BYTES)];
            take(name, input);
            for (how, blown) in blown_up(input) {
                take(&format!("{name}, {how}"), &blown);
            }
        }
        hostile().iter().for_each(|(name, input)| take(name, input));
        let (time, name) = worst;
        println!(
            "{:<14} {:>6} inputs keep the laws; worst of {timed} timed: {time:?} ({name})",
            target.name,
            inputs.len()
        );
        if beyond > 0 {
            println!(
                "{:<14} {beyond} of them over {LIMIT:?} with what the libraries of a program do, which was taken off",
                ""
            );
        }
    }
    println!("{slow} inputs of at most 64 KiB over {LIMIT:?}");
    if slow == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Seeds, corpus and findings of a target, by file.
fn inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut inputs = Vec::new();
    for folder in ["seeds", "corpus", "artifacts"] {
        let Ok(files) = fs::read_dir(fuzz.join(folder).join(target)) else { continue };
        let mut files: Vec<PathBuf> = files.map(|file| file.expect("a folder that can be read").path()).collect();
        files.sort();
        for file in files {
            let name = format!("{folder}/{}", file.file_name().unwrap_or_default().to_string_lossy());
            inputs.push((name, fs::read(file).expect("a file that can be read")));
        }
    }
    inputs
}

/// Of some runs, none of which is made when one was quick enough.
fn fastest(work: fn(&[u8]), input: &[u8], enough: Duration) -> Duration {
    let mut fastest = Duration::MAX;
    for _ in 0..AGAIN {
        let start = Instant::now();
        work(input);
        fastest = fastest.min(start.elapsed());
        if fastest < enough {
            break;
        }
    }
    fastest
}

/// The same in 64 KiB: over and over, with its last octet, and with its second half over and over.
fn blown_up(input: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let Some(last) = input.last() else { return Vec::new() };
    let over = |part: &[u8]| part.iter().copied().cycle().take(BYTES).collect::<Vec<_>>();
    let padded: Vec<u8> = input.iter().copied().chain(std::iter::repeat(*last)).take(BYTES).collect();
    let (head, tail) = input.split_at(input.len() / 2);
    let half: Vec<u8> = head.iter().chain(tail.iter().cycle()).copied().take(BYTES).collect();
    vec![("over and over", over(input)), ("padded", padded), ("its half over and over", half)]
}

/// Made to be slow.
fn hostile() -> Vec<(String, Vec<u8>)> {
    const PIECES: [&str; 42] = [
        "\0",
        "\u{ff}",
        "0",
        "1",
        "-",
        ",",
        "+",
        "=",
        "\\",
        "a",
        "\"",
        "(",
        "\n",
        " ",
        "[",
        "{",
        "]",
        "}",
        "CN=a,",
        "CN=a+",
        "CN=\\41",
        "1.2.3=#0c0161,",
        "\\E2\\80\\AE",
        "-----BEGIN CERTIFICATE-----\n",
        "-----END CERTIFICATE-----\n",
        "-----BEGIN ",
        "-----END ",
        "-----",
        "MIIBszCCAVmgAwIBAgIBATAKBggqhkjOPQQDAjAAMB4XDTI2\n",
        "-begin -end ",
        "not ",
        "all(",
        "any(",
        "all(dns,",
        "dns,",
        "\\\"",
        "[[mappings]]\nmatch = \"a\"\n",
        "[[hosts]]\n",
        "a.",
        "a = [",
        "x: y\n",
        "under sha256:",
    ];
    let over = |piece: &[u8]| piece.iter().copied().cycle().take(BYTES).collect::<Vec<_>>();
    let mut hostile: Vec<(String, Vec<u8>)> =
        PIECES.iter().map(|piece| (format!("{piece:?} over and over"), over(piece.as_bytes()))).collect();
    for first in ["version = 1\n", "{\"version\":1,", "under sha256:", "\"", "CN=", "certmap "] {
        for piece in PIECES {
            let input = first.bytes().chain(over(piece.as_bytes())).take(BYTES).collect();
            hostile.push((format!("{first:?} and {piece:?} over and over"), input));
        }
    }
    let text = |name: &str, text: String| (name.to_owned(), text.into_bytes());
    let many = |count: usize, item: &dyn Fn(usize) -> String| (0..count).map(item).collect::<String>();
    let sha = format!("sha256:{:064x}", 7);
    hostile.extend([
        text(
            "1,000 mappings",
            format!(
                "version = 1\n{}",
                many(1000, &|n| format!("[[mappings]]\nmatch=\"sha256:{n:064x}\"\nuser=\"a\"\n"))
            ),
        ),
        text("1,000 users alike", format!("version = 1\n{}", many(2000, &|n| format!("[[users]]\nname=\"a{n}\"\n")))),
        text("the same user", format!("version = 1\n{}", many(2500, &|_| "[[users]]\nname=\"a\"\n".to_owned()))),
        text(
            "aliases that are nearly there",
            format!(
                "version = 1\n{}",
                many(1200, &|n| format!("[[mappings]]\nmatch=\"@alias{n}\"\nuser=\"alias{n}\"\n"))
            ),
        ),
        text(
            "hosts",
            format!("version = 1\n{}", many(1200, &|n| format!("[[hosts]]\nid=\"a{n}\"\nbundle=\"b{n}\"\n"))),
        ),
        text(
            "bundles",
            format!(
                "version = 1\n{}",
                many(1200, &|n| format!("[[bundles]]\nname=\"a{n}\"\n[[hosts]]\nid=\"a{n}\"\nbundle=\"b{n}\"\n"))
            ),
        ),
        text(
            "assignments",
            format!("version = 1\n{}", many(1200, &|n| format!("[[assignments]]\nrole=\"a/b{n}\"\nuser=\"u{n}\"\n"))),
        ),
        text("a rule of many tests", format!("under {sha} any({}dns)", "dns \"a\",".repeat(7000))),
        text("a list of users", format!("dns among ({}\"z\")", many(7000, &|n| format!("\"{n}\", ")))),
        text("128 attributes", many(128, &|n| format!("CN={},", "\\,".repeat(n)))),
    ]);
    // DER: one in the other, as many as there are, and one beside the other.
    for tag in [0x30, 0x31, 0xa0, 0x24] {
        let mut nested = vec![5, 0];
        while nested.len() < BYTES - 8 {
            nested = der::element(tag, &nested);
        }
        hostile.push((format!("{tag:02x} in {tag:02x}"), nested.clone()));
        hostile.push((format!("\\1 and {tag:02x} in {tag:02x}"), [&[1], &nested[..]].concat()));
        hostile.push((format!("{tag:02x} 80 over and over"), over(&[tag, 0x80])));
        let flat = der::element(0x30, &over(&[tag, 0])[..BYTES - 8]);
        hostile.push((format!("many empty {tag:02x}"), flat));
    }
    for name in [&[0x82, 1, b'a'][..], &[0x82, 0], &[0x88, 1, 0x2a], &[0xa4, 2, 0x30, 0], &[0x87, 4, 1, 2, 3, 4]] {
        hostile.push((format!("names {name:02x?}"), [&[1], &over(name)[..BYTES - 1]].concat()));
        // As many as there may be in what may be so large.
        let content: Vec<u8> = name.iter().copied().cycle().take(name.len() * 256).collect();
        hostile.push((format!("256 names {name:02x?}"), [&[1], &content[..]].concat()));
    }
    let attribute = der::element(0x31, &der::sequence(&[&[6, 3, 0x55, 4, 3], &der::element(12, &[b','; 100])]));
    hostile.push(("a name of 128 RDNs".to_owned(), der::element(0x30, &attribute.repeat(128))));
    let same = der::sequence(&[&[6, 3, 0x55, 4, 3], &der::element(12, b"a")]);
    hostile.push(("an RDN of 128".to_owned(), der::sequence(&[&der::element(0x31, &same.repeat(128))])));
    let deep = der::element(6, &over(&[0x81])[..60]);
    hostile.push(("arcs".to_owned(), der::sequence(&[&der::element(0x31, &der::sequence(&[&deep, &[12, 0]]))])));
    // Chains: eight of the largest that are no certificates, and what is known in each order.
    let garbage = [&[0x80, 0x1f, 0xff], &over(&[0x30, 0x82, 0x10, 0])[..0x1fff]].concat();
    hostile.push(("eight large ones".to_owned(), [&[0, 0, 9], &garbage.repeat(8)[..]].concat()));
    for first in 0..24 {
        for second in 0..24 {
            hostile.push((
                format!("chain {first} {second}"),
                [&[0, 0, 9, first], &[second, 23, 15, 4, 3, 12, 15][..]].concat(),
            ));
        }
    }
    // Records of TLS: each as long as it may be, and as many as there are room for.
    for kind in [20, 21, 22, 23] {
        hostile.push((format!("records {kind}"), [&[0, 255, 0], &over(&[kind, 3, 3, 0, 1, 1])[..]].concat()));
        let long = [&[kind, 3, 3, 0x40, 0], &over(&[1, 0, 0x3f, 0xf0])[..0x4000]].concat();
        hostile.push((format!("long records {kind}"), long.repeat(4)));
    }
    for version in 0..2 {
        let hello = certmap_fuzz::first_message(version);
        hostile.push((format!("first messages {version}"), over(&hello)));
    }
    for (_, input) in &mut hostile {
        input.truncate(BYTES);
    }

    hostile
}
