//! Who a token is of and what it may do, as `whoami-v2` tells it. Values that nobody has heard of are
//! kept or called unknown: whoever judges them can tell them from those that are allowed.

use serde::{Deserialize, Deserializer};

/// `GET /api/whoami-v2`.
#[derive(Debug, Clone, Deserialize)]
pub struct WhoAmI {
    /// What the token's holder is.
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    pub kind: Kind,
    /// Name of the user, organisation or app.
    pub name: String,
    /// Organisations, with what the holder is in them.
    #[serde(default, deserialize_with = "or_default")]
    pub orgs: Vec<Org>,
    /// About the token.
    #[serde(default, deserialize_with = "or_default")]
    pub auth: Auth,
}

impl WhoAmI {
    /// The token's own facts; none for one that was issued for a while.
    pub fn token(&self) -> Option<&AccessToken> {
        self.auth.access_token.as_ref()
    }

    /// The organisation of a name, if the holder is in it.
    pub fn org(&self, name: &str) -> Option<&Org> {
        self.orgs.iter().find(|org| org.name.eq_ignore_ascii_case(name))
    }
}

/// What holds a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// An account, of a person or a machine.
    User,
    /// An organisation.
    Org,
    /// An application, such as the system user of trusted publishing.
    App,
    /// Something else.
    #[default]
    #[serde(other)]
    Unknown,
}

/// An organisation of the holder.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Org {
    /// Name.
    pub name: String,
    /// `admin`, `write`, `contributor`, `read`, `no_access`, `custom`.
    #[serde(default)]
    pub role_in_org: Option<String>,
    /// Its plan: `team`, `enterprise`, …
    #[serde(default)]
    pub plan: Option<String>,
    /// Groups of repositories that the holder has a role in.
    #[serde(default, deserialize_with = "or_default")]
    pub resource_groups: Vec<ResourceGroup>,
    /// Why the organisation does not take this token: `mfa`, `token-policy`, `token-revoked`, `sso`, `ip`.
    #[serde(default, deserialize_with = "or_default")]
    pub security_restrictions: Vec<String>,
}

/// A group of repositories.
#[derive(Debug, Clone, Deserialize)]
pub struct ResourceGroup {
    /// Name.
    pub name: String,
    /// As in [`Org::role_in_org`].
    #[serde(default)]
    pub role: Option<String>,
}

/// The `auth` of `whoami-v2`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Auth {
    /// `access_token` for one that somebody made and stored; another for one that was issued for a
    /// while.
    #[serde(rename = "type", default)]
    pub kind: Option<String>,
    /// The facts of a token that somebody made.
    #[serde(default)]
    pub access_token: Option<AccessToken>,
    /// When a token that was issued ends, RFC 3339. Those that somebody made show no end.
    #[serde(default)]
    pub expires_at: Option<String>,
    /// What a token was issued for.
    #[serde(default)]
    pub resource: Option<Resource>,
}

/// What a token was issued for.
#[derive(Debug, Clone, Deserialize)]
pub struct Resource {
    /// Its name.
    #[serde(default)]
    pub sub: Option<String>,
}

/// A token that somebody made.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccessToken {
    /// The name that it was given.
    #[serde(default)]
    pub display_name: Option<String>,
    /// What it may do.
    #[serde(default, deserialize_with = "or_default")]
    pub role: Role,
    /// When it was made, RFC 3339.
    #[serde(default)]
    pub created_at: Option<String>,
    /// The scopes of a fine-grained one.
    #[serde(default)]
    pub fine_grained: Option<FineGrained>,
}

/// What a token may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// Reads whatever its user can read.
    Read,
    /// Writes wherever its user can write.
    Write,
    /// As `write`; what the Hub once made.
    God,
    /// What its scopes list.
    FineGrained,
    /// Something else.
    #[default]
    #[serde(other)]
    Unknown,
}

/// The scopes of a fine-grained token.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FineGrained {
    /// What it may do where; `None` where that is not told.
    #[serde(default)]
    pub scoped: Option<Vec<Scope>>,
    /// What it may do everywhere: `discussion.write`, `post.write`.
    #[serde(default, deserialize_with = "or_default")]
    pub global: Vec<String>,
    /// It may read gated repositories that its user may read.
    #[serde(default, deserialize_with = "or_default")]
    pub can_read_gated_repos: bool,
}

