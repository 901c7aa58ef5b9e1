//! What stands in audit records: the members that AWS's records have, and nothing secret.

mod world;

use serde_json::{Value, json};
use world::identities::Identities;
use world::samples::{key_for, registry, sample};
use world::{OWNER, STRANGER, World};

/// An operation, and the names of the members of its records' `requestParameters`,
/// `responseElements` and `additionalEventData`; a hyphen stands for null, or for no such member.
///
/// Facts of the AWS KMS Developer Guide, "Examples of AWS KMS log entries", one page for each
/// operation; where the page shows several forms, of the newest. Beyond it, `ScheduleKeyDeletion`
/// has the member that its answer got since.
const KMS: &[(&str, &str, &str, &str)] = &[
    ("CancelKeyDeletion", "keyId", "keyId", "-"),
    ("CreateAlias", "aliasName targetKeyId", "keyId", "-"),
    ("CreateGrant", "constraints granteePrincipal keyId operations", "grantId keyId", "-"),
    (
        "CreateKey",
        "bypassPolicyLockoutSafetyCheck customerMasterKeySpec description keySpec keyUsage origin \
         policy",
        "keyMetadata",
        "-",
    ),
    ("Decapsulate", "encapsulationAlgorithm keyId", "-", "-"),
    ("Decrypt", "encryptionAlgorithm encryptionContext keyId", "-", "keyMaterialId"),
    ("DeleteAlias", "aliasName", "keyId", "-"),
    ("DeleteImportedKeyMaterial", "keyId keyMaterialId", "keyId keyMaterialId", "-"),
    ("DescribeKey", "keyId", "-", "-"),
    ("DisableKey", "keyId", "keyId", "-"),
    ("DisableKeyRotation", "keyId", "-", "-"),
    ("EnableKey", "keyId", "keyId", "-"),
    ("EnableKeyRotation", "keyId rotationPeriodInDays", "keyId", "-"),
    ("Encrypt", "encryptionAlgorithm encryptionContext keyId", "-", "keyMaterialId"),
    ("GenerateDataKey", "encryptionContext keyId keySpec", "-", "keyMaterialId"),
    ("GenerateDataKeyPair", "encryptionContext keyId keyPairSpec", "-", "keyMaterialId"),
    (
        "GenerateDataKeyPairWithoutPlaintext",
        "encryptionContext keyId keyPairSpec",
        "-",
        "keyMaterialId",
    ),
    ("GenerateDataKeyWithoutPlaintext", "encryptionContext keyId keySpec", "-", "keyMaterialId"),
    ("GenerateMac", "keyId macAlgorithm", "-", "-"),
    ("GenerateRandom", "-", "-", "-"),
    ("GetKeyPolicy", "keyId policyName", "-", "-"),
    ("GetKeyRotationStatus", "keyId", "-", "-"),
    ("GetParametersForImport", "keyId wrappingAlgorithm wrappingKeySpec", "-", "-"),
    (
        "ImportKeyMaterial",
        "expirationModel importType keyId keyMaterialDescription validTo",
        "keyId keyMaterialId",
        "-",
    ),
    ("ListAliases", "limit", "-", "-"),
    ("ListGrants", "keyId limit", "-", "-"),
    ("ListKeyRotations", "includeKeyMaterial keyId", "-", "-"),
    ("PutKeyPolicy", "bypassPolicyLockoutSafetyCheck keyId policy policyName", "-", "-"),
    (
        "ReEncrypt",
        "destinationEncryptionAlgorithm destinationEncryptionContext destinationKeyId \
         sourceEncryptionAlgorithm sourceEncryptionContext",
        "-",
        "destinationKeyMaterialId sourceKeyMaterialId",
    ),
    (
        "ReplicateKey",
        "bypassPolicyLockoutSafetyCheck description keyId replicaRegion",
        "replicaKeyMetadata replicaPolicy",
        "-",
    ),
    ("RetireGrant", "-", "-", "grantId"),
    ("RevokeGrant", "grantId keyId", "-", "-"),
    ("RotateKeyOnDemand", "keyId", "keyId", "-"),
    (
        "ScheduleKeyDeletion",
        "keyId pendingWindowInDays",
        "deletionDate keyId keyState pendingWindowInDays",
        "-",
    ),
    ("Sign", "keyId messageType signingAlgorithm", "-", "-"),
    ("TagResource", "keyId tags", "-", "-"),
    ("UntagResource", "keyId tagKeys", "-", "-"),
    ("UpdateAlias", "aliasName targetKeyId", "keyId", "-"),
    ("UpdateKeyDescription", "description keyId", "-", "-"),
    ("UpdatePrimaryRegion", "keyId primaryRegion", "keyId", "-"),
    ("Verify", "keyId messageType signingAlgorithm", "-", "-"),
    ("VerifyMac", "keyId macAlgorithm", "-", "-"),
];

