//! The one way to GitHub: octocrab on our own HTTP client, pages to their end, limits obeyed within
//! the run's deadline, bodies bounded.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Method};
use http_body::Body as _;
use octocrab::Octocrab;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::{GitHubError, Permission};
use crate::http::{self as network, Secret};

/// Items that are asked for at once: GitHub's most.
const PER_PAGE: usize = 100;
/// Pages that are read of one list.
const MOST_PAGES: usize = 30;
/// Bytes of one answer: a page of a hundred check runs with the longest texts has 13 MB.
const BODY_LIMIT: usize = 32 * 1024 * 1024;
/// How often a request is made.
const TRIES: u32 = 5;
/// GitHub asks for a minute where a secondary limit names no time.
/// <https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api>
const SECONDARY: Duration = Duration::from_mins(1);
/// What stays as it is in one segment of a path; a slash in a branch's or tag's name does not.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// GitHub, for one repository.
pub struct Client {
    octocrab: Octocrab,
    http: network::Client,
    /// `owner/name`.
    repository: String,
}

/// An answer that came whole.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
}

impl Client {
    /// GitHub at `api`; every wait ends by the deadline of `http`. To be called within a runtime: octocrab
    /// has a task of its own.
    pub fn new(
        http: &network::Client,
        api: &str,
        token: &Secret,
        repository: &str,
    ) -> Result<Self, GitHubError> {
        network::trusted(api).map_err(|why| GitHubError::Client(why.to_owned()))?;
        let client = |error: octocrab::Error| GitHubError::Client(error.to_string());
        let octocrab = Octocrab::builder()
            .base_uri(api)
            .map_err(client)?
            .personal_token(token.expose().to_owned())
            .build_with_reqwest(http.reqwest(api).clone())
            .map_err(client)?;
        Ok(Self { octocrab, http: http.clone(), repository: repository.to_owned() })
    }

    /// The organisation or user that owns the repository.
    pub(super) fn owner(&self) -> &str {
        self.repository.split('/').next().unwrap_or_default()
    }

    /// `owner/name`.
    pub(super) fn repository(&self) -> &str {
        &self.repository
    }

    /// A route below the repository.
    pub(super) fn route(&self, below: &str) -> String {
        format!("/repos/{}{below}", self.repository)
    }

    /// Reads one thing.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        route: &str,
        needs: Permission,
    ) -> Result<T, GitHubError> {
        parse(route, &self.ask(Method::GET, route, None, needs).await?.body)
    }

    /// Sends one thing.
    pub(super) async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        route: &str,
        body: &Value,
        needs: Permission,
    ) -> Result<T, GitHubError> {
        parse(route, &self.ask(method, route, Some(body), needs).await?.body)
    }

    /// Reads a list to its end. `page` takes the items out of an answer.
    pub(super) async fn pages<P: DeserializeOwned, T>(
        &self,
        route: &str,
        needs: Permission,
        page: impl Fn(P) -> Vec<T>,
    ) -> Result<Vec<T>, GitHubError> {
        let mut all = Vec::new();
        let join = if route.contains('?') { '&' } else { '?' };
        for number in 1..=MOST_PAGES {
            let one = format!("{route}{join}per_page={PER_PAGE}&page={number}");
            let answer = self.ask(Method::GET, &one, None, needs).await?;
            let items = page(parse(route, &answer.body)?);
            let full = items.len() >= PER_PAGE;
            all.extend(items);
            // A page can be short because the token may not see all of it: the header decides then.
            if !full && !names_a_next(&answer.headers) {
                return Ok(all);
            }
        }
        let why = format!("it has more than {MOST_PAGES} pages");
        Err(GitHubError::Garbage { route: bare(route), why })
    }

    /// Asks until there is an answer: again where a limit was hit, and for reads where none came.
    async fn ask(
        &self,
        method: Method,
        route: &str,
        body: Option<&Value>,
        needs: Permission,
    ) -> Result<Answer, GitHubError> {
        let reads = method == Method::GET;
        let mut next = 2;
        loop {
            let time = self.http.answer_timeout().min(self.http.left());
            let once = tokio::time::timeout(time, self.once(&method, route, body)).await;
            let ended = once.unwrap_or_else(|_| Err(GitHubError::Silent(bare(route))));
            let asked = ended.as_ref().ok().and_then(|answer| limit(answer, next));
            let fails = match &ended {
                Ok(answer) => answer.status >= 500,
                Err(error) => matches!(error, GitHubError::Lost { .. }),
            };
            let pause = asked.or_else(|| (reads && fails).then(|| network::pause(next)));
            let left = self.http.left();
            if let Some(pause) = pause.filter(|pause| next <= TRIES && *pause < left) {
                let seconds = pause.as_secs_f64();
                self.http.wait(&format!("GitHub, {}: asking again in {seconds:.1} s", bare(route)));
                tokio::time::sleep(pause).await;
                next += 1;
                continue;
            }
            let Answer { status, body, .. } = match (ended?, asked) {
                (answer, None) if (200..300).contains(&answer.status) => return Ok(answer),
                (_, Some(wait)) => return Err(GitHubError::Limited { wait, left }),
                (answer, None) => answer,
            };
            return Err(GitHubError::refused(status, &bare(route), &body, needs));
        }
    }

    async fn once(
        &self,
        method: &Method,
        route: &str,
        body: Option<&Value>,
    ) -> Result<Answer, GitHubError> {
        let lost = |error: octocrab::Error| {
            // octocrab's own text is only a kind; the cause says more.
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let why = cause.unwrap_or_else(|| error.to_string()).chars().take(300).collect();
            GitHubError::Lost { route: bare(route), why }
        };
        let request = http::Request::builder().method(method.clone()).uri(route);
        let request = self.octocrab.build_request(request, body).map_err(lost)?;
        let response = self.octocrab.execute(request).await.map_err(lost)?;
        let (head, mut frames) = response.into_parts();
        let mut body = BytesMut::new();
        while let Some(frame) = poll_fn(|context| Pin::new(&mut frames).poll_frame(context)).await {
            let Ok(piece) = frame.map_err(lost)?.into_data() else { continue };
            if body.len() + piece.len() > BODY_LIMIT {
                let why = format!("it is larger than {BODY_LIMIT} bytes");
                return Err(GitHubError::Garbage { route: bare(route), why });
            }
            body.extend_from_slice(&piece);
        }
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body: body.freeze() })
    }
}

