//! Questions about permissions on a key: may this caller do that, and why; who can use the key.
//!
//! Answers come from the same policies, grants and conditions as decisions do. Must not know where
//! callers come from.

use std::collections::BTreeMap;
use std::sync::Arc;

use policy::{Attached, ContextEntries, Delegation, Grant, Means, Principal};
use service::{
    AnyOperation, Caller, Context, Error, Explanation, Facts, Given, Hypothetical, NamedPolicy,
    Service,
};
use wire::shapes::EncryptionContext;
use wire::{AccountId, Region, Timestamp};

use crate::authorization::grantees;
use crate::conditions::Conditions;
use crate::grants::{Circumstances, GrantId, GrantRecord};
use crate::key::Key;
use crate::key_id::{Aliases, KeyName, KeyNameKind};
use crate::key_policy::DEFAULT_NAME;
use crate::operations::REGISTRY;
use crate::records::decode;
use crate::{Kms, layout};

/// How many grants are read at once.
const BATCH: usize = 1_000;

/// The prefix of condition keys that are pairs of an encryption context.
const ENCRYPTION_CONTEXT: &str = "kms:EncryptionContext:";

/// What is asked about a request that nobody has sent.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The action, such as `kms:Encrypt`.
    pub action: &'a str,
    /// The key's ARN or alias ARN, or its id or alias in the caller's account; `*` for an action
    /// that needs no key.
    pub resource: &'a str,
    /// Condition keys that the request would have beside what is known of caller and key.
    pub context: &'a [(String, String)],
}

/// Why a question has no answer.
#[derive(Debug)]
pub enum NoAnswer {
    /// KMS has no such action.
    UnknownAction,
    /// There is no such key.
    UnknownKey,
    /// It can't be found out.
    Failed(Error),
}

impl From<Error> for NoAnswer {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// A key that questions are asked about, with its grants.
pub struct KeyInQuestion {
    key: Arc<Key>,
    grants: Vec<(GrantId, GrantRecord)>,
    aliases: Vec<String>,
}

/// What a principal may do with a key by one route.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Route {
    /// What allows it.
    pub by: String,
    /// Whether that hangs on conditions which aren't known to hold.
    pub conditional: bool,
}

impl KeyInQuestion {
    /// The key's ARN.
    pub fn arn(&self) -> &str {
        &self.key.arn
    }

    /// The account that owns it.
    pub fn account(&self) -> &AccountId {
        &self.key.account
    }

    /// The ARNs and accounts that its policy and its grants name, each once; `*` for everybody.
    pub fn named(&self) -> Vec<String> {
        let of_policy = self.key.policy.principals().filter_map(|principal| match principal {
            Principal::Everyone => Some("*".to_owned()),
            Principal::Account(account) => Some(account.clone()),
            Principal::Arn { arn, .. } => Some(arn.clone()),
            Principal::Service(name) => Some(name.clone()),
            _ => None,
        });
        let of_grants = self.grants.iter().map(|(_, grant)| {
            grant.grantee.arn().or(grant.grantee.service()).unwrap_or_default().to_owned()
        });
        let mut named: Vec<String> = of_policy.chain(of_grants).collect();
        named.sort();
        named.dedup();
        named
    }

    /// A grant that allows the caller the action, by the strongest of its names.
    fn grant(
        &self,
        names: &[(String, Means)],
        action: &str,
        request: &Circumstances,
        lenient: bool,
    ) -> Option<(&GrantId, Means)> {
        let operation = wire::enums::GrantOperation::parse(action.strip_prefix("kms:")?)?;
        names.iter().find_map(|(name, means)| {
            let found = self.grants.iter().find(|(_, grant)| {
                let terms = &grant.terms;
                grant.grantee.as_str() == name
                    && if lenient {
                        terms.operations.contains(&operation)
                    } else {
                        terms.allow(operation, request)
                    }
            });
            found.map(|(id, _)| (id, *means))
        })
    }
}

