//! What SimulateCustomPolicy and SimulatePrincipalPolicy ask and answer.

use crate::declare::{enums, integer, list, map, text};
use crate::iam::names::is_name_character;
use crate::iam::{ArnText, PolicyDocument, PolicyName};
use crate::shapes::UNBOUNDED;

text! {
    /// An action, such as `kms:Decrypt`.
    ActionName = "ActionNameType", 3..=128;
    /// A resource's ARN, a principal's, or `*`.
    ResourceName = "ResourceNameType", 1..=2048;
    /// Which resources of a scenario of EC2 to take as given.
    ResourceHandlingOption = "ResourceHandlingOptionType", 1..=64;
    /// The key of a condition, such as `aws:SourceIp`.
    ContextKeyName = "ContextKeyNameType", 5..=256;
    /// A value of such a key.
    ContextKeyValue = "ContextKeyValueType", 0..=UNBOUNDED;
    /// Which kind of policy decided, such as an account's own.
    EvalDecisionSource = "EvalDecisionSourceType", 3..=256;
    /// Which of the policies a statement stands in.
    PolicyIdentifierText = "PolicyIdentifierType", 0..=UNBOUNDED;
    /// The name of the user, group or role that has an inline policy.
    AttachmentName = "AttachmentName", 1..=128, pattern "[\\w+=,.@-]+" by
        |text| !text.is_empty() && text.chars().all(is_name_character);
}

integer! {
    /// A line of a policy document, counted from one.
    LineNumber = "LineNumber", i32::MIN..=i32::MAX;
    /// A column of a policy document, counted from one.
    ColumnNumber = "ColumnNumber", i32::MIN..=i32::MAX;
}

enums! {
    /// How a request would be decided.
    PolicyEvaluationDecision = "PolicyEvaluationDecisionType" {
        Allowed = "allowed",
        ExplicitDeny = "explicitDeny",
        ImplicitDeny = "implicitDeny",
    }

    /// Of which kind the policy is that a statement stands in.
    PolicySource = "PolicySourceType" {
        User = "user",
        Group = "group",
        Role = "role",
        AwsManaged = "aws-managed",
        UserManaged = "user-managed",
        Resource = "resource",
        None = "none",
    }

    /// The type of a condition key's values.
    ContextKeyType = "ContextKeyTypeEnum" {
        String = "string",
        StringList = "stringList",
        Numeric = "numeric",
        NumericList = "numericList",
        Boolean = "boolean",
        BooleanList = "booleanList",
        Ip = "ip",
        IpList = "ipList",
        Binary = "binary",
        BinaryList = "binaryList",
        Date = "date",
        DateList = "dateList",
    }

    /// Of which kind a policy is that a simulation leaves out.
    PolicyIdentifierPolicyType {
        Inline = "inline",
        AwsManaged = "aws-managed",
        UserManaged = "user-managed",
        PermissionBoundary = "permission-boundary",
        Scp = "scp",
        Rcp = "rcp",
    }

    /// What an inline policy belongs to.
    AttachmentType {
        User = "user",
        Group = "group",
        Role = "role",
    }
}

list! {
    /// Actions to simulate.
    ActionNames = "ActionNameListType" of ActionName, 0..=UNBOUNDED;
    /// Resources to simulate them on.
    ResourceNames = "ResourceNameListType" of ResourceName, 0..=UNBOUNDED;
    /// Policies to simulate, beside those that are attached.
    SimulationPolicies = "SimulationPolicyListType" of PolicyDocument, 0..=UNBOUNDED;
    /// The policies of an organization, from its root down.
    OrganizationPolicies = "OrganizationPolicyListType" of OrderedOrganizationPolicy, 0..=7;
    /// Policies to leave out.
    PolicyExclusions = "PolicyExclusionsListType" of PolicyIdentifier, 0..=256;
    /// The context of the simulated request.
    ContextEntries = "ContextEntryListType" of ContextEntry, 0..=UNBOUNDED;
    /// Values of one condition key.
    ContextKeyValues = "ContextKeyValueListType" of ContextKeyValue, 0..=UNBOUNDED;
    /// Condition keys that policies ask for.
    ContextKeyNames = "ContextKeyNamesResultListType" of ContextKeyName, 0..=UNBOUNDED;
    /// Statements that decided.
    Statements = "StatementListType" of Statement, 0..=UNBOUNDED;
    /// A page of decisions.
    EvaluationResults = "EvaluationResultsListType" of EvaluationResult, 0..=UNBOUNDED;
    /// Decisions on one resource each.
    ResourceSpecificResults = "ResourceSpecificResultListType" of ResourceSpecificResult,
        0..=UNBOUNDED;
}

map! {
    /// What each kind of policy says.
    EvalDecisionDetails = "EvalDecisionDetailsType" of
        EvalDecisionSource => PolicyEvaluationDecision;
}

