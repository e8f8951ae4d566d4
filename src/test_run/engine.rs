//! The Docker Engine, over its socket. <https://docs.docker.com/reference/api/engine/>

use std::path::{Path, PathBuf};

use bytes::Bytes;
use futures_util::{Stream, TryStreamExt as _};
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;

use super::TestRunError;
use crate::context::Environment;

/// Where Docker listens when nobody says otherwise.
const SOCKET: &str = "/var/run/docker.sock";

/// A client of one engine.
pub(super) struct Engine {
    client: reqwest::Client,
    socket: PathBuf,
}

impl Engine {
    /// The engine at `DOCKER_HOST`, else at the usual socket.
    pub(super) fn find(env: &Environment) -> Result<Self, TestRunError> {
        let socket = match env.get("DOCKER_HOST") {
            None => Path::new(SOCKET),
            Some(host) => match host.strip_prefix("unix://") {
                Some(path) => Path::new(path),
                None => return Err(TestRunError::NoSocket(host.to_owned())),
            },
        };
        let client =
            crate::http::over_socket(socket).map_err(|error| TestRunError::answer(&error))?;
        Ok(Self { client, socket: socket.to_owned() })
    }

    /// What the engine knows of a container; `None` if it does not know it.
    pub(super) async fn container(&self, id: &str) -> Result<Option<Value>, TestRunError> {
        match self.ask(Method::GET, &format!("/containers/{id}/json"), None).await {
            Ok(answer) => json(answer).await.map(Some),
            Err(TestRunError::Engine { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Makes a container of that name; `false` when its image is not on this machine.
    pub(super) async fn create(&self, name: &str, container: &Value) -> Result<bool, TestRunError> {
        let path = format!("/containers/create?name={name}");
        match self.ask(Method::POST, &path, Some(container)).await {
            Ok(_) => Ok(true),
            Err(TestRunError::Engine { status: 404, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Gets an image from its registry.
    pub(super) async fn pull(&self, image: &str) -> Result<(), TestRunError> {
        let refused = |message: String| TestRunError::Image { image: image.to_owned(), message };
        let (name, tag) = name_and_tag(image);
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("fromImage", name)
            .append_pair("tag", tag)
            .finish();
        let answer = match self.ask(Method::POST, &format!("/images/create?{query}"), None).await {
            Err(TestRunError::Engine { message, .. }) => return Err(refused(message)),
            answer => answer?,
        };
        // A line of JSON for each step; one that fails comes after the 200.
        let text = answer.text().await.map_err(|error| TestRunError::answer(&error))?;
        let steps = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let failed =
            steps.filter_map(|step| step.get("error")?.as_str().map(str::to_owned)).next_back();
        failed.map_or(Ok(()), |message| Err(refused(message)))
    }

    pub(super) async fn start(&self, id: &str) -> Result<(), TestRunError> {
        self.ask(Method::POST, &format!("/containers/{id}/start"), None).await.map(drop)
    }

    /// The output of a container from its start to its end, as frames.
    pub(super) async fn output(
        &self,
        id: &str,
    ) -> Result<impl Stream<Item = Result<Bytes, TestRunError>> + use<>, TestRunError> {
        let path = format!("/containers/{id}/logs?follow=true&stdout=true&stderr=true");
        let answer = self.ask(Method::GET, &path, None).await?;
        Ok(answer.bytes_stream().map_err(|error| TestRunError::answer(&error)))
    }

    /// Waits for a container's end; its exit code.
    pub(super) async fn wait(&self, id: &str) -> Result<i32, TestRunError> {
        let answer = self.ask(Method::POST, &format!("/containers/{id}/wait"), None).await?;
        let code = json(answer).await?.get("StatusCode").and_then(Value::as_i64);
        code.and_then(|code| i32::try_from(code).ok())
            .ok_or_else(|| TestRunError::Answer("no `StatusCode` of the container".into()))
    }

    /// Ends a container, if it still runs, and removes it with its volumes; one that was never made
    /// is gone already.
    pub(super) async fn remove(&self, id: &str) -> Result<(), TestRunError> {
        let path = format!("/containers/{id}?force=true&v=true");
        match self.ask(Method::DELETE, &path, None).await {
            Ok(_) | Err(TestRunError::Engine { status: 404, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Without a version in the path, an engine speaks its newest.
    async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response, TestRunError> {
        let mut request = self.client.request(method.clone(), format!("http://docker{path}"));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(|error| {
            let (error, socket) = (error.without_url(), self.socket.clone());
            TestRunError::NoEngine { socket, source: error }
        })?;
        // 304: the container runs already, or has ended already.
        if answer.status().is_success() || answer.status() == StatusCode::NOT_MODIFIED {
            return Ok(answer);
        }
        let status = answer.status().as_u16();
        let said = answer.text().await.unwrap_or_default();
        let message = serde_json::from_str::<Value>(&said)
            .ok()
            .and_then(|said| said.get("message")?.as_str().map(str::to_owned))
            .unwrap_or(said);
        let path = path.split('?').next().unwrap_or(path);
        Err(TestRunError::Engine { status, asked: format!("{method} {path}"), message })
    }
}

async fn json(answer: Response) -> Result<Value, TestRunError> {
    answer.json().await.map_err(|error| TestRunError::answer(&error))
}

/// An image's name and its tag or digest: without either, the engine would get every tag there is.
fn name_and_tag(image: &str) -> (&str, &str) {
    if let Some((name, digest)) = image.split_once('@') {
        // A tag beside a digest says nothing more.
        return (without_tag(name), digest);
    }
    let name = without_tag(image);
    let tag = image[name.len()..].trim_start_matches(':');
    (name, if tag.is_empty() { "latest" } else { tag })
}

/// A colon before the last slash belongs to the registry's port.
fn without_tag(image: &str) -> &str {
    let last = image.rfind('/').map_or(0, |slash| slash + 1);
    image[last..].find(':').map_or(image, |colon| &image[..last + colon])
}

/// Takes the frames of a container's output apart: 8 bytes of header, the last four of them the
/// length, then the bytes of one write.
#[derive(Default)]
pub(super) struct Frames {
    header: Vec<u8>,
    left: usize,
}

impl Frames {
    /// The bytes of `received` that the container wrote.
    pub(super) fn contents<'b>(&mut self, received: &'b [u8]) -> Vec<&'b [u8]> {
        let mut contents = Vec::new();
        let mut rest = received;
        while !rest.is_empty() {
            if self.left == 0 {
                let missing = (8 - self.header.len()).min(rest.len());
                let (now, later) = rest.split_at(missing);
                self.header.extend_from_slice(now);
                rest = later;
                if let [_, _, _, _, length @ ..] = self.header.as_slice()
                    && let Ok(length) = <[u8; 4]>::try_from(length)
                {
                    self.left = u32::from_be_bytes(length) as usize;
                    self.header.clear();
                }
            } else {
                let (now, later) = rest.split_at(self.left.min(rest.len()));
                self.left -= now.len();
                rest = later;
                contents.push(now);
            }
        }
        contents
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_asked_for_by_one_tag_or_digest() {
        for (image, expected) in [
            ("python", ("python", "latest")),
            ("python:3.12", ("python", "3.12")),
            ("localhost:5000/a/b", ("localhost:5000/a/b", "latest")),
            ("localhost:5000/a/b:1", ("localhost:5000/a/b", "1")),
            ("a/b:1@sha256:00", ("a/b", "sha256:00")),
        ] {
            assert_eq!(name_and_tag(image), expected, "{image}");
        }
    }

    #[test]
    fn frames_may_be_cut_anywhere() {
        let whole = b"\x01\0\0\0\0\0\0\x03one\x02\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\x03two";
        for cut in 0..=whole.len() {
            let mut frames = Frames::default();
            let (first, second) = whole.split_at(cut);
            let mut contents = frames.contents(first).concat();
            contents.extend(frames.contents(second).concat());
            assert_eq!(contents, b"onetwo", "cut at {cut}");
        }
    }
}
