//! A little HTTP/1.1 server behind the gateway, which tells what it was asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::gateway::DEADLINE;

pub(crate) struct Backend {
    pub(crate) url: String,
    asked: Receiver<Asked>,
    go_on: Sender<()>,
}

/// A request as it came: its line, its headers in lower case and sorted, its body.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) headers: Vec<String>,
    pub(crate) body: String,
}

impl Backend {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (sender, asked) = channel();
        let (go_on, wait) = channel();
        let wait = Arc::new(Mutex::new(wait));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (sender, wait) = (sender.clone(), Arc::clone(&wait));
                thread::spawn(move || serve(&stream, &sender, &wait));
            }
        });
        Self { url, asked, go_on }
    }

    /// The next request.
    pub(crate) fn asked(&self) -> Asked {
        self.asked.recv_timeout(DEADLINE).expect("a request")
    }

    /// Answers a request for `/slow`.
    pub(crate) fn go_on(&self) {
        self.go_on.send(()).expect("it waits");
    }
}

fn serve(stream: &TcpStream, sender: &Sender<Asked>, wait: &Mutex<Receiver<()>>) -> Option<()> {
    let (mut reader, mut writer) = (BufReader::new(stream.try_clone().ok()?), stream);
    loop {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
            match line.trim_end() {
                "" => break,
                line => lines.push(line.to_owned()),
            }
        }
        let line = lines.remove(0);
        let mut headers: Vec<_> = lines
            .iter()
            .map(|line| line.split_once(':').map_or(line.clone(), |(name, value)| name.to_lowercase() + ":" + value))
            .collect();
        headers.sort();
        let body = body(&mut reader, &headers)?;
        let slow = line.contains(" /slow ");
        sender.send(Asked { line, headers, body }).ok()?;
        if slow {
            wait.lock().ok()?.recv().ok()?;
        }
        let hop = "Connection: x-private\r\nX-Private: 1\r\nKeep-Alive: timeout=5";
        writer
            .write_all(
                format!("HTTP/1.1 200 OK\r\nX-Answer: yes\r\n{hop}\r\nContent-Length: 5\r\n\r\nhello").as_bytes(),
            )
            .ok()?;
    }
}

/// As a server reads it that believes in chunks first.
fn body(reader: &mut BufReader<TcpStream>, headers: &[String]) -> Option<String> {
    let mut all = Vec::new();
    let mut take = |reader: &mut BufReader<TcpStream>, length: usize| {
        let mut part = vec![0; length];
        reader.read_exact(&mut part).ok()?;
        all.extend(part);
        Some(())
    };
    if headers.iter().any(|header| header.starts_with("transfer-encoding:")) {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).ok()?;
            let size = usize::from_str_radix(size.trim_end(), 16).ok()?;
            take(reader, size)?;
            reader.read_line(&mut String::new()).ok()?;
            if size == 0 {
                break;
            }
        }
    } else if let Some(length) = headers.iter().find_map(|header| header.strip_prefix("content-length: ")) {
        take(reader, length.parse().ok()?)?;
    }
    String::from_utf8(all).ok()
}
