"""Makes databases: relational ones, and those for keys, documents, caches, time and search."""

from __future__ import annotations

from zoo.base import Site, maker

_MASTER = {"AllocatedStorage": 20, "MasterUsername": "zoo", "MasterUserPassword": "not-a-secret"}


def _instance(on: Site, service: str, name: str, engine: str, **params: object) -> None:
    on.create(
        service, "DBInstance", "create_db_instance", "DBInstance.DBInstanceArn", ids="DBInstanceIdentifier",
        DBInstanceIdentifier=name, DBInstanceClass="db.t3.medium", Engine=engine,
        **params,
    )  # fmt: skip


@maker(second=True)
def rds(on: Site) -> None:
    _instance(on, "rds", "zoo-db", "postgres", **_MASTER)
    on.create(
        "rds", "DBSnapshot", "create_db_snapshot", "DBSnapshot.DBSnapshotArn", ids="DBSnapshotIdentifier",
        DBSnapshotIdentifier="zoo-snap", DBInstanceIdentifier="zoo-db",
    )  # fmt: skip
    on.create(
        "rds", "DBCluster", "create_db_cluster", "DBCluster.DBClusterArn", ids="DBClusterIdentifier",
        DBClusterIdentifier="zoo-cluster", Engine="aurora-postgresql", MasterUsername="zoo",
        MasterUserPassword="not-a-secret",
    )  # fmt: skip
    on.create(
        "rds", "DBClusterSnapshot", "create_db_cluster_snapshot", "DBClusterSnapshot.DBClusterSnapshotArn",
        ids="DBClusterSnapshotIdentifier", DBClusterSnapshotIdentifier="zoo-cluster-snap",
        DBClusterIdentifier="zoo-cluster",
    )  # fmt: skip


@maker
def rds_groups(on: Site) -> None:
    _, subnets, _ = on.network()
    for kind, operation, name in (
        ("DBParameterGroup", "create_db_parameter_group", "DBParameterGroupName"),
        ("DBClusterParameterGroup", "create_db_cluster_parameter_group", "DBClusterParameterGroupName"),
    ):
        on.create(
            "rds", kind, operation, f"{kind}.{kind}Arn", ids=name, DBParameterGroupFamily="aurora-postgresql15",
            Description="zoo", **{name: "zoo-group"},
        )  # fmt: skip
    on.create(
        "rds", "DBSubnetGroup", "create_db_subnet_group", "DBSubnetGroup.DBSubnetGroupArn", ids="DBSubnetGroupName",
        DBSubnetGroupName="zoo-subnets", DBSubnetGroupDescription="zoo", SubnetIds=list(subnets),
    )  # fmt: skip
    on.create(
        "rds", "OptionGroup", "create_option_group", "OptionGroup.OptionGroupArn", ids="OptionGroupName",
        OptionGroupName="zoo-options", EngineName="mysql", MajorEngineVersion="8.0", OptionGroupDescription="zoo",
    )  # fmt: skip


@maker
def rds_global(on: Site) -> None:
    on.create(
        "rds", "GlobalCluster", "create_global_cluster", "GlobalCluster.GlobalClusterArn",
        ids="GlobalClusterIdentifier", GlobalClusterIdentifier="zoo-global", Engine="aurora-mysql",
    )  # fmt: skip


@maker
def rds_security_group(on: Site) -> None:
    on.create(
        "rds", "DBSecurityGroup", "create_db_security_group", "DBSecurityGroup.DBSecurityGroupArn",
        ids="DBSecurityGroupName", DBSecurityGroupName="zoo-classic", DBSecurityGroupDescription="zoo",
    )  # fmt: skip


@maker
def rds_proxy(on: Site) -> None:
    secret = on.arn("secretsmanager", "secret:zoo-AbCdEf")
    _, subnets, _ = on.network()
    on.create(
        "rds", "DBProxy", "create_db_proxy", "DBProxy.DBProxyArn", ids="DBProxyName", DBProxyName="zoo-proxy",
        EngineFamily="POSTGRESQL", RoleArn=on.role(), VpcSubnetIds=list(subnets),
        Auth=[{"AuthScheme": "SECRETS", "SecretArn": secret, "IAMAuth": "DISABLED"}],
    )  # fmt: skip
    answer = on.client("rds").describe_db_proxy_target_groups(DBProxyName="zoo-proxy")["TargetGroups"][0]
    on.record("rds", "DBProxyTargetGroup", answer["TargetGroupArn"], DBProxyName="zoo-proxy", TargetGroupName="default")


