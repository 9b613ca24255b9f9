"""Makes what stands between users and services: APIs, distributions, meshes, networks of services."""

from __future__ import annotations

from zoo.base import Site, maker


def _v1(on: Site, kind: str, resource: str, **ids: str) -> None:
    on.compose("apigateway", kind, resource, account="", **ids)


@maker(second=True)
def apigateway(on: Site) -> None:
    client = on.client("apigateway")
    api = client.create_rest_api(name="zoo")["id"]
    _v1(on, "RestApi", f"/restapis/{api}", restApiId=api)
    root = client.get_resources(restApiId=api)["items"][0]["id"]
    resource = client.create_resource(restApiId=api, parentId=root, pathPart="pets")["id"]
    _v1(on, "Resource", f"/restapis/{api}/resources/{resource}", restApiId=api, resourceId=resource)
    client.put_method(restApiId=api, resourceId=resource, httpMethod="GET", authorizationType="NONE")
    client.put_integration(restApiId=api, resourceId=resource, httpMethod="GET", type="MOCK")
    deployment = client.create_deployment(restApiId=api)["id"]
    _v1(on, "Deployment", f"/restapis/{api}/deployments/{deployment}", restApiId=api, deploymentId=deployment)
    client.create_stage(restApiId=api, stageName="prod", deploymentId=deployment)
    _v1(on, "Stage", f"/restapis/{api}/stages/prod", restApiId=api, stageName="prod")


@maker
def apigateway_more(on: Site) -> None:
    client = on.client("apigateway")
    api = client.create_rest_api(name="zoo-more")["id"]
    model = client.create_model(restApiId=api, name="Pet", contentType="application/json", schema="{}")["name"]
    _v1(on, "Model", f"/restapis/{api}/models/{model}", restApiId=api, modelName=model)
    authorizer = client.create_authorizer(
        restApiId=api, name="zoo", type="TOKEN", authorizerUri="arn:x", identitySource="method.request.header.A"
    )["id"]
    _v1(on, "Authorizer", f"/restapis/{api}/authorizers/{authorizer}", restApiId=api, authorizerId=authorizer)
    validator = client.create_request_validator(restApiId=api, name="zoo")["id"]
    _v1(
        on, "RequestValidator", f"/restapis/{api}/requestvalidators/{validator}", restApiId=api,
        requestValidatorId=validator,
    )  # fmt: skip
    key = client.create_api_key(name="zoo")["id"]
    _v1(on, "ApiKey", f"/apikeys/{key}", apiKey=key)
    plan = client.create_usage_plan(name="zoo")["id"]
    _v1(on, "UsagePlan", f"/usageplans/{plan}", usagePlanId=plan)
    client.create_domain_name(domainName="api.example.com", certificateArn=on.arn("acm", "certificate/zoo"))
    _v1(on, "DomainName", "/domainnames/api.example.com", domainName="api.example.com")
    link = client.create_vpc_link(name="zoo", targetArns=[on.arn("elasticloadbalancing", "loadbalancer/net/a/b")])["id"]
    _v1(on, "VpcLink", f"/vpclinks/{link}", vpcLinkId=link)


def _v2(on: Site, kind: str, resource: str, **ids: str) -> None:
    on.compose("apigatewayv2", kind, resource, prefix="apigateway", account="", **ids)


@maker(second=True)
def apigatewayv2(on: Site) -> None:
    client = on.client("apigatewayv2")
    api = client.create_api(Name="zoo", ProtocolType="HTTP")["ApiId"]
    _v2(on, "Api", f"/apis/{api}", ApiId=api)
    integration = client.create_integration(
        ApiId=api, IntegrationType="HTTP_PROXY", IntegrationUri="https://example.com", IntegrationMethod="GET",
        PayloadFormatVersion="1.0",
    )["IntegrationId"]  # fmt: skip
    _v2(on, "Integration", f"/apis/{api}/integrations/{integration}", ApiId=api, IntegrationId=integration)
    route = client.create_route(ApiId=api, RouteKey="GET /pets", Target=f"integrations/{integration}")["RouteId"]
    _v2(on, "Route", f"/apis/{api}/routes/{route}", ApiId=api, RouteId=route)
    client.create_stage(ApiId=api, StageName="prod")
    _v2(on, "Stage", f"/apis/{api}/stages/prod", ApiId=api, StageName="prod")


