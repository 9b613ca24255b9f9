"""Makes what EC2 has of networks: no answer of EC2 has an ARN of them, the official format has."""

from __future__ import annotations

from zoo.base import Site, maker


def _one(on: Site, kind: str, resource: str, identifier: str, name: str = "") -> str:
    on.compose("ec2", kind, f"{resource}/{identifier}", **{name or f"{kind}Id": identifier})
    return identifier


@maker(second=True)
def vpc(on: Site) -> None:
    ec2 = on.client("ec2")
    vpc = _one(on, "Vpc", "vpc", ec2.create_vpc(CidrBlock="10.1.0.0/16")["Vpc"]["VpcId"])
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.1.1.0/24")["Subnet"]
    on.record("ec2", "Subnet", subnet["SubnetArn"], SubnetId=subnet["SubnetId"])
    group = ec2.create_security_group(GroupName="zoo-web", Description="web", VpcId=vpc)["GroupId"]
    _one(on, "SecurityGroup", "security-group", group, "GroupId")
    table = _one(on, "RouteTable", "route-table", ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"])
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet["SubnetId"])
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    _one(on, "InternetGateway", "internet-gateway", gateway)
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    acl = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    _one(on, "NetworkAcl", "network-acl", acl)
    egress = ec2.create_egress_only_internet_gateway(VpcId=vpc)["EgressOnlyInternetGateway"]
    _one(on, "EgressOnlyInternetGateway", "egress-only-internet-gateway", egress["EgressOnlyInternetGatewayId"])


@maker
def rules(on: Site) -> None:
    ec2 = on.client("ec2")
    _, _, group = on.network()
    answer = ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}],
    )
    rule = answer["SecurityGroupRules"][0]["SecurityGroupRuleId"]
    _one(on, "SecurityGroupRule", "security-group-rule", rule)


@maker(second=True)
def addresses(on: Site) -> None:
    ec2 = on.client("ec2")
    _, subnets, _ = on.network()
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    _one(on, "Address", "elastic-ip", address, "AllocationId")
    nat = ec2.create_nat_gateway(SubnetId=subnets[0], AllocationId=address)["NatGateway"]["NatGatewayId"]
    _one(on, "NatGateway", "natgateway", nat)
    interface = ec2.create_network_interface(SubnetId=subnets[1])["NetworkInterface"]["NetworkInterfaceId"]
    _one(on, "NetworkInterface", "network-interface", interface)


@maker
def options(on: Site) -> None:
    ec2 = on.client("ec2")
    vpc, subnets, _ = on.network()
    values = [{"Key": "domain-name", "Values": ["example.com"]}]
    options = ec2.create_dhcp_options(DhcpConfigurations=values)["DhcpOptions"]["DhcpOptionsId"]
    _one(on, "DhcpOptions", "dhcp-options", options)
    prefixes = ec2.create_managed_prefix_list(PrefixListName="zoo", MaxEntries=2, AddressFamily="IPv4")["PrefixList"]
    on.record("ec2", "ManagedPrefixList", prefixes["PrefixListArn"], PrefixListId=prefixes["PrefixListId"])
    reservation = ec2.create_subnet_cidr_reservation(SubnetId=subnets[0], Cidr="10.20.0.0/28", ReservationType="prefix")
    identifier = reservation["SubnetCidrReservation"]["SubnetCidrReservationId"]
    _one(on, "SubnetCidrReservation", "subnet-cidr-reservation", identifier)
    carrier = ec2.create_carrier_gateway(VpcId=vpc)["CarrierGateway"]["CarrierGatewayId"]
    _one(on, "CarrierGateway", "carrier-gateway", carrier)


@maker
def flow_logs(on: Site) -> None:
    vpc, _, _ = on.network()
    answer = on.client("ec2").create_flow_logs(
        ResourceIds=[vpc],
        ResourceType="VPC",
        TrafficType="ALL",
        LogGroupName="zoo-flow",
        DeliverLogsPermissionArn=_existing_role(on),
    )
    _one(on, "FlowLog", "vpc-flow-log", answer["FlowLogIds"][0])


def _existing_role(on: Site) -> str:
    trust = '{"Version": "2012-10-17", "Statement": []}'
    return on.client("iam").create_role(RoleName="zoo-flow", AssumeRolePolicyDocument=trust)["Role"]["Arn"]


@maker
def peering(on: Site) -> None:
    ec2 = on.client("ec2")
    vpc, _, _ = on.network()
    peer = ec2.create_vpc(CidrBlock="10.77.0.0/16")["Vpc"]["VpcId"]
    answer = ec2.create_vpc_peering_connection(VpcId=vpc, PeerVpcId=peer)["VpcPeeringConnection"]
    _one(on, "VpcPeeringConnection", "vpc-peering-connection", answer["VpcPeeringConnectionId"])


