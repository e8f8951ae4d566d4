//! GitHub's API: check runs. The only user of octocrab.