@maker
def apigatewayv2_more(on: Site) -> None:
    client = on.client("apigatewayv2")
    _, subnets, _ = on.network()
    api = client.create_api(Name="zoo-more", ProtocolType="WEBSOCKET", RouteSelectionExpression="$x")["ApiId"]
    authorizer = client.create_authorizer(
        ApiId=api, Name="zoo", AuthorizerType="REQUEST", IdentitySource=["route.request.header.A"],
        AuthorizerUri="arn:x", AuthorizerPayloadFormatVersion="2.0",
    )["AuthorizerId"]  # fmt: skip
    _v2(on, "Authorizer", f"/apis/{api}/authorizers/{authorizer}", ApiId=api, AuthorizerId=authorizer)
    model = client.create_model(ApiId=api, Name="Pet", ContentType="application/json", Schema="{}")["ModelId"]
    _v2(on, "Model", f"/apis/{api}/models/{model}", ApiId=api, ModelId=model)
    certificate = {"CertificateArn": on.arn("acm", "certificate/zoo"), "EndpointType": "REGIONAL"}
    client.create_domain_name(DomainName="ws.example.com", DomainNameConfigurations=[certificate])
    _v2(on, "DomainName", "/domainnames/ws.example.com", DomainName="ws.example.com")
    link = client.create_vpc_link(Name="zoo", SubnetIds=list(subnets))["VpcLinkId"]
    _v2(on, "VpcLink", f"/vpclinks/{link}", VpcLinkId=link)


@maker(second=True)
def appsync(on: Site) -> None:
    api = on.create(
        "appsync", "GraphqlApi", "create_graphql_api", "graphqlApi.arn", ids="apiId", name="zoo",
        authenticationType="API_KEY",
    ).ids["apiId"]  # fmt: skip
    on.client("appsync").create_api_key(apiId=api)


@maker
def appsync_events(on: Site) -> None:
    provider = {"authProviders": [{"authType": "API_KEY"}]}
    modes = {
        f"{kind}AuthModes": [{"authType": "API_KEY"}] for kind in ("connection", "defaultPublish", "defaultSubscribe")
    }
    api = on.create(
        "appsync", "Api", "create_api", "api.apiArn", ids="apiId", name="zoo", eventConfig={**provider, **modes}
    ).ids["apiId"]
    on.create(
        "appsync", "ChannelNamespace", "create_channel_namespace", "channelNamespace.channelNamespaceArn",
        ids="apiId name", apiId=api, name="news",
    )  # fmt: skip


