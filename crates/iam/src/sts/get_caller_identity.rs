//! GetCallerIdentity: who is calling. It needs no permission, and no policy can deny it.
//!
//! Errors: only those of authentication.

use service::{Authorized, Context, Error, Facts, Operation, Resource, Target};
use wire::structure;
use wire::sts::{Account, PrincipalArn, UserId};

use crate::Sts;

/// GetCallerIdentity.
pub(crate) struct GetCallerIdentity;

/// The caller itself: what an operation acts on that needs no permission.
pub(crate) struct Oneself;

impl Target<Sts> for Oneself {
    async fn authorize(&self, _: &Facts, _: &Context<'_, Sts>) -> Result<(), Error> {
        Ok(())
    }

    fn check(&self, _: &Facts, _: &Context<'_, Sts>) -> Result<(), Error> {
        Ok(())
    }

    fn resources(&self) -> Vec<Resource> {
        Vec::new()
    }
}

structure! {
    /// Input of GetCallerIdentity.
    pub(crate) struct GetCallerIdentityRequest {}

    /// Output of GetCallerIdentity.
    pub(crate) struct GetCallerIdentityResponse {
        user_id: UserId = optional "UserId",
        account: Account = optional "Account",
        arn: PrincipalArn = optional "Arn",
    }
}

impl Operation for GetCallerIdentity {
    type Service = Sts;
    type Input = GetCallerIdentityRequest;
    type Output = GetCallerIdentityResponse;
    type Target = Oneself;

    const FACTS: Facts = Facts {
        name: "GetCallerIdentity",
        actions: &[],
        states: &[],
        usage: None,
        grantable: false,
        dry_run: false,
        cross_account: true,
        read_only: true,
        errors: &[],
    };

    async fn resolve(_: &Context<'_, Sts>, _: &Self::Input) -> Result<Oneself, Error> {
        Ok(Oneself)
    }

    async fn run(
        cx: &Context<'_, Sts>,
        _: &Authorized<Oneself>,
        _: &Self::Input,
    ) -> Result<Self::Output, Error> {
        Ok(GetCallerIdentityResponse {
            user_id: Some(UserId::of(&cx.caller.principal_id)),
            account: Some(Account::of(cx.caller.account.as_str())),
            arn: Some(PrincipalArn::of(&cx.caller.arn)),
        })
    }
}