@maker
def rds_more(on: Site) -> None:
    on.create(
        "rds", "DBCluster", "create_db_cluster", "DBCluster.DBClusterArn", ids="DBClusterIdentifier",
        DBClusterIdentifier="zoo-limitless", Engine="aurora-postgresql", MasterUsername="zoo",
        MasterUserPassword="not-a-secret",
    )  # fmt: skip
    on.create(
        "rds", "DBShardGroup", "create_db_shard_group", "DBShardGroupArn", ids="DBShardGroupIdentifier",
        DBShardGroupIdentifier="zoo-shards", DBClusterIdentifier="zoo-limitless", MaxACU=64,
    )  # fmt: skip


@maker
def rds_subscription(on: Site) -> None:
    topic = on.client("sns").create_topic(Name="zoo-rds")["TopicArn"]
    on.create(
        "rds", "EventSubscription", "create_event_subscription", "EventSubscription.EventSubscriptionArn",
        ids="CustSubscriptionId", SubscriptionName="zoo-events", SnsTopicArn=topic,
    )  # fmt: skip


@maker
def rds_deployment(on: Site) -> None:
    _instance(on, "rds", "zoo-blue", "mysql", **_MASTER)
    source = on.arn("rds", "db:zoo-blue")
    answer = on.client("rds").create_blue_green_deployment(BlueGreenDeploymentName="zoo-deployment", Source=source)
    identifier = answer["BlueGreenDeployment"]["BlueGreenDeploymentIdentifier"]
    on.compose("rds", "BlueGreenDeployment", f"deployment:{identifier}", BlueGreenDeploymentIdentifier=identifier)


@maker
def neptune(on: Site) -> None:
    on.create(
        "neptune", "DBCluster", "create_db_cluster", "DBCluster.DBClusterArn", ids="DBClusterIdentifier",
        DBClusterIdentifier="zoo-graph", Engine="neptune",
    )  # fmt: skip
    _instance(on, "neptune", "zoo-graph-1", "neptune", DBClusterIdentifier="zoo-graph")


@maker(second=True)
def dynamodb(on: Site) -> None:
    on.create(
        "dynamodb", "Table", "create_table", "TableDescription.TableArn", ids="TableName", TableName="zoo",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}], BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )  # fmt: skip
    on.create(
        "dynamodb", "Backup", "create_backup", "BackupDetails.BackupArn", TableName="zoo", BackupName="zoo-backup"
    )


@maker
def dynamodb_stream(on: Site) -> None:
    made = on.client("dynamodb").create_table(
        TableName="zoo-streamed", AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}], BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )  # fmt: skip
    on.record("dynamodbstreams", "Stream", made["TableDescription"]["LatestStreamArn"], TableName="zoo-streamed")


@maker
def dynamodb_import(on: Site) -> None:
    on.client("s3").create_bucket(Bucket="zoo-import", CreateBucketConfiguration={"LocationConstraint": on.region})
    table = {
        "TableName": "zoo-imported", "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}], "BillingMode": "PAY_PER_REQUEST",
    }  # fmt: skip
    on.create(
        "dynamodb", "Import", "import_table", "ImportTableDescription.ImportArn",
        S3BucketSource={"S3Bucket": "zoo-import"}, InputFormat="DYNAMODB_JSON", TableCreationParameters=table,
    )  # fmt: skip


@maker
def dax(on: Site) -> None:
    on.create(
        "dax", "Cluster", "create_cluster", "Cluster.ClusterArn", ids="ClusterName", ClusterName="zoo",
        NodeType="dax.t3.small", ReplicationFactor=1, IamRoleArn=on.role(),
    )  # fmt: skip


