//! The Hub's fixed-window rate limit, on demand: `RateLimit` and `RateLimit-Policy` on every API
//! answer, 429 once the quota is used up (<https://huggingface.co/docs/hub/rate-limits>).

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use axum::http::{HeaderMap, StatusCode};

use super::answer::{Refusal, set};
use super::options::RateLimit;

pub(super) struct Window {
    limit: RateLimit,
    /// When the window began, and how many requests were granted in it.
    now: Mutex<(Instant, u32)>,
}

/// What is left of the window.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Left {
    pub(super) granted: bool,
    requests: u32,
    seconds: u64,
}

impl Window {
    pub(super) fn new(limit: RateLimit) -> Self {
        Self { limit, now: Mutex::new((Instant::now(), 0)) }
    }

    /// Counts a request at `at`.
    pub(super) fn count(&self, at: Instant) -> Left {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        if at.saturating_duration_since(now.0) >= self.limit.window {
            *now = (at, 0);
        }
        let granted = now.1 < self.limit.quota;
        if granted {
            now.1 += 1;
        }
        let rest = self.limit.window.saturating_sub(at.saturating_duration_since(now.0));
        Left { granted, requests: self.limit.quota - now.1, seconds: rest.as_secs().max(1) }
    }

    pub(super) fn tell(&self, left: &Left, headers: &mut HeaderMap) {
        set(headers, "ratelimit", &format!("\"api\";r={};t={}", left.requests, left.seconds));
        let (quota, window) = (self.limit.quota, self.limit.window.as_secs());
        let policy = format!("\"fixed window\";\"api\";q={quota};w={window}");
        set(headers, "ratelimit-policy", &policy);
    }
}

pub(super) fn too_many() -> Refusal {
    Refusal::new(StatusCode::TOO_MANY_REQUESTS, "You have exceeded the rate limit of this Hub")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_quota_is_used_up_and_comes_back() {
        let window = Window::new(RateLimit { quota: 2, window: Duration::from_mins(5) });
        let start = Instant::now();
        let left = |after| window.count(start + Duration::from_secs(after));
        assert_eq!(left(1).requests, 1);
        assert!(left(2).granted);
        assert!(!left(3).granted);
        assert!(left(400).granted);
        let mut headers = HeaderMap::new();
        window.tell(&Left { granted: true, requests: 1, seconds: 9 }, &mut headers);
        assert_eq!(headers["ratelimit"], "\"api\";r=1;t=9");
        assert_eq!(headers["ratelimit-policy"], "\"fixed window\";\"api\";q=2;w=300");
    }
}
