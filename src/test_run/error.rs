//! Why a test command could not be run.

use std::path::PathBuf;

use crate::failure::Advise;

/// A command that could not be run, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum TestRunError {
    /// The shell did not start.
    #[error("`sh` cannot be started in {folder}: {error}")]
    Shell {
        /// Where.
        folder: PathBuf,
        /// The system's reason.
        error: std::io::Error,
    },
    /// Its output could not be read, or its end not be waited for.
    #[error("the command cannot be followed: {0}")]
    Followed(std::io::Error),
    /// `DOCKER_HOST` is no socket of this machine.
    #[error("`DOCKER_HOST` is `{0}`, not a socket of this machine")]
    NoSocket(String),
    /// Nobody answers.
    #[error("no Docker engine answers at {socket}")]
    NoEngine {
        /// The socket.
        socket: PathBuf,
        /// Why.
        source: reqwest::Error,
    },
    /// The connection broke, or what came is not understood.
    #[error("the Docker engine's answer cannot be read: {0}")]
    Answer(String),
    /// The engine refused.
    #[error("the Docker engine answers {status} to {asked}: {message}")]
    Engine {
        /// HTTP status.
        status: u16,
        /// Method and path.
        asked: String,
        /// The engine's own words.
        message: String,
    },
    /// The image cannot be had.
    #[error("the image `{image}` cannot be had: {message}")]
    Image {
        /// As the policy names it.
        image: String,
        /// The engine's own words.
        message: String,
    },
    /// The engine takes text.
    #[error("{} is not UTF-8, as a Docker engine wants its paths", .0.display())]
    Name(PathBuf),
    /// We are in a container, and the engine does not see what we see.
    #[error("{0} is not on a mount of this container, so no other container can be given it")]
    NotMounted(PathBuf),
    /// Ctrl-C, or the runner cancelled the job.
    #[error("stopped while the tests ran; they were ended")]
    Interrupted,
}

impl TestRunError {
    pub(super) fn answer(error: &dyn std::error::Error) -> Self {
        let mut text = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            text.push_str(&format!(": {cause}"));
            source = cause.source();
        }
        Self::Answer(text)
    }
}

impl Advise for TestRunError {
    fn fix(&self) -> Option<String> {
        let fix = match self {
            Self::Shell { .. } => {
                "name an image that holds what the tests need (`gates: {tests: {image: \
                 python:3.12-slim}}`), or run the tests in a step before this one and remove \
                 `gates.tests.run`"
            }
            Self::NoSocket(_) => {
                "set DOCKER_HOST=unix:///var/run/docker.sock, or remove `gates.tests.image`"
            }
            Self::NoEngine { .. } => {
                "start Docker and mount its socket (GitHub's Linux runners do both; elsewhere: \
                 `docker run -v /var/run/docker.sock:/var/run/docker.sock …`), or run the tests in \
                 a step before this one and remove `gates.tests.run`"
            }
            Self::Image { .. } => {
                "correct `gates.tests.image`; an image behind a login is taken from this machine: \
                 `docker pull` it in a step before"
            }
            Self::NotMounted(_) => {
                "mount the workspace from the host: `docker run -v \"$PWD:$PWD\" -w \"$PWD\" …`"
            }
            Self::Name(_) => "rename the folder, or remove `gates.tests.image`",
            Self::Followed(_) | Self::Answer(_) | Self::Engine { .. } | Self::Interrupted => {
                return None;
            }
        };
        Some(fix.to_owned())
    }
}