impl Kms {
    /// The key of that name, in the account and Region unless the name is an ARN.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn key_in_question(
        &self,
        name: &str,
        account: AccountId,
        region: &Region,
        now: Timestamp,
    ) -> Result<KeyInQuestion, NoAnswer> {
        let region = region_of(name).unwrap_or_else(|| region.clone());
        let parsed =
            KeyName::parse(name, &region, Aliases::Accepted).map_err(|_| NoAnswer::UnknownKey)?;
        let account = parsed.account.unwrap_or(account);
        let key = match parsed.kind {
            KeyNameKind::Id(id) => self.standing_key(&account, &region, &id, now).await?,
            KeyNameKind::Alias(alias) => {
                let alias = self.alias(&account, &region, alias).await?;
                let id = alias.and_then(|alias| crate::KeyId::parse(&alias.record.target));
                match id {
                    Some(id) => self.standing_key(&account, &region, &id, now).await?,
                    None => None,
                }
            }
        };
        let key = key.ok_or(NoAnswer::UnknownKey)?;
        let (grants, aliases) = (self.grants_of(&key).await?, self.aliases_of(&key).await?);
        Ok(KeyInQuestion { key, grants, aliases })
    }

    async fn grants_of(&self, key: &Key) -> Result<Vec<(GrantId, GrantRecord)>, Error> {
        let prefix = layout::grants(&key.account, &key.region, key.id.as_str());
        let (mut grants, mut after) = (Vec::new(), String::new());
        loop {
            let page = self.store.range(&prefix, &after, BATCH).await?;
            for item in &page.items {
                let id = item.key.strip_prefix(&prefix).and_then(GrantId::parse);
                let id = id.ok_or_else(|| Error::internal("an unreadable grant id"))?;
                grants.push((id, decode(&item.value)?));
            }
            match page.items.into_iter().next_back() {
                Some(last) if page.more => after = last.key,
                _ => return Ok(grants),
            }
        }
    }

    /// Whether the caller may do what is asked, and why.
    ///
    /// # Errors
    /// [`NoAnswer`].
    pub async fn explain(
        &self,
        caller: Caller,
        region: &Region,
        now: Timestamp,
        question: Question<'_>,
    ) -> Result<Explanation, NoAnswer> {
        let facts = facts(question.action).ok_or(NoAnswer::UnknownAction)?;
        let account = caller.account;
        let asked = Hypothetical::new(self, self.entropy.as_ref(), caller, region.clone(), now)?;
        let cx = asked.context();
        let (entries, request) = given(question.context);
        if question.resource == "*" || facts.states.is_empty() {
            let conditions = Conditions::of_account(&cx, question.action, &request);
            let context = Given { entries: &entries, worked_out: &conditions };
            return Ok(cx.caller.explain(question.action, "*", &context, None));
        }
        let key = self.key_in_question(question.resource, account, region, now).await?;
        Ok(explain_on(&cx, facts, &key, question.action, &entries, &request, false))
    }

    /// By which routes the caller may do each of the actions to the key; actions that it may not
    /// do are left out.
    ///
    /// # Errors
    /// A failure of ours.
    pub fn routes(
        &self,
        caller: &Caller,
        now: Timestamp,
        key: &KeyInQuestion,
        actions: &[&'static str],
    ) -> Result<BTreeMap<Route, Vec<&'static str>>, Error> {
        let region = key.key.region.clone();
        let entropy = self.entropy.as_ref();
        let own = Hypothetical::new(self, entropy, caller.clone(), region.clone(), now)?;
        let best = Hypothetical::new(self, entropy, favourable(caller), region, now)?;
        let (entries, request) = given(&[]);
        let mut routes: BTreeMap<Route, Vec<&'static str>> = BTreeMap::new();
        for action in actions {
            let Some(facts) = facts(action) else { continue };
            for (asked, conditional) in [(&own, false), (&best, true)] {
                let cx = asked.context();
                let told = explain_on(&cx, facts, key, action, &entries, &request, conditional);
                if told.allowed {
                    let route = Route { by: told.reason, conditional };
                    routes.entry(route).or_default().push(action);
                    break;
                }
            }
        }
        Ok(routes)
    }
}