@maker
def vpn(on: Site) -> None:
    ec2 = on.client("ec2")
    customer = ec2.create_customer_gateway(Type="ipsec.1", PublicIp="203.0.113.7", BgpAsn=65000)["CustomerGateway"]
    _one(on, "CustomerGateway", "customer-gateway", customer["CustomerGatewayId"])
    gateway = ec2.create_vpn_gateway(Type="ipsec.1")["VpnGateway"]["VpnGatewayId"]
    _one(on, "VpnGateway", "vpn-gateway", gateway)
    connection = ec2.create_vpn_connection(
        CustomerGatewayId=customer["CustomerGatewayId"], Type="ipsec.1", VpnGatewayId=gateway
    )["VpnConnection"]
    _one(on, "VpnConnection", "vpn-connection", connection["VpnConnectionId"])


@maker
def transit(on: Site) -> None:
    ec2 = on.client("ec2")
    vpc, subnets, _ = on.network()
    gateway = ec2.create_transit_gateway(Description="zoo")["TransitGateway"]
    identifier = gateway["TransitGatewayId"]
    on.record("ec2", "TransitGateway", gateway["TransitGatewayArn"], TransitGatewayId=identifier)
    table = ec2.create_transit_gateway_route_table(TransitGatewayId=identifier)["TransitGatewayRouteTable"]
    _one(on, "TransitGatewayRouteTable", "transit-gateway-route-table", table["TransitGatewayRouteTableId"])
    attachment = ec2.create_transit_gateway_vpc_attachment(
        TransitGatewayId=identifier, VpcId=vpc, SubnetIds=list(subnets)
    )["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]
    _one(on, "TransitGatewayVpcAttachment", "transit-gateway-attachment", attachment, "TransitGatewayAttachmentId")
    other = ec2.create_transit_gateway(Description="peer")["TransitGateway"]["TransitGatewayId"]
    peering = ec2.create_transit_gateway_peering_attachment(
        TransitGatewayId=identifier, PeerTransitGatewayId=other, PeerAccountId=on.account, PeerRegion=on.region
    )["TransitGatewayPeeringAttachment"]["TransitGatewayAttachmentId"]
    _one(on, "TransitGatewayPeeringAttachment", "transit-gateway-attachment", peering, "TransitGatewayAttachmentId")


@maker
def endpoints(on: Site) -> None:
    ec2 = on.client("ec2")
    vpc, subnets, _ = on.network()
    endpoint = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=f"com.amazonaws.{on.region}.s3")["VpcEndpoint"]
    _one(on, "VpcEndpoint", "vpc-endpoint", endpoint["VpcEndpointId"])
    balancer = on.client("elbv2").create_load_balancer(Name="zoo-endpoint", Type="network", Subnets=list(subnets))
    arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    service = ec2.create_vpc_endpoint_service_configuration(NetworkLoadBalancerArns=[arn])["ServiceConfiguration"]
    _one(on, "VpcEndpointServiceConfiguration", "vpc-endpoint-service", service["ServiceId"], "ServiceId")


@maker
def mirrors(on: Site) -> None:
    ec2 = on.client("ec2")
    _, subnets, _ = on.network()
    interfaces = [ec2.create_network_interface(SubnetId=subnets[0])["NetworkInterface"] for _ in range(2)]
    first, second = (one["NetworkInterfaceId"] for one in interfaces)
    mirror_filter = ec2.create_traffic_mirror_filter()["TrafficMirrorFilter"]["TrafficMirrorFilterId"]
    _one(on, "TrafficMirrorFilter", "traffic-mirror-filter", mirror_filter)
    target = ec2.create_traffic_mirror_target(NetworkInterfaceId=first)["TrafficMirrorTarget"]["TrafficMirrorTargetId"]
    _one(on, "TrafficMirrorTarget", "traffic-mirror-target", target)
    session = ec2.create_traffic_mirror_session(
        NetworkInterfaceId=second, TrafficMirrorTargetId=target, TrafficMirrorFilterId=mirror_filter, SessionNumber=1
    )["TrafficMirrorSession"]["TrafficMirrorSessionId"]
    _one(on, "TrafficMirrorSession", "traffic-mirror-session", session)


