//! Walks a KMS key's life through the AWS SDK for Rust and fails where an answer isn't AWS's.
//!
//! It owns the Rust client's expectations. It must not know anything of the server but the
//! endpoint: that and the credentials come from the environment, as `test_rust_sdk.py` sets it.

mod kinds;
mod life;
mod relations;

use aws_sdk_kms::Client;
use aws_sdk_kms::config::retry::RetryConfig;
use aws_sdk_kms::config::{BehaviorVersion, Builder, Credentials, Region};
use std::error::Error;

/// The client of the endpoint, region and account that the environment names.
///
/// Nothing is retried, so that no failure hides behind a second try.
fn client(account: &str) -> Result<Client, Box<dyn Error>> {
    let secret = std::env::var("AWS_SECRET_ACCESS_KEY")?;
    let config = Builder::new()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .endpoint_url(std::env::var("AWS_ENDPOINT_URL")?)
        .region(Region::new(std::env::var("AWS_REGION")?))
        .credentials_provider(Credentials::new(account, secret, None, None, "environment"))
        .retry_config(RetryConfig::disabled())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Ok(Client::from_conf(config))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let account = std::env::var("AWS_ACCESS_KEY_ID")?;
    let kms = client(&account)?;
    life::walk(&kms, &account).await?;
    kinds::walk(&kms).await?;
    relations::walk(&kms, &account).await?;
    println!("the life of a key is as it should be");
    Ok(())
}
