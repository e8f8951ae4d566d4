//! When a request is made again, and how long to wait before: one table for all clients.

use std::time::Duration;

use jiff::{Timestamp, fmt::rfc2822};
use reqwest::header::HeaderMap;

/// Tries of one request, the first included.
pub(super) const TRIES: u32 = 6;

/// Statuses that pass: the server was busy or briefly broken.
pub(super) fn passes(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

/// How long to wait before try number `next` (the second is 2) where the server asks for nothing
/// else: half to all of 1, 2, 4, 8, 16 seconds.
pub fn pause(next: u32) -> Duration {
    let whole = Duration::from_secs(1 << next.saturating_sub(2).min(4));
    whole.mul_f64(0.5 + fastrand::f64() / 2.0)
}

/// `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), else the `t=` of a `RateLimit` header
/// with nothing left (draft-ietf-httpapi-ratelimit-headers).
pub(super) fn asked(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    header("retry-after").and_then(|after| later(after.trim(), now)).or_else(|| {
        // Of several limits, that which lasts longest.
        header("ratelimit")?.split(',').filter_map(used_up).max()
    })
}

fn later(after: &str, now: Timestamp) -> Option<Duration> {
    if let Ok(seconds) = after.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = rfc2822::DateTimeParser::new().parse_timestamp(after).ok()?;
    let seconds = date.duration_since(now).as_secs().max(0);
    Some(Duration::from_secs(seconds.unsigned_abs().saturating_add(1)))
}

fn used_up(limit: &str) -> Option<Duration> {
    let field = |name: &str| {
        let value = limit.split(';').find_map(|part| part.trim().strip_prefix(name));
        value.and_then(|value| value.parse::<u64>().ok())
    };
    let seconds = field("t=").filter(|_| field("r=") == Some(0))?;
    Some(Duration::from_secs(seconds.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_table() {
        let retried: Vec<u16> = (100..600).filter(|status| passes(*status)).collect();
        assert_eq!(retried, [408, 429, 500, 502, 503, 504]);
    }

    #[test]
    fn what_the_server_asks_for_comes_first() {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        let headers = |name: &'static str, value: &'static str| {
            HeaderMap::from_iter([(name.parse().expect("name"), value.parse().expect("value"))])
        };
        for (name, value, seconds) in [
            ("retry-after", "7", Some(7)),
            ("retry-after", "Thu, 01 Jan 2026 00:00:09 GMT", Some(10)),
            ("retry-after", "Thu, 01 Jan 2015 00:00:09 GMT", Some(1)),
            ("retry-after", "soon", None),
            ("ratelimit", "\"api\";r=0;t=3", Some(4)),
            ("ratelimit", "\"api\";r=5;t=3", None),
            ("ratelimit", "\"api\";r=0;t=18446744073709551615", Some(u64::MAX)),
            ("ratelimit", "\"api\";r=0;t=3, \"pages\";r=0;t=9, \"files\";r=1;t=99", Some(10)),
        ] {
            assert_eq!(
                asked(&headers(name, value), now),
                seconds.map(Duration::from_secs),
                "{value}"
            );
        }
    }

    #[test]
    fn a_time_that_cannot_be_read_leaves_the_limit() {
        let now = Timestamp::now();
        let headers = HeaderMap::from_iter([
            ("retry-after".parse().expect("name"), "soon".parse().expect("value")),
            ("ratelimit".parse().expect("name"), "\"api\";r=0;t=3".parse().expect("value")),
        ]);
        assert_eq!(asked(&headers, now), Some(Duration::from_secs(4)));
    }

    #[test]
    fn waits_grow_and_stay_bounded() {
        for next in 2..20 {
            let wait = pause(next);
            assert!(wait <= Duration::from_secs(16) && wait >= Duration::from_millis(500));
        }
    }
}