/// What the guide's requests say beside what is in the samples.
fn as_in_the_guide(world: &World, name: &str, key: &str) -> Value {
    let context = json!({"Department": "Engineering"});
    let sealed = || {
        let input = json!({"KeyId": key, "Plaintext": "AAAA", "EncryptionContext": context});
        world.ok("Encrypt", &input)["CiphertextBlob"].clone()
    };
    let material = || {
        let rotations = json!({"KeyId": key, "IncludeKeyMaterial": "ALL_KEY_MATERIAL"});
        world.ok("ListKeyRotations", &rotations)["Rotations"][0]["KeyMaterialId"].clone()
    };
    match name {
        "CreateGrant" => json!({
            "Constraints": {"EncryptionContextSubset": context}, "Operations": ["Encrypt"],
        }),
        "CreateKey" => json!({"Policy": World::policy(&[OWNER])}),
        "Decrypt" => {
            json!({"KeyId": key, "CiphertextBlob": sealed(), "EncryptionContext": context})
        }
        "DeleteImportedKeyMaterial" => json!({"KeyMaterialId": material()}),
        "EnableKeyRotation" => json!({"RotationPeriodInDays": 180}),
        "Encrypt"
        | "GenerateDataKey"
        | "GenerateDataKeyPair"
        | "GenerateDataKeyPairWithoutPlaintext"
        | "GenerateDataKeyWithoutPlaintext" => json!({"EncryptionContext": context}),
        "ImportKeyMaterial" => json!({
            "ExpirationModel": "KEY_MATERIAL_EXPIRES", "ValidTo": 1_700_086_400,
            "ImportType": "EXISTING_KEY_MATERIAL", "KeyMaterialDescription": "d",
        }),
        "ListAliases" => json!({"Limit": 5}),
        "ListGrants" => json!({"Limit": 10}),
        "ListKeyRotations" => json!({"IncludeKeyMaterial": "ALL_KEY_MATERIAL"}),
        "ReEncrypt" => json!({
            "CiphertextBlob": sealed(), "SourceEncryptionContext": context,
            "DestinationEncryptionContext": {"Level": "3A"},
        }),
        _ => json!({}),
    }
}

/// The names of an object's members in their order.
fn names(object: &Value) -> String {
    let Some(members) = object.as_object() else { return "-".to_owned() };
    members.keys().map(String::as_str).collect::<Vec<_>>().join(" ")
}

#[test]
fn records_of_kms_have_the_members_of_awss() {
    for (name, parameters, elements, additional) in KMS {
        let world = World::new();
        let key = key_for(&world, name);
        let mut input = sample(&world, name, &key);
        let more = as_in_the_guide(&world, name, &key);
        let more = more.as_object().unwrap().clone();
        input.as_object_mut().unwrap().extend(more);
        world.ok(name, &input);
        let record = world.last_record();
        assert_eq!(record["eventName"], *name);
        assert_eq!(names(&record["requestParameters"]), *parameters, "{name}: {record}");
        assert_eq!(names(&record["responseElements"]), *elements, "{name}: {record}");
        assert_eq!(names(&record["additionalEventData"]), *additional, "{name}: {record}");
        assert_eq!(record["additionalEventData"].is_null(), *additional == "-");
        assert_eq!(
            (&record["eventType"], &record["managementEvent"]),
            (&json!("AwsApiCall"), &json!(true))
        );
    }
}

