//! The tag as GitHub has it: annotated or not, signed or not.
//! <https://docs.github.com/rest/git/tags#get-a-tag>

use serde::Deserialize;

use super::client::{Client, segment};
use super::error::{GitHubError, Permission};

/// Longest name that is kept: a name of git's has at most some 250 bytes in a part.
const NAME: usize = 1_000;
/// Tags of tags that are followed.
const DEEPEST: usize = 5;

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// Its name.
    pub name: String,
    /// What it leads to in the end.
    pub commit: String,
    /// An object of its own, with message and author.
    pub annotated: bool,
    /// The name that the object was made with: a ref of any name can be set on it.
    pub made_as: Option<String>,
    /// What GitHub says of its signature; a light-weight tag can have none.
    pub signature: Option<Signature>,
}

/// A signature in GitHub's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// It is there, by a key of an account with that address.
    pub verified: bool,
    /// `valid`, `unsigned`, `unknown_key`, …
    pub reason: String,
}

#[derive(Deserialize)]
struct Reference {
    object: Object,
}

#[derive(Deserialize)]
struct Object {
    #[serde(rename = "type")]
    kind: String,
    sha: String,
}

#[derive(Deserialize)]
struct Annotated {
    tag: String,
    object: Object,
    verification: Option<Verification>,
}

#[derive(Deserialize)]
struct Verification {
    verified: bool,
    #[serde(default)]
    reason: String,
}

/// The tag of a name; `None` where GitHub has none.
pub(super) async fn tag(github: &Client, name: &str) -> Result<Option<Tag>, GitHubError> {
    let route = github.route(&format!("/git/ref/{}", segment(&format!("tags/{name}"))));
    let mut object = match github.get::<Reference>(&route, Permission::Contents).await {
        Ok(reference) => reference.object,
        Err(error) if error.is_missing() => return Ok(None),
        Err(error) => return Err(error),
    };
    let (annotated, mut made_as, mut signature) = (object.kind == "tag", None, None);
    for depth in 0..DEEPEST {
        if object.kind != "tag" {
            break;
        }
        let route = github.route(&format!("/git/tags/{}", segment(&object.sha)));
        let found: Annotated = github.get(&route, Permission::Contents).await?;
        // The outermost is the one that people make and verify.
        if depth == 0 {
            made_as = Some(found.tag.chars().take(NAME).collect());
            signature = found.verification.map(|found| Signature {
                verified: found.verified,
                reason: found.reason.chars().take(40).collect(),
            });
        }
        object = found.object;
    }
    Ok(Some(Tag { name: name.to_owned(), commit: object.sha, annotated, made_as, signature }))
}