@maker
def cloudfront(on: Site) -> None:
    origin = {"Id": "a", "DomainName": "zoo.s3.amazonaws.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}
    behaviour = {
        "TargetOriginId": "a", "ViewerProtocolPolicy": "allow-all", "MinTTL": 1,
        "ForwardedValues": {"QueryString": False, "Cookies": {"Forward": "none"}},
    }  # fmt: skip
    on.create(
        "cloudfront", "Distribution", "create_distribution", "Distribution.ARN", ids="Id",
        DistributionConfig={
            "CallerReference": "zoo", "Comment": "", "Enabled": True, "DefaultCacheBehavior": behaviour,
            "Origins": {"Quantity": 1, "Items": [origin]},
        },
    )  # fmt: skip
    client = on.client("cloudfront")
    control = client.create_origin_access_control(
        OriginAccessControlConfig={
            "Name": "zoo", "SigningProtocol": "sigv4", "SigningBehavior": "always",
            "OriginAccessControlOriginType": "s3",
        }
    )["OriginAccessControl"]["Id"]  # fmt: skip
    on.compose("cloudfront", "OriginAccessControl", f"origin-access-control/{control}", region="", Id=control)


@maker
def cloudfront_functions(on: Site) -> None:
    on.create(
        "cloudfront", "Function", "create_function", "FunctionSummary.FunctionMetadata.FunctionARN", ids="Name",
        Name="zoo", FunctionConfig={"Comment": "", "Runtime": "cloudfront-js-2.0"},
        FunctionCode=b"function handler(event) { return event.request; }",
    )  # fmt: skip
    on.create("cloudfront", "KeyValueStore", "create_key_value_store", "KeyValueStore.ARN", ids="Name", Name="zoo")


@maker
def appmesh(on: Site) -> None:
    def made(kind: str, operation: str, path: str, **params: object) -> None:
        name = next(reversed(params))
        on.create("appmesh", kind, operation, f"{path}.metadata.arn", ids=name, **params)

    made("Mesh", "create_mesh", "mesh", meshName="zoo")
    port = {"port": 80, "protocol": "http"}
    spec = {"listeners": [{"portMapping": port}]}
    made("VirtualNode", "create_virtual_node", "virtualNode", meshName="zoo", spec=spec, virtualNodeName="n")
    made("VirtualRouter", "create_virtual_router", "virtualRouter", meshName="zoo", spec=spec, virtualRouterName="r")
    made(
        "VirtualGateway", "create_virtual_gateway", "virtualGateway", meshName="zoo", spec=spec, virtualGatewayName="g"
    )
    action = {"weightedTargets": [{"virtualNode": "n", "weight": 1}]}
    route = {"httpRoute": {"match": {"prefix": "/"}, "action": action}}
    made("Route", "create_route", "route", meshName="zoo", spec=route, virtualRouterName="r", routeName="x")


@maker
def servicediscovery(on: Site) -> None:
    client = on.client("servicediscovery")
    client.create_http_namespace(Name="zoo")
    space = client.list_namespaces()["Namespaces"][0]
    on.record("servicediscovery", "Namespace", space["Arn"], Id=space["Id"])
    on.create(
        "servicediscovery", "Service", "create_service", "Service.Arn", ids="Id", Name="web", NamespaceId=space["Id"]
    )


@maker
def lattice(on: Site) -> None:
    vpc, _, _ = on.network()
    network = on.create(
        "vpc-lattice", "ServiceNetwork", "create_service_network", "arn", ids="id", name="zoo-network"
    ).ids["id"]
    service = on.create("vpc-lattice", "Service", "create_service", "arn", ids="id", name="zoo-service").ids["id"]
    on.create(
        "vpc-lattice", "ServiceNetworkVpcAssociation", "create_service_network_vpc_association", "arn", ids="id",
        serviceNetworkIdentifier=network, vpcIdentifier=vpc,
    )  # fmt: skip
    on.create(
        "vpc-lattice", "ServiceNetworkServiceAssociation", "create_service_network_service_association", "arn",
        ids="id", serviceNetworkIdentifier=network, serviceIdentifier=service,
    )  # fmt: skip
    target = on.create(
        "vpc-lattice", "TargetGroup", "create_target_group", "arn", ids="id", name="zoo-targets", type="IP",
        config={"port": 80, "protocol": "HTTP", "vpcIdentifier": vpc},
    ).ids["id"]  # fmt: skip
    forward = {"forward": {"targetGroups": [{"targetGroupIdentifier": target}]}}
    listener = on.create(
        "vpc-lattice", "Listener", "create_listener", "arn", ids="id serviceIdentifier", serviceIdentifier=service,
        name="web", protocol="HTTP", port=80, defaultAction=forward,
    ).ids["id"]  # fmt: skip
    on.create(
        "vpc-lattice", "Rule", "create_rule", "arn", ids="id serviceIdentifier listenerIdentifier",
        serviceIdentifier=service, listenerIdentifier=listener, name="first", priority=1, action=forward,
        match={"httpMatch": {"method": "GET"}},
    )  # fmt: skip


@maker
def lattice_logs(on: Site) -> None:
    service = on.client("vpc-lattice").create_service(name="zoo-logged")["id"]
    on.create(
        "vpc-lattice", "AccessLogSubscription", "create_access_log_subscription", "arn", ids="id",
        resourceIdentifier=service, destinationArn="arn:aws:s3:::zoo-logs",
    )  # fmt: skip


@maker
def networkmanager(on: Site) -> None:
    where = {"region": "us-west-2"}
    network = on.create(
        "networkmanager", "GlobalNetwork", "create_global_network", "GlobalNetwork.GlobalNetworkArn",
        ids="GlobalNetworkId", **where,
    ).ids["GlobalNetworkId"]  # fmt: skip
    site = on.create(
        "networkmanager", "Site", "create_site", "Site.SiteArn", ids="GlobalNetworkId SiteId", GlobalNetworkId=network,
        **where,
    ).ids["SiteId"]  # fmt: skip
    on.create(
        "networkmanager", "Link", "create_link", "Link.LinkArn", ids="GlobalNetworkId LinkId", SiteId=site,
        GlobalNetworkId=network, Bandwidth={"UploadSpeed": 1, "DownloadSpeed": 1}, **where,
    )  # fmt: skip
    on.create(
        "networkmanager", "Device", "create_device", "Device.DeviceArn", ids="GlobalNetworkId DeviceId",
        GlobalNetworkId=network, **where,
    )  # fmt: skip
    on.create(
        "networkmanager", "CoreNetwork", "create_core_network", "CoreNetwork.CoreNetworkArn", ids="CoreNetworkId",
        GlobalNetworkId=network, **where,
    )  # fmt: skip
