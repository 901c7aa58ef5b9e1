//! A caller that prepares what is measured: keys, grants, a user. It must not know which server
//! answers, nor how it is measured.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::Outcome;
use crate::child::Endpoint;
use crate::http::Connection;
use crate::operations::{GRANTS, Material, Operation, signing, target};
use crate::sign::{self, AccessKey};

const USER_ARN: &str = "arn:aws:iam::111122223333:user/bench";

pub(crate) struct Client {
    connection: Connection,
    endpoint: Endpoint,
    key: AccessKey,
}

impl Client {
    pub(crate) async fn new(endpoint: &Endpoint, key: AccessKey) -> Outcome<Self> {
        let connection = Connection::open(endpoint.clone()).await?;
        Ok(Self { connection, endpoint: endpoint.clone(), key })
    }

    /// An operation of KMS; its name and what it is asked.
    async fn kms(&mut self, verb: &str, body: &Value) -> Outcome<Value> {
        let request =
            sign::request(&self.key, self.endpoint.address, &target(verb), &body.to_string())?;
        let answer = self.connection.exchange(&request).await;
        let answer = answer.map_err(|error| format!("{verb}: {error}"))?;
        serde_json::from_slice(answer).map_err(|error| format!("{verb}: {error}"))
    }

    /// Parameters of IAM's query protocol, answered in XML.
    async fn iam(&mut self, parameters: &str) -> Outcome<String> {
        let body = format!("{parameters}&Version=2010-05-08");
        let request = sign::query(&self.key, self.endpoint.address, &body)?;
        let answer = self.connection.exchange(&request).await;
        let answer = answer.map_err(|error| format!("{parameters}: {error}"))?;
        Ok(String::from_utf8_lossy(answer).into_owned())
    }

    /// The access key of a fresh user with a customer managed policy that lets it use every key.
    pub(crate) async fn create_user(&mut self) -> Outcome<AccessKey> {
        const POLICY: &str = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect\
            %22%3A%22Allow%22%2C%22Action%22%3A%22kms%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D";
        const ARN: &str = "arn%3Aaws%3Aiam%3A%3A111122223333%3Apolicy%2Fuse-keys";
        self.iam("Action=CreateUser&UserName=bench").await?;
        let policy = format!("PolicyName=use-keys&PolicyDocument={POLICY}");
        self.iam(&format!("Action=CreatePolicy&{policy}")).await?;
        self.iam(&format!("Action=AttachUserPolicy&UserName=bench&PolicyArn={ARN}")).await?;
        let answer = self.iam("Action=CreateAccessKey&UserName=bench").await?;
        let key = element(&answer, "AccessKeyId").zip(element(&answer, "SecretAccessKey"));
        let (id, secret) = key.ok_or("CreateAccessKey answered no access key")?;
        Ok(AccessKey { id, secret })
    }

    /// The id of a fresh key of a spec and a usage.
    pub(crate) async fn create_key(&mut self, (spec, usage): (&str, &str)) -> Outcome<String> {
        let body = json!({"KeySpec": spec, "KeyUsage": usage});
        let made = self.kms("CreateKey", &body).await?;
        let id = made["KeyMetadata"]["KeyId"].as_str();
        id.map(str::to_owned).ok_or_else(|| "CreateKey answered no KeyId".to_owned())
    }

    /// What an operation's request is made of.
    pub(crate) async fn prepare(&mut self, operation: &Operation) -> Outcome<Material> {
        let key_id = self.create_key(operation.key).await?;
        let mut material = Material { key_id, ..Material::default() };
        match operation.verb {
            "Decrypt" | "ReEncrypt" => {
                material.other_key_id = self.create_key(operation.key).await?;
                let plaintext = STANDARD.encode([0; 32]);
                let body = json!({"KeyId": material.key_id, "Plaintext": plaintext});
                material.ciphertext = self.kms("Encrypt", &body).await?["CiphertextBlob"].take();
            }
            "Verify" => {
                let body = signing(operation, &material);
                material.signature = self.kms("Sign", &body).await?["Signature"].take();
            }
            "ListGrants" => self.create_grants(&material.key_id).await?,
            _ => {}
        }
        Ok(material)
    }

    async fn create_grants(&mut self, key_id: &str) -> Outcome {
        let body =
            json!({"KeyId": key_id, "GranteePrincipal": USER_ARN, "Operations": ["Encrypt"]});
        for _ in 0..GRANTS {
            self.kms("CreateGrant", &body).await?;
        }
        Ok(())
    }
}

fn element(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<{name}>"))?;
    Some(rest.split_once('<')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_found_by_their_whole_name() {
        let xml = "<A><Key>no</Key><KeyId>yes</KeyId></A>";
        assert_eq!(element(xml, "KeyId").as_deref(), Some("yes"));
        assert_eq!(element(xml, "Secret"), None);
    }
}
