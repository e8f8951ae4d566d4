//! moto's AWS behind botocore's own check of signatures (`tests/counterparts/clients/aws_server.py`).

use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use super::counterpart::need;

/// A running moto; stopped when dropped.
pub(crate) struct Moto {
    _process: Child,
    /// Its address.
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Value>>>,
}

impl Moto {
    /// Starts it with these secrets (name → text, or `{"binary": base64}`) and keys (id → key).
    /// `None` where this machine cannot.
    pub(crate) async fn start(test: &str, holds: &Value) -> Option<Self> {
        let python = need(test, "venv/bin/python")?;
        let script =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/counterparts/clients/aws_server.py");
        let mut process = Command::new(python)
            .arg(script)
            .arg(holds.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("python starts");
        let mut lines = BufReader::new(process.stdout.take().expect("a pipe")).lines();
        let url = lines.next_line().await.expect("readable").expect("its address");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let notes = asked.clone();
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                let note = serde_json::from_str(&line).expect("a note");
                notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
            }
        });
        Some(Self { _process: process, url, asked })
    }

    /// Every request so far: path, query, what was asked for.
    pub(crate) fn asked(&self) -> Vec<Value> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