/// What a token may do to one thing.
#[derive(Debug, Clone, Deserialize)]
pub struct Scope {
    /// The thing.
    pub entity: Entity,
    /// The Hub's names: `repo.content.read`, `repo.write`, …; `None` where they are not told.
    #[serde(default)]
    pub permissions: Option<Vec<String>>,
}

/// A thing on the Hub.
#[derive(Debug, Clone, Deserialize)]
pub struct Entity {
    /// The Hub's own id.
    #[serde(rename = "_id", default)]
    pub id: Option<String>,
    /// Its name, `namespace/name` of a repository.
    #[serde(default)]
    pub name: Option<String>,
    /// `model`, `dataset`, `space`, `bucket`, `kernel`, `collection`, `org`, `user`, `resource-group`,
    /// `oauth-app`.
    #[serde(rename = "type", default, deserialize_with = "or_default")]
    pub kind: String,
}

/// `null` is as good as nothing.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn who(text: &str) -> WhoAmI {
        serde_json::from_str(text).expect(text)
    }

    #[test]
    fn everything_that_is_told_is_read() {
        let who = who(r#"{
            "type": "user", "id": "65", "name": "ada", "fullname": "Ada", "isPro": true,
            "orgs": [{"type": "org", "id": "7", "name": "acme", "roleInOrg": "contributor", "plan": "team",
                      "resourceGroups": [{"id": "8", "name": "scoring", "role": "write"}],
                      "securityRestrictions": ["mfa"]}],
            "auth": {"type": "access_token", "expiresAt": "2026-02-01T00:00:00Z", "resource": {"sub": "x"},
                     "accessToken": {"displayName": "ci", "role": "fineGrained",
                        "createdAt": "2026-01-01T00:00:00.000Z",
                        "fineGrained": {"global": ["post.write"], "canReadGatedRepos": true, "scoped": [
                            {"entity": {"_id": "9", "type": "model", "name": "acme/churn"},
                             "permissions": ["repo.content.read", "repo.write"]}]}}}}"#);
        let token = who.token().expect("a token");
        assert_eq!(
            (who.kind, who.name.as_str(), token.role),
            (Kind::User, "ada", Role::FineGrained)
        );
        let org = who.org("ACME").expect("the organisation");
        assert_eq!(org.role_in_org.as_deref(), Some("contributor"));
        assert_eq!(org.resource_groups[0].role.as_deref(), Some("write"));
        assert_eq!((org.plan.as_deref(), &*org.security_restrictions[0]), (Some("team"), "mfa"));
        let fine = token.fine_grained.as_ref().expect("scopes");
        let scope = &fine.scoped.as_ref().expect("scopes")[0];
        let permissions = scope.permissions.as_ref().expect("permissions");
        assert_eq!((scope.entity.kind.as_str(), permissions.len()), ("model", 2));
        assert_eq!((fine.global.len(), fine.can_read_gated_repos), (1, true));
        assert_eq!(token.created_at.as_deref(), Some("2026-01-01T00:00:00.000Z"));
        assert_eq!(who.auth.expires_at.as_deref(), Some("2026-02-01T00:00:00Z"));
        assert_eq!(who.auth.resource.and_then(|resource| resource.sub).as_deref(), Some("x"));
    }

    #[test]
    fn what_nobody_has_heard_of_is_no_error_and_nothing_else() {
        let odd = who(r#"{"type": "robot", "name": "r2", "new": {"a": [1]}, "orgs": null,
                          "auth": {"accessToken": {"role": "superGod", "fineGrained": {"scoped": [
                              {"entity": {"type": "galaxy"}, "permissions": null}], "global": null}}}}"#);
        let token = odd.token().expect("a token");
        assert_eq!((odd.kind, token.role), (Kind::Unknown, Role::Unknown));
        let scope = &token.fine_grained.as_ref().and_then(|fine| fine.scoped.as_ref());
        let scope = &scope.expect("scopes")[0];
        assert_eq!((scope.entity.kind.as_str(), &scope.entity.name), ("galaxy", &None));
        assert!(scope.permissions.is_none(), "not told is not nothing");
        let issued = who(r#"{"type": "app", "name": "oidc", "auth": {"type": "oidc"}}"#);
        assert_eq!((issued.kind, issued.token().is_none()), (Kind::App, true));
        assert!(who(r#"{"name": "x", "auth": null}"#).token().is_none());
        assert!(serde_json::from_str::<WhoAmI>(r#"{"files": 7}"#).is_err());
    }
}