#[test]
fn what_a_request_left_out_is_shown_as_it_was_decided() {
    let world = World::new();
    let told = |name: &str, input: &Value| {
        world.ok(name, input);
        world.last_record()["requestParameters"].clone()
    };
    let made = told("CreateKey", &json!({}));
    assert_eq!(
        (&made["keySpec"], &made["customerMasterKeySpec"]),
        (&json!("SYMMETRIC_DEFAULT"), &json!("SYMMETRIC_DEFAULT"))
    );
    let made = told("CreateKey", &json!({"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"}));
    assert_eq!(made["customerMasterKeySpec"], "RSA_2048");
    assert_eq!((&made["keyUsage"], &made["origin"]), (&json!("SIGN_VERIFY"), &json!("AWS_KMS")));
    let key = world.key();
    let blob = world.sealed(&key);
    let opened = told("Decrypt", &json!({"CiphertextBlob": blob}));
    assert_eq!(opened, json!({"encryptionAlgorithm": "SYMMETRIC_DEFAULT"}));
    let scheduled = told("ScheduleKeyDeletion", &json!({"KeyId": key}));
    assert_eq!(scheduled["pendingWindowInDays"], 30);
    let record = world.last_record();
    assert_eq!(record["responseElements"]["deletionDate"], "Dec 14, 2023, 10:13:20 PM");
    assert_eq!(told("ListKeys", &json!({})), Value::Null);
}

#[test]
fn aliases_are_named_beside_their_keys() {
    let world = World::new();
    let (old, new) = (world.key(), world.key());
    let arns = || {
        let record = world.last_record();
        let resources = record["resources"].as_array().unwrap().clone();
        assert!(resources.iter().all(|one| one["type"] == "AWS::KMS::Key"));
        resources.into_iter().map(|one| one["ARN"].clone()).collect::<Vec<_>>()
    };
    let alias = format!("arn:aws:kms:us-east-1:{OWNER}:alias/there");
    let name = world.alias(&old);
    assert_eq!(arns(), [world.arn(&old), alias.clone()]);
    world.ok("UpdateAlias", &json!({"AliasName": name, "TargetKeyId": new}));
    assert_eq!(arns(), [alias.clone(), world.arn(&new), world.arn(&old)]);
    assert_eq!(world.last_record()["responseElements"]["keyId"], world.arn(&new));
    world.ok("DeleteAlias", &json!({"AliasName": name}));
    assert_eq!(arns(), [alias, world.arn(&new)]);
}

#[test]
fn a_denial_is_called_as_cloudtrail_calls_it() {
    let world = World::new();
    let key = world.key();
    let (_, body) = world.call(STRANGER, "DescribeKey", &json!({"KeyId": world.arn(&key)}));
    assert_eq!(body["__type"], "AccessDeniedException");
    let record = world.last_record();
    assert_eq!(record["errorCode"], "AccessDenied");
    assert_eq!(record["errorMessage"], body["message"]);
    assert_eq!(record["requestParameters"], json!({"keyId": world.arn(&key)}));
    assert_eq!(record["responseElements"], Value::Null);
    assert_eq!(record["recipientAccountId"], STRANGER);
    assert!(record.get("sharedEventID").is_none());
    world.call(OWNER, "DescribeKey", &json!({"KeyId": "11111111-2222-4333-8444-555555555555"}));
    assert_eq!(world.last_record()["errorCode"], "NotFoundException");
}

#[test]
fn the_owner_of_a_key_has_a_record_of_what_another_account_does_with_it() {
    let world = World::new();
    let key = world.key();
    world.open_to(&key, &[OWNER, STRANGER]);
    let before = world.records().len();
    let (status, _) =
        world.call(STRANGER, "Encrypt", &json!({"KeyId": world.arn(&key), "Plaintext": "AAAA"}));
    assert_eq!(status, 200);
    let records = world.records().split_off(before);
    let [owners, callers] = records.as_slice() else { panic!("{records:?}") };
    assert_eq!(callers["recipientAccountId"], STRANGER);
    assert_eq!(owners["recipientAccountId"], OWNER);
    assert_eq!(
        owners["userIdentity"],
        json!({
            "type": "AWSAccount", "principalId": STRANGER, "accountId": STRANGER,
        })
    );
    for same in ["sharedEventID", "requestID", "requestParameters", "resources", "eventTime"] {
        assert!(!owners[same].is_null());
        assert_eq!(owners[same], callers[same], "{same}");
    }
    assert_ne!(owners["eventID"], callers["eventID"]);
    // A use counts once, and by the caller's record, now and after a start.
    let usage =
        |world: &World| world.ok("GetKeyLastUsage", &json!({"KeyId": key}))["KeyLastUsage"].clone();
    assert_eq!(usage(&world)["CloudTrailEventId"], callers["eventID"]);
    let again = world.restarted(10);
    let keeper = kms::UsageKeeper::start(again.kms(), again.history(), again.now());
    assert!(again.wait(keeper).is_ok());
    assert_eq!(usage(&again)["CloudTrailEventId"], callers["eventID"]);
    world.ok("Encrypt", &json!({"KeyId": key, "Plaintext": "AAAA"}));
    assert!(world.last_record().get("sharedEventID").is_none());
}