/// The actions that use a key's material in secret: what a grant can allow, without those that only
/// manage grants or tell of the key.
pub fn uses() -> Vec<&'static str> {
    let grantable = REGISTRY.iter().map(|operation| operation.facts()).filter(|f| f.grantable);
    let actions = grantable.flat_map(|facts| facts.actions.iter().copied());
    let is_use = |action: &&str| {
        let others = ["kms:CreateGrant", "kms:DescribeKey", "kms:GetPublicKey", "kms:RetireGrant"];
        !others.contains(action)
    };
    let mut actions: Vec<_> = actions.filter(is_use).collect();
    actions.sort_unstable();
    actions.dedup();
    actions
}

/// All actions on keys.
pub fn actions() -> Vec<&'static str> {
    let on_keys = REGISTRY.iter().map(|operation| operation.facts());
    let on_keys = on_keys.filter(|facts| !facts.states.is_empty());
    let mut actions: Vec<_> = on_keys.flat_map(|facts| facts.actions.iter().copied()).collect();
    actions.sort_unstable();
    actions.dedup();
    actions
}

fn facts(action: &str) -> Option<&'static Facts> {
    let registry: &[&dyn AnyOperation<Kms>] = Kms::registry();
    let facts = registry.iter().map(|operation| operation.facts());
    let mut facts =
        facts.filter(|facts| facts.actions.iter().any(|known| known.eq_ignore_ascii_case(action)));
    facts.next()
}

fn explain_on(
    cx: &Context<'_, Kms>,
    facts: &Facts,
    in_question: &KeyInQuestion,
    action: &str,
    entries: &ContextEntries,
    request: &Circumstances,
    lenient: bool,
) -> Explanation {
    let key = &*in_question.key;
    let mut conditions = Conditions::of(cx, key, action, request);
    conditions.learn_aliases(in_question.aliases.clone());
    let context = Given { entries, worked_out: &conditions };
    let favourable;
    let document = if lenient {
        favourable = key.policy.favourable();
        &favourable
    } else {
        &key.policy
    };
    let granted = if facts.grantable {
        in_question.grant(&grantees(cx), action, request, lenient)
    } else {
        None
    };
    let side = |grant| policy::Resource {
        account: key.account.as_str(),
        policy: Some(Attached { name: DEFAULT_NAME, document }),
        delegation: Delegation::Needed,
        grant,
    };
    let caller = cx.caller;
    let told = caller.explain(action, &key.arn, &context, Some(side(None)));
    let told = match granted {
        Some((id, means)) if !told.allowed => {
            let grant = Some(Grant { id: id.as_str(), means });
            caller.explain(action, &key.arn, &context, Some(side(grant)))
        }
        _ => told,
    };
    if caller.account != key.account && !facts.cross_account {
        let reason = format!("because {action} is not possible on keys of other accounts");
        return Explanation { allowed: false, reason, ..told };
    }
    told
}

/// The caller with policies whose conditions are favourable.
fn favourable(caller: &Caller) -> Caller {
    let policy = |named: &NamedPolicy| NamedPolicy {
        name: Arc::clone(&named.name),
        document: Arc::new(named.document.favourable()),
    };
    let principal = caller.principal.as_deref().map(|principal| {
        Arc::new(service::Principal {
            name: principal.name.clone(),
            arn: principal.arn.clone(),
            unique_id: principal.unique_id.clone(),
            policies: principal.policies.iter().map(policy).collect(),
            boundary: principal.boundary.as_ref().map(policy),
            tags: principal.tags.clone(),
        })
    });
    Caller { principal, ..caller.clone() }
}

/// The condition keys that are given, and what they say to grants.
fn given(context: &[(String, String)]) -> (ContextEntries, Circumstances) {
    let mut entries = ContextEntries::default();
    let mut pairs = Vec::new();
    for (key, value) in context {
        entries.insert(key, value.clone().into());
        let prefix = key.get(..ENCRYPTION_CONTEXT.len());
        if prefix.is_some_and(|prefix| prefix.eq_ignore_ascii_case(ENCRYPTION_CONTEXT)) {
            pairs.push((key[ENCRYPTION_CONTEXT.len()..].to_owned(), value.clone()));
        }
    }
    let context = (!pairs.is_empty()).then(|| EncryptionContext(Arc::new(pairs)));
    (entries, Circumstances { context, ..Circumstances::default() })
}

fn region_of(name: &str) -> Option<Region> {
    Region::parse(wire::Arn::parse(name)?.region)
}