/// One segment of a route.
pub(super) fn segment(name: &str) -> String {
    utf8_percent_encode(name, SEGMENT).to_string()
}

/// A route without its query.
fn bare(route: &str) -> String {
    route.split('?').next().unwrap_or_default().to_owned()
}

fn parse<T: DeserializeOwned>(route: &str, body: &[u8]) -> Result<T, GitHubError> {
    serde_json::from_slice(body).map_err(|error| {
        let why = format!("it is not the JSON it should be: {error}");
        GitHubError::Garbage { route: bare(route), why }
    })
}

fn names_a_next(headers: &HeaderMap) -> bool {
    let links = headers.get("link").and_then(|links| links.to_str().ok());
    links.is_some_and(|links| links.contains("rel=\"next\""))
}

/// How long GitHub wants to be left alone, if that is why it says no.
fn limit(answer: &Answer, next: u32) -> Option<Duration> {
    if !matches!(answer.status, 403 | 429) {
        return None;
    }
    if let Some(wait) = network::asked_to_wait(&answer.headers) {
        return Some(wait);
    }
    let number = |name: &str| {
        let value = answer.headers.get(name).and_then(|value| value.to_str().ok());
        value.and_then(|value| value.trim().parse::<i64>().ok())
    };
    if number("x-ratelimit-remaining") == Some(0) {
        let reset = number("x-ratelimit-reset").unwrap_or_default();
        let seconds = reset.saturating_sub(jiff::Timestamp::now().as_second()).max(0);
        return Some(Duration::from_secs(seconds.unsigned_abs() + 1));
    }
    let says = |words: &str| answer.body.windows(words.len()).any(|at| at == words.as_bytes());
    if says("secondary rate limit") {
        return Some(SECONDARY);
    }
    (answer.status == 429).then(|| network::pause(next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_limits_are_waited_for() {
        let in_a_while = (jiff::Timestamp::now().as_second() + 30).to_string();
        let far = "9223372036854775807";
        for (status, headers, body, least) in [
            (403, vec![], "Resource not accessible by integration", None),
            (403, vec![("retry-after", "7")], "", Some(7)),
            (429, vec![], "", Some(0)),
            (429, vec![("retry-after", "9")], "", Some(9)),
            (403, vec![], "You have exceeded a secondary rate limit", Some(60)),
            (403, vec![("x-ratelimit-remaining", "0")], "", Some(1)),
            (
                403,
                vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &in_a_while)],
                "",
                Some(29),
            ),
            (
                403,
                vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", far)],
                "",
                Some(1_000_000),
            ),
            (403, vec![("x-ratelimit-remaining", "12")], "", None),
            (404, vec![("retry-after", "7")], "", None),
        ] {
            let headers = headers.iter().map(|(name, value)| {
                (name.parse().expect("a name"), value.parse().expect("a value"))
            });
            let answer =
                Answer { status, headers: headers.collect(), body: Bytes::from(body.to_owned()) };
            let wait = limit(&answer, 2);
            assert_eq!(wait.is_some(), least.is_some(), "{status} {body} {:?}", answer.headers);
            if let (Some(wait), Some(least)) = (wait, least) {
                assert!(wait >= Duration::from_secs(least), "{wait:?} {:?}", answer.headers);
            }
        }
    }

    #[test]
    fn names_become_one_segment() {
        assert_eq!(segment("churn/v1.0.0?x#é ../"), "churn%2Fv1.0.0%3Fx%23%C3%A9%20..%2F");
    }
}