crate::structure! {
    /// A condition key of the simulated request with its values.
    pub struct ContextEntry {
        context_key_name: ContextKeyName = optional "ContextKeyName",
        context_key_values: ContextKeyValues = optional "ContextKeyValues",
        context_key_type: ContextKeyType = optional "ContextKeyType",
    }

    /// The service control policies of one level of an organization.
    pub struct OrderedOrganizationPolicy = "OrderedOrganizationPolicyType" {
        service_control_policy_input_list: SimulationPolicies =
            optional "ServiceControlPolicyInputList",
    }

    /// A policy to leave out: one of the members.
    pub struct PolicyIdentifier {
        policy_type: PolicyIdentifierPolicyType = optional "PolicyType",
        policy_arn: ArnText = optional "PolicyArn",
        inline_policy_identifier: InlinePolicyIdentifier = optional "InlinePolicyIdentifier",
    }

    /// An inline policy, by whose it is.
    pub struct InlinePolicyIdentifier = "InlinePolicyIdentifierType" {
        policy_name: PolicyName = required "PolicyName",
        attachment_type: AttachmentType = required "AttachmentType",
        attachment_name: AttachmentName = required "AttachmentName",
    }

    /// The decision on one action.
    pub struct EvaluationResult {
        eval_action_name: ActionName = required "EvalActionName",
        eval_resource_name: ResourceName = optional "EvalResourceName",
        eval_decision: PolicyEvaluationDecision = required "EvalDecision",
        matched_statements: Statements = optional "MatchedStatements",
        missing_context_values: ContextKeyNames = optional "MissingContextValues",
        organizations_decision_detail: OrganizationsDecisionDetail =
            optional "OrganizationsDecisionDetail",
        permissions_boundary_decision_detail: PermissionsBoundaryDecisionDetail =
            optional "PermissionsBoundaryDecisionDetail",
        eval_decision_details: EvalDecisionDetails = optional "EvalDecisionDetails",
        resource_specific_results: ResourceSpecificResults = optional "ResourceSpecificResults",
    }

    /// The decision on one action and one resource.
    pub struct ResourceSpecificResult {
        eval_resource_name: ResourceName = required "EvalResourceName",
        eval_resource_decision: PolicyEvaluationDecision = required "EvalResourceDecision",
        matched_statements: Statements = optional "MatchedStatements",
        missing_context_values: ContextKeyNames = optional "MissingContextValues",
        eval_decision_details: EvalDecisionDetails = optional "EvalDecisionDetails",
        permissions_boundary_decision_detail: PermissionsBoundaryDecisionDetail =
            optional "PermissionsBoundaryDecisionDetail",
    }

    /// Where a statement stands that decided.
    pub struct Statement {
        source_policy_id: PolicyIdentifierText = optional "SourcePolicyId",
        source_policy_type: PolicySource = optional "SourcePolicyType",
        start_position: Position = optional "StartPosition",
        end_position: Position = optional "EndPosition",
    }

    /// A place in a policy document.
    pub struct Position {
        line: LineNumber = optional "Line",
        column: ColumnNumber = optional "Column",
    }

    /// What the policies of the organization say.
    pub struct OrganizationsDecisionDetail {
        allowed_by_organizations: bool = optional "AllowedByOrganizations",
    }

    /// What the permissions boundary says.
    pub struct PermissionsBoundaryDecisionDetail {
        allowed_by_permissions_boundary: bool = optional "AllowedByPermissionsBoundary",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Invalid, Node, Reader, Write as _, XmlWriter};

    fn read(json: &str) -> Result<EvalDecisionDetails, Invalid> {
        Reader::json().read(&Node::from_json(json.as_bytes()).unwrap())
    }

    #[test]
    fn decisions_by_kind_of_policy_are_a_map() {
        let details = read(r#"{"IAM Policy":"allowed","KMS":"explicitDeny"}"#);
        let mut out = XmlWriter::new();
        details.unwrap_or_else(|invalid| panic!("{invalid:?}")).write(&mut out);
        assert_eq!(
            std::str::from_utf8(&out.finish()).unwrap(),
            "<entry><key>IAM Policy</key><value>allowed</value></entry>\
             <entry><key>KMS</key><value>explicitDeny</value></entry>"
        );
    }

    #[test]
    fn keys_and_values_of_a_map_have_their_bounds() {
        let Err(Invalid::Violations(text)) = read(r#"{"ab":"allowed","abc":"yes"}"#) else {
            panic!("valid");
        };
        assert!(text.starts_with("2 validation errors detected: Value 'ab' at "), "{text}");
        assert!(text.contains("; Value 'yes' at 'abc' failed"), "{text}");
        assert!(matches!(read(r#"{"abc":1}"#), Err(Invalid::Malformed(_))));
    }

    #[test]
    fn a_decision_nests_its_statements() {
        let place = |line| Position { line: Some(LineNumber::of(line)), column: None };
        let statement = Statement {
            source_policy_id: Some(PolicyIdentifierText::of("user_alice_p")),
            source_policy_type: Some(PolicySource::User),
            start_position: Some(place(1)),
            end_position: Some(place(9)),
        };
        let mut out = XmlWriter::new();
        Statements(vec![statement]).write(&mut out);
        assert_eq!(
            std::str::from_utf8(&out.finish()).unwrap(),
            "<member><SourcePolicyId>user_alice_p</SourcePolicyId>\
             <SourcePolicyType>user</SourcePolicyType>\
             <StartPosition><Line>1</Line></StartPosition>\
             <EndPosition><Line>9</Line></EndPosition></member>"
        );
    }
}