@maker(second=True)
def elb(on: Site) -> None:
    zones = [f"{on.region}a"]
    listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 8080}
    on.client("elb").create_load_balancer(LoadBalancerName="zoo-classic", Listeners=[listener], AvailabilityZones=zones)
    on.compose(
        "elb",
        "LoadBalancer",
        "loadbalancer/zoo-classic",
        prefix="elasticloadbalancing",
        LoadBalancerName="zoo-classic",
    )


@maker(second=True)
def elbv2(on: Site) -> None:
    vpc, subnets, _ = on.network()
    for kind, name in (("application", "app"), ("network", "net"), ("gateway", "gwy")):
        balancer = on.create(
            "elbv2", "LoadBalancer", "create_load_balancer", "LoadBalancers[0].LoadBalancerArn",
            Name=f"zoo-{name}", Type=kind, Subnets=list(subnets),
        )  # fmt: skip
        protocol, port = {"app": ("HTTP", 80), "net": ("TCP", 80), "gwy": ("GENEVE", 6081)}[name]
        target = on.create(
            "elbv2", "TargetGroup", "create_target_group", "TargetGroups[0].TargetGroupArn",
            Name=f"zoo-{name}", Protocol=protocol, Port=port, VpcId=vpc,
        )  # fmt: skip
        action = {"Type": "forward", "TargetGroupArn": target.arn}
        where = {} if name == "gwy" else {"Protocol": protocol, "Port": port}
        listener = on.create(
            "elbv2", "Listener", "create_listener", "Listeners[0].ListenerArn",
            LoadBalancerArn=balancer.arn, DefaultActions=[action], **where,
        )  # fmt: skip
        if name == "app":
            on.create(
                "elbv2", "Rule", "create_rule", "Rules[0].RuleArn", ListenerArn=listener.arn, Priority=7,
                Conditions=[{"Field": "path-pattern", "Values": ["/x/*"]}], Actions=[action],
            )  # fmt: skip


@maker
def route53(on: Site) -> None:
    client = on.client("route53")
    zone = client.create_hosted_zone(Name="zoo.example.com", CallerReference="zoo")["HostedZone"]["Id"]
    whole = zone.rpartition("/")[2]
    on.compose("route53", "HostedZone", f"hostedzone/{whole}", region="", account="", Id=whole)
    check = client.create_health_check(
        CallerReference="zoo", HealthCheckConfig={"Type": "HTTP", "FullyQualifiedDomainName": "example.com", "Port": 80}
    )["HealthCheck"]["Id"]
    on.compose("route53", "HealthCheck", f"healthcheck/{check}", region="", account="", HealthCheckId=check)
    delegation = client.create_reusable_delegation_set(CallerReference="zoo")["DelegationSet"]["Id"].rpartition("/")[2]
    on.compose("route53", "ReusableDelegationSet", f"delegationset/{delegation}", region="", account="", Id=delegation)
    on.client("logs", "us-east-1").create_log_group(logGroupName="/aws/route53/zoo.example.com")
    group = on.arn("logs", "log-group:/aws/route53/zoo.example.com", region="us-east-1")
    answer = client.create_query_logging_config(HostedZoneId=whole, CloudWatchLogsLogGroupArn=f"{group}:*")
    logging = answer["QueryLoggingConfig"]["Id"]
    on.compose("route53", "QueryLoggingConfig", f"queryloggingconfig/{logging}", region="", account="", Id=logging)


@maker
def route53resolver(on: Site) -> None:
    vpc, subnets, group = on.network()
    addresses = [{"SubnetId": subnet} for subnet in subnets]
    endpoint = on.create(
        "route53resolver", "ResolverEndpoint", "create_resolver_endpoint", "ResolverEndpoint.Arn", ids="Id",
        CreatorRequestId="zoo", Name="zoo", SecurityGroupIds=[group], Direction="OUTBOUND", IpAddresses=addresses,
    )  # fmt: skip
    rule = on.create(
        "route53resolver", "ResolverRule", "create_resolver_rule", "ResolverRule.Arn", ids="Id",
        CreatorRequestId="zoo", Name="zoo", RuleType="FORWARD", DomainName="example.com",
        TargetIps=[{"Ip": "10.0.0.1", "Port": 53}], ResolverEndpointId=endpoint.ids["Id"],
    )  # fmt: skip
    on.client("route53resolver").associate_resolver_rule(ResolverRuleId=rule.ids["Id"], VPCId=vpc)
    on.create(
        "route53resolver", "ResolverQueryLogConfig", "create_resolver_query_log_config", "ResolverQueryLogConfig.Arn",
        ids="Id", Name="zoo", CreatorRequestId="zoo", DestinationArn=on.arn("logs", "log-group:zoo:*"),
    )  # fmt: skip