#[test]
fn records_of_iam_and_sts_have_the_members_of_awss() {
    let world = Identities::new();
    let told = |service: &str, name: &str, form: &str| {
        let (status, answer) = match service {
            "iam" => world.iam(OWNER, name, form),
            _ => world.sts(OWNER, name, form),
        };
        assert_eq!(status, 200, "{name}: {answer}");
        let record = world.last_record();
        assert!(record.get("resources").is_none(), "{record}");
        let elements = &record["responseElements"];
        let inner = elements.as_object().and_then(|members| members.values().next());
        let told = [&record["requestParameters"], elements, inner.unwrap_or(&Value::Null)];
        (told.map(names), record)
    };
    let policy = concat!(
        "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A",
        "%22Allow%22%2C%22Action%22%3A%22%2A%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D"
    );
    for (service, name, form, expected) in [
        (
            "iam",
            "CreateUser",
            "UserName=ann&Tags.member.1.Key=a&Tags.member.1.Value=b",
            ["tags userName", "user", "arn createDate path tags userId userName"],
        ),
        (
            "iam",
            "CreateAccessKey",
            "UserName=ann",
            ["userName", "accessKey", "accessKeyId createDate status userName"],
        ),
        (
            "iam",
            "AttachUserPolicy",
            "UserName=ann&PolicyArn=arn:aws:iam::aws:policy/AdministratorAccess",
            ["policyArn userName", "-", "-"],
        ),
        ("iam", "GetUser", "UserName=ann", ["userName", "-", "-"]),
        (
            "sts",
            "GetFederationToken",
            &format!("Name=fed&Policy={policy}"),
            [
                "name policy",
                "credentials federatedUser packedPolicySize sessionTokenSize \
                 sessionTokenUtilization",
                "accessKeyId expiration",
            ],
        ),
        ("sts", "GetCallerIdentity", "", ["-", "-", "-"]),
    ] {
        let (names, record) = told(service, name, form);
        assert_eq!(names, expected, "{name}: {record}");
    }
    world.iam(OWNER, "GetUser", "UserName=nobody");
    let record = world.last_record();
    assert_eq!(record["errorCode"], "NoSuchEntityException");
    assert_eq!(record["requestParameters"], json!({"userName": "nobody"}));
}

#[test]
fn each_service_writes_dates_in_its_way() {
    let world = Identities::new();
    world.iam(OWNER, "CreateUser", "UserName=ann");
    world.sts(OWNER, "GetFederationToken", "Name=fed");
    let date = |name: &str| {
        let record = world.records().into_iter().find(|record| record["eventName"] == name);
        record.unwrap()["responseElements"].clone()
    };
    assert_eq!(date("CreateUser")["user"]["createDate"], "Nov 14, 2023 10:13:20 PM");
    let expiration = &date("GetFederationToken")["credentials"]["expiration"];
    assert_eq!(expiration, "Nov 14, 2023, 11:13:20 PM");
}

/// Every operation has a row, or AWS's guide has no page for it.
#[test]
fn operations_without_an_example() {
    let rows: Vec<_> = KMS.iter().map(|row| row.0).collect();
    let without: Vec<_> = registry()
        .map(|operation| operation.facts().name)
        .filter(|name| !rows.contains(name))
        .collect();
    assert_eq!(
        without,
        [
            "DeriveSharedSecret",
            "Encapsulate",
            "GetKeyLastUsage",
            "GetPublicKey",
            "ListKeyPolicies",
            "ListKeys",
            "ListResourceTags",
            "ListRetirableGrants",
        ]
    );
}