@maker(second=True)
def elasticache(on: Site) -> None:
    _, subnets, _ = on.network()
    on.create(
        "elasticache", "CacheCluster", "create_cache_cluster", "CacheCluster.ARN", ids="CacheClusterId",
        CacheClusterId="zoo", Engine="redis", CacheNodeType="cache.t3.micro", NumCacheNodes=1,
    )  # fmt: skip
    on.create(
        "elasticache", "CacheSubnetGroup", "create_cache_subnet_group", "CacheSubnetGroup.ARN",
        ids="CacheSubnetGroupName", CacheSubnetGroupName="zoo", CacheSubnetGroupDescription="zoo",
        SubnetIds=list(subnets),
    )  # fmt: skip
    on.create(
        "elasticache", "ReplicationGroup", "create_replication_group", "ReplicationGroup.ARN",
        ids="ReplicationGroupId", ReplicationGroupId="zoo", ReplicationGroupDescription="zoo",
    )  # fmt: skip
    on.create(
        "elasticache", "User", "create_user", "ARN", ids="UserId", UserId="zoo", UserName="zoo", Engine="redis",
        AccessString="on ~* +@all", NoPasswordRequired=True,
    )  # fmt: skip
    on.create(
        "elasticache", "Snapshot", "create_snapshot", "Snapshot.ARN", ids="SnapshotName", SnapshotName="zoo",
        CacheClusterId="zoo",
    )  # fmt: skip


@maker
def memorydb(on: Site) -> None:
    _, subnets, _ = on.network()
    on.create(
        "memorydb", "SubnetGroup", "create_subnet_group", "SubnetGroup.ARN", ids="SubnetGroupName",
        SubnetGroupName="zoo", SubnetIds=list(subnets),
    )  # fmt: skip
    on.create(
        "memorydb", "Cluster", "create_cluster", "Cluster.ARN", ids="ClusterName", ClusterName="zoo",
        NodeType="db.t4g.small", ACLName="open-access", SubnetGroupName="zoo",
    )  # fmt: skip
    on.create(
        "memorydb", "Snapshot", "create_snapshot", "Snapshot.ARN", ids="SnapshotName", ClusterName="zoo",
        SnapshotName="zoo",
    )  # fmt: skip
    on.create(
        "memorydb", "User", "create_user", "User.ARN", ids="UserName", UserName="zoo", AccessString="on ~* +@all",
        AuthenticationMode={"Type": "password", "Passwords": ["not-a-secret-at-all"]},
    )  # fmt: skip


@maker(second=True)
def redshift(on: Site) -> None:
    _, subnets, _ = on.network()
    on.client("redshift").create_cluster(
        ClusterIdentifier="zoo", NodeType="ra3.large", MasterUsername="zoo", MasterUserPassword="Not-a-secret1"
    )
    on.record("redshift", "Cluster", on.arn("redshift", "cluster:zoo"), composed=True, ClusterIdentifier="zoo")
    _named(on, "ClusterParameterGroup", "parametergroup", "ParameterGroupName", ParameterGroupFamily="redshift-1.0")
    _named(on, "ClusterSubnetGroup", "subnetgroup", "ClusterSubnetGroupName", SubnetIds=list(subnets))
    on.client("redshift").create_cluster_snapshot(SnapshotIdentifier="zoo-snap", ClusterIdentifier="zoo")
    on.compose("redshift", "ClusterSnapshot", "snapshot:zoo/zoo-snap", SnapshotIdentifier="zoo-snap")
    on.client("redshift").create_snapshot_copy_grant(SnapshotCopyGrantName="zoo")
    on.compose("redshift", "SnapshotCopyGrant", "snapshotcopygrant:zoo", SnapshotCopyGrantName="zoo")


def _named(on: Site, kind: str, resource: str, name: str, **params: object) -> None:
    operation = "create_" + "".join("_" + c.lower() if c.isupper() else c for c in kind).lstrip("_")
    getattr(on.client("redshift"), operation)(Description="zoo", **{name: "zoo-group"}, **params)
    on.compose("redshift", kind, f"{resource}:zoo-group", **{name: "zoo-group"})


@maker
def dsql(on: Site) -> None:
    on.create("dsql", "Cluster", "create_cluster", "arn", ids="identifier", region="us-east-1")


@maker
def simpledb(on: Site) -> None:
    on.client("sdb").create_domain(DomainName="zoo")
    on.compose("sdb", "Domain", "domain/zoo", DomainName="zoo")
