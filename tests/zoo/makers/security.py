"""Makes what guards: keys, certificates, secrets, firewalls and findings."""

from __future__ import annotations

from zoo.base import Site, maker


@maker(second=True)
def kms(on: Site) -> None:
    key = on.create("kms", "Key", "create_key", "KeyMetadata.Arn", ids="KeyId", Description="zoo").ids["KeyId"]
    client = on.client("kms")
    client.create_alias(AliasName="alias/zoo", TargetKeyId=key)
    alias = next(one for one in client.list_aliases()["Aliases"] if one["AliasName"] == "alias/zoo")
    on.record("kms", "Alias", alias["AliasArn"], AliasName="alias/zoo")


@maker(second=True)
def acm(on: Site) -> None:
    on.create("acm", "Certificate", "request_certificate", "CertificateArn", DomainName="zoo.example.com")


@maker
def acm_pca(on: Site) -> None:
    subject = {"Country": "DE", "Organization": "zoo", "CommonName": "zoo"}
    configuration = {"KeyAlgorithm": "RSA_2048", "SigningAlgorithm": "SHA256WITHRSA", "Subject": subject}
    on.create(
        "acm-pca", "CertificateAuthority", "create_certificate_authority", "CertificateAuthorityArn",
        CertificateAuthorityConfiguration=configuration, CertificateAuthorityType="ROOT",
    )  # fmt: skip


@maker(second=True)
def secretsmanager(on: Site) -> None:
    for name in ("zoo", "team/zoo"):
        on.create(
            "secretsmanager", "Secret", "create_secret", "ARN", ids="Name", Name=name, SecretString="not-a-secret"
        )


@maker
def guardduty(on: Site) -> None:
    client = on.client("guardduty")
    detector = client.create_detector(Enable=True)["DetectorId"]
    on.compose("guardduty", "Detector", f"detector/{detector}", DetectorId=detector)
    client.create_filter(DetectorId=detector, Name="zoo", FindingCriteria={"Criterion": {"severity": {"Gte": 4}}})
    on.compose("guardduty", "Filter", f"detector/{detector}/filter/zoo", DetectorId=detector, FilterName="zoo")


@maker
def inspector2(on: Site) -> None:
    on.create(
        "inspector2", "Filter", "create_filter", "arn", action="SUPPRESS", name="zoo",
        filterCriteria={"severity": [{"comparison": "EQUALS", "value": "LOW"}]},
    )  # fmt: skip


@maker
def securityhub(on: Site) -> None:
    client = on.client("securityhub")
    client.enable_security_hub()
    on.record("securityhub", "Hub", client.describe_hub()["HubArn"])


@maker
def wafv2(on: Site) -> None:
    visible = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "zoo"}
    for scope, region in (("REGIONAL", on.region), ("CLOUDFRONT", "us-east-1")):
        where = {"Scope": scope, "region": region}
        on.create(
            "wafv2", "WebACL", "create_web_acl", "Summary.ARN", ids="Name Id Scope", Name="zoo",
            DefaultAction={"Allow": {}}, VisibilityConfig=visible, **where,
        )  # fmt: skip
        on.create(
            "wafv2", "IPSet", "create_ip_set", "Summary.ARN", ids="Name Id Scope", Name="zoo",
            IPAddressVersion="IPV4", Addresses=["192.0.2.0/24"], **where,
        )  # fmt: skip
        on.create(
            "wafv2", "RegexPatternSet", "create_regex_pattern_set", "Summary.ARN", ids="Name Id Scope", Name="zoo",
            RegularExpressionList=[{"RegexString": "x"}], **where,
        )  # fmt: skip
        on.create(
            "wafv2", "RuleGroup", "create_rule_group", "Summary.ARN", ids="Name Id Scope", Name="zoo", Capacity=10,
            VisibilityConfig=visible, Rules=[], **where,
        )  # fmt: skip


@maker
def shield(on: Site) -> None:
    client = on.client("shield", "us-east-1")
    client.create_subscription()
    address = on.client("ec2", "us-east-1").allocate_address(Domain="vpc")["AllocationId"]
    resource = on.arn("ec2", f"eip-allocation/{address}", region="us-east-1")
    made = client.create_protection(Name="zoo", ResourceArn=resource)["ProtectionId"]
    found = client.describe_protection(ProtectionId=made)["Protection"]
    on.record("shield", "Protection", found["ProtectionArn"], ProtectionId=made, region="us-east-1")


@maker
def cloudhsmv2(on: Site) -> None:
    _, subnets, _ = on.network()
    client = on.client("cloudhsmv2")
    made = client.create_cluster(HsmType="hsm1.medium", SubnetIds=list(subnets))["Cluster"]["ClusterId"]
    on.compose("cloudhsmv2", "Cluster", f"cluster/{made}", prefix="cloudhsm", ClusterId=made)


@maker
def payment_cryptography(on: Site) -> None:
    attributes = {
        "KeyUsage": "TR31_P0_PIN_ENCRYPTION_KEY",
        "KeyClass": "SYMMETRIC_KEY",
        "KeyAlgorithm": "TDES_3KEY",
        "KeyModesOfUse": {"Encrypt": True, "Decrypt": True, "Wrap": True, "Unwrap": True},
    }
    on.create(
        "payment-cryptography", "Key", "create_key", "Key.KeyArn", KeyAttributes=attributes, Exportable=True,
    )  # fmt: skip
    on.client("payment-cryptography").create_alias(AliasName="alias/zoo")
    on.compose("payment-cryptography", "Alias", "alias/zoo", AliasName="alias/zoo")


@maker
def signer(on: Site) -> None:
    on.create(
        "signer", "SigningProfile", "put_signing_profile", "arn", ids="profileName", profileName="zoo",
        platformId="AWSLambda-SHA384-ECDSA",
    )  # fmt: skip


@maker
def network_firewall(on: Site) -> None:
    vpc, subnets, _ = on.network()
    policy = on.arn("network-firewall", "firewall-policy/zoo")
    on.create(
        "network-firewall", "Firewall", "create_firewall", "Firewall.FirewallArn", ids="FirewallName",
        FirewallName="zoo", FirewallPolicyArn=policy, VpcId=vpc, SubnetMappings=[{"SubnetId": subnets[0]}],
    )  # fmt: skip
