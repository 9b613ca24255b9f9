"""Makes who may do what: IAM, directories, user pools, single sign-on and organizations."""

from __future__ import annotations

import json

from zoo.base import Site, maker

_TRUST = json.dumps({"Version": "2012-10-17", "Statement": []})
_POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]}
)


@maker
def iam(on: Site) -> None:
    for path in ("/", "/team/x/"):
        suffix = "deep" if path != "/" else "flat"
        on.create("iam", "User", "create_user", "User.Arn", ids="UserName", UserName=f"ann-{suffix}", Path=path)
        on.create("iam", "Group", "create_group", "Group.Arn", ids="GroupName", GroupName=f"ops-{suffix}", Path=path)
        on.create(
            "iam", "Role", "create_role", "Role.Arn", ids="RoleName", RoleName=f"ci-{suffix}", Path=path,
            AssumeRolePolicyDocument=_TRUST,
        )  # fmt: skip
        on.create(
            "iam", "Policy", "create_policy", "Policy.Arn", ids="PolicyName", PolicyName=f"read-{suffix}", Path=path,
            PolicyDocument=_POLICY,
        )  # fmt: skip
        on.create(
            "iam", "InstanceProfile", "create_instance_profile", "InstanceProfile.Arn", ids="InstanceProfileName",
            InstanceProfileName=f"web-{suffix}", Path=path,
        )  # fmt: skip


@maker
def iam_providers(on: Site) -> None:
    on.create(
        "iam", "OpenIDConnectProvider", "create_open_id_connect_provider", "OpenIDConnectProviderArn",
        Url="https://token.example.com/zoo", ThumbprintList=["a" * 40],
    )  # fmt: skip
    on.create(
        "iam", "SAMLProvider", "create_saml_provider", "SAMLProviderArn", Name="zoo", SAMLMetadataDocument="x" * 1024
    )
    on.create(
        "iam", "VirtualMFADevice", "create_virtual_mfa_device", "VirtualMFADevice.SerialNumber",
        VirtualMFADeviceName="zoo",
    )  # fmt: skip


@maker
def iam_certificates(on: Site) -> None:
    certificate, key = on.certificate()
    on.create(
        "iam", "ServerCertificate", "upload_server_certificate", "ServerCertificateMetadata.Arn",
        ids="ServerCertificateName", ServerCertificateName="zoo", CertificateBody=certificate, PrivateKey=key,
    )  # fmt: skip


@maker
def iam_service_role(on: Site) -> None:
    on.create(
        "iam", "Role", "create_service_linked_role", "Role.Arn", ids="RoleName",
        AWSServiceName="autoscaling.amazonaws.com",
    )  # fmt: skip


@maker(second=True)
def cognito(on: Site) -> None:
    pool = on.create("cognito-idp", "UserPool", "create_user_pool", "UserPool.Arn", ids="Id", PoolName="zoo")
    assert pool.ids["Id"].startswith(on.region)
    identity = on.client("cognito-identity").create_identity_pool(
        IdentityPoolName="zoo", AllowUnauthenticatedIdentities=False
    )["IdentityPoolId"]
    on.compose("cognito-identity", "IdentityPool", f"identitypool/{identity}", IdentityPoolId=identity)


@maker
def directory(on: Site) -> None:
    vpc, subnets, _ = on.network()
    made = on.client("ds").create_directory(
        Name="corp.example.com",
        Password="Not-a-secret1",
        Size="Small",
        VpcSettings={"VpcId": vpc, "SubnetIds": subnets},
    )["DirectoryId"]
    on.compose("ds", "Directory", f"directory/{made}", DirectoryId=made)


@maker
def organizations(on: Site) -> None:
    client = on.client("organizations")
    on.create("organizations", "Organization", "create_organization", "Organization.Arn", ids="Id", FeatureSet="ALL")
    root = client.list_roots()["Roots"][0]
    on.record("organizations", "Root", root["Arn"], Id=root["Id"])
    unit = on.create(
        "organizations", "OrganizationalUnit", "create_organizational_unit", "OrganizationalUnit.Arn", ids="Id",
        ParentId=root["Id"], Name="workloads",
    )  # fmt: skip
    on.create(
        "organizations", "OrganizationalUnit", "create_organizational_unit", "OrganizationalUnit.Arn", ids="Id",
        ParentId=unit.ids["Id"], Name="prod",
    )  # fmt: skip
    made = client.create_account(Email="prod@example.com", AccountName="prod")["CreateAccountStatus"]["AccountId"]
    account = client.describe_account(AccountId=made)["Account"]
    on.record("organizations", "Account", account["Arn"], Id=made)
    on.create(
        "organizations", "Policy", "create_policy", "Policy.PolicySummary.Arn", ids="Id", Name="guard",
        Description="zoo", Type="SERVICE_CONTROL_POLICY", Content=_POLICY,
    )  # fmt: skip


@maker
def sso(on: Site) -> None:
    client = on.client("sso-admin")
    found = client.list_instances()["Instances"]
    if not found:
        client.create_instance(Name="zoo")
        found = client.list_instances()["Instances"]
    instance = found[0]["InstanceArn"]
    on.record("sso-admin", "Instance", instance)
    on.create(
        "sso-admin", "PermissionSet", "create_permission_set", "PermissionSet.PermissionSetArn", ids="InstanceArn",
        Name="Admin", InstanceArn=instance,
    )  # fmt: skip


@maker
def identitystore(on: Site) -> None:
    client = on.client("identitystore")
    store = "d-9067028cf5"
    user = client.create_user(
        IdentityStoreId=store, UserName="ann", DisplayName="Ann", Name={"GivenName": "A", "FamilyName": "B"}
    )["UserId"]
    on.compose("identitystore", "User", f"user/{user}", region="", account="", UserId=user, IdentityStoreId=store)
    group = client.create_group(IdentityStoreId=store, DisplayName="ops")["GroupId"]
    on.compose("identitystore", "Group", f"group/{group}", region="", account="", GroupId=group, IdentityStoreId=store)
    member = client.create_group_membership(IdentityStoreId=store, GroupId=group, MemberId={"UserId": user})
    identifier = member["MembershipId"]
    on.compose(
        "identitystore", "GroupMembership", f"membership/{identifier}", region="", account="", MembershipId=identifier,
        IdentityStoreId=store,
    )  # fmt: skip


@maker
def ram(on: Site) -> None:
    on.create("ram", "ResourceShare", "create_resource_share", "resourceShare.resourceShareArn", ids="name", name="zoo")
