"""Makes databases for time and search, and what moves data between databases."""

from __future__ import annotations

import json

from zoo.base import Site, maker


@maker
def timestream(on: Site) -> None:
    on.create("timestream-write", "Database", "create_database", "Database.Arn", ids="DatabaseName", DatabaseName="zoo")
    on.create(
        "timestream-write", "Table", "create_table", "Table.Arn", ids="DatabaseName TableName", DatabaseName="zoo",
        TableName="metrics",
    )  # fmt: skip


@maker
def timestream_query(on: Site) -> None:
    on.create(
        "timestream-query", "ScheduledQuery", "create_scheduled_query", "Arn", Name="zoo", QueryString="SELECT 1",
        ScheduleConfiguration={"ScheduleExpression": "rate(1 day)"}, ScheduledQueryExecutionRoleArn=on.role(),
        NotificationConfiguration={"SnsConfiguration": {"TopicArn": on.arn("sns", "zoo")}},
        ErrorReportConfiguration={"S3Configuration": {"BucketName": "zoo"}},
    )  # fmt: skip


@maker
def timestream_influxdb(on: Site) -> None:
    _, subnets, group = on.network()
    on.create(
        "timestream-influxdb", "DbInstance", "create_db_instance", "arn", ids="id", name="zoo", password="not-a-secret",
        dbInstanceType="db.influx.medium", vpcSubnetIds=list(subnets), vpcSecurityGroupIds=[group], allocatedStorage=20,
    )  # fmt: skip
    client = on.client("timestream-influxdb")
    cluster = client.create_db_cluster(
        name="zoo-cluster", password="not-a-secret", deploymentType="MULTI_NODE_READ_REPLICAS",
        dbInstanceType="db.influx.medium", vpcSubnetIds=list(subnets),
        vpcSecurityGroupIds=[group], allocatedStorage=20,
    )["dbClusterId"]  # fmt: skip
    found = client.get_db_cluster(dbClusterId=cluster)
    on.record("timestream-influxdb", "DbCluster", found["arn"], id=cluster)


@maker
def timestream_influxdb_groups(on: Site) -> None:
    on.create(
        "timestream-influxdb",
        "DbParameterGroup",
        "create_db_parameter_group",
        "arn",
        ids="id",
        name="zoo",
        parameters={"InfluxDBv2": {"fluxLogEnabled": True}},
    )


@maker
def opensearch(on: Site) -> None:
    on.create("opensearch", "Domain", "create_domain", "DomainStatus.ARN", ids="DomainName", DomainName="zoo-search")


@maker
def es(on: Site) -> None:
    on.create(
        "es", "ElasticsearchDomain", "create_elasticsearch_domain", "DomainStatus.ARN", ids="DomainName",
        DomainName="zoo-elastic",
    )  # fmt: skip


@maker
def opensearchserverless(on: Site) -> None:
    policy = {
        "Rules": [{"ResourceType": "collection", "Resource": ["collection/zoo"]}],
        "AWSOwnedKey": False,
        "KmsARN": on.arn("kms", "key/zoo"),
    }
    on.client("opensearchserverless").create_security_policy(name="zoo", type="encryption", policy=json.dumps(policy))
    on.create(
        "opensearchserverless", "Collection", "create_collection", "createCollectionDetail.arn", ids="id", name="zoo",
        type="SEARCH",
    )  # fmt: skip


@maker
def dms(on: Site) -> None:
    _, subnets, _ = on.network()
    instance = on.create(
        "dms", "ReplicationInstance", "create_replication_instance", "ReplicationInstance.ReplicationInstanceArn",
        ids="ReplicationInstanceIdentifier", ReplicationInstanceIdentifier="zoo",
        ReplicationInstanceClass="dms.t3.small",
    ).arn  # fmt: skip
    ends = [
        on.create(
            "dms", "Endpoint", "create_endpoint", "Endpoint.EndpointArn", ids="EndpointIdentifier",
            EndpointIdentifier=f"zoo-{kind}", EndpointType=kind, EngineName="mysql", ServerName="db", Port=3306,
            Username="zoo", Password="not-a-secret", DatabaseName="zoo",
        ).arn
        for kind in ("source", "target")
    ]  # fmt: skip
    on.create(
        "dms", "ReplicationTask", "create_replication_task", "ReplicationTask.ReplicationTaskArn",
        ids="ReplicationTaskIdentifier", ReplicationTaskIdentifier="zoo", SourceEndpointArn=ends[0],
        TargetEndpointArn=ends[1], ReplicationInstanceArn=instance, MigrationType="full-load", TableMappings="{}",
    )  # fmt: skip
    on.client("dms").create_replication_subnet_group(
        ReplicationSubnetGroupIdentifier="zoo",
        ReplicationSubnetGroupDescription="zoo",
        SubnetIds=list(subnets),
    )
    on.compose("dms", "ReplicationSubnetGroup", "subgrp:zoo", ReplicationSubnetGroupIdentifier="zoo")


@maker
def databrew(on: Site) -> None:
    client = on.client("databrew")
    role, output = on.role(), {"Bucket": "zoo"}
    client.create_dataset(Name="zoo", Input={"S3InputDefinition": {"Bucket": "zoo", "Key": "x.csv"}})
    on.record("databrew", "Dataset", client.describe_dataset(Name="zoo")["ResourceArn"], Name="zoo")
    steps = [{"Action": {"Operation": "LOWER_CASE", "Parameters": {"sourceColumn": "a"}}}]
    client.create_recipe(Name="zoo-recipe", Steps=steps)
    on.compose("databrew", "Recipe", "recipe/zoo-recipe", Name="zoo-recipe")
    target = on.arn("databrew", "dataset/zoo")
    client.create_ruleset(Name="zoo-rules", TargetArn=target, Rules=[{"Name": "r", "CheckExpression": ":col1 > :val1"}])
    on.compose("databrew", "Ruleset", "ruleset/zoo-rules", Name="zoo-rules")
    client.create_profile_job(Name="zoo-profile", DatasetName="zoo", OutputLocation=output, RoleArn=role)
    on.record("databrew", "Job", client.describe_job(Name="zoo-profile")["ResourceArn"], Name="zoo-profile")


@maker
def athena(on: Site) -> None:
    client = on.client("athena")
    client.create_work_group(Name="zoo", Configuration={"ResultConfiguration": {"OutputLocation": "s3://zoo/"}})
    on.compose("athena", "WorkGroup", "workgroup/zoo", Name="zoo")
    client.create_data_catalog(Name="zoo", Type="GLUE", Parameters={"catalog-id": on.account})
    on.compose("athena", "DataCatalog", "datacatalog/zoo", Name="zoo")
    client.create_capacity_reservation(TargetDpus=24, Name="zoo", Tags=[])
    on.compose("athena", "CapacityReservation", "capacity-reservation/zoo", Name="zoo")


@maker
def glue(on: Site) -> None:
    client = on.client("glue")
    role = on.role()
    client.create_database(DatabaseInput={"Name": "zoo"})
    on.compose("glue", "Database", "database/zoo", Name="zoo")
    client.create_table(DatabaseName="zoo", TableInput={"Name": "events", "PartitionKeys": []})
    on.compose("glue", "Table", "table/zoo/events", DatabaseName="zoo", Name="events")
    client.create_job(Name="zoo", Role=role, Command={"Name": "glueetl", "ScriptLocation": "s3://zoo/x.py"})
    on.compose("glue", "Job", "job/zoo", JobName="zoo")
    client.create_crawler(Name="zoo", Role=role, DatabaseName="zoo", Targets={"S3Targets": [{"Path": "s3://zoo"}]})
    on.compose("glue", "Crawler", "crawler/zoo", Name="zoo")
    client.create_trigger(Name="zoo", Type="ON_DEMAND", Actions=[{"JobName": "zoo"}])
    on.compose("glue", "Trigger", "trigger/zoo", Name="zoo")
    client.create_workflow(Name="zoo")
    on.compose("glue", "Workflow", "workflow/zoo", Name="zoo")
    kind = {"Name": "zoo", "ConnectionType": "JDBC", "ConnectionProperties": {"JDBC_CONNECTION_URL": "x"}}
    client.create_connection(ConnectionInput=kind)
    on.compose("glue", "Connection", "connection/zoo", Name="zoo")


@maker
def glue_more(on: Site) -> None:
    on.create("glue", "Registry", "create_registry", "RegistryArn", ids="RegistryName", RegistryName="zoo")
    on.create(
        "glue", "Schema", "create_schema", "SchemaArn", ids="SchemaName", RegistryId={"RegistryName": "zoo"},
        SchemaName="events", DataFormat="AVRO", Compatibility="NONE",
        SchemaDefinition=json.dumps({"type": "record", "name": "a", "fields": [{"name": "b", "type": "string"}]}),
    )  # fmt: skip
    client = on.client("glue")
    client.create_session(Id="zoo", Role=on.role(), Command={"Name": "glueetl"})
    on.compose("glue", "Session", "session/zoo", Id="zoo")
    client.create_dev_endpoint(EndpointName="zoo", RoleArn=on.role())
    on.compose("glue", "DevEndpoint", "devEndpoint/zoo", EndpointName="zoo")


@maker
def glue_transform(on: Site) -> None:
    made = on.client("glue").create_ml_transform(
        Name="zoo", InputRecordTables=[{"DatabaseName": "zoo", "TableName": "events"}], Role=on.role(),
        Parameters={"TransformType": "FIND_MATCHES", "FindMatchesParameters": {"PrimaryKeyColumnName": "id"}},
    )["TransformId"]  # fmt: skip
    on.compose("glue", "MLTransform", f"mlTransform/{made}", TransformId=made)


@maker
def quicksight(on: Site) -> None:
    who = {"AwsAccountId": on.account}
    on.create(
        "quicksight", "DataSource", "create_data_source", "Arn", ids="AwsAccountId DataSourceId", DataSourceId="zoo",
        Name="zoo", Type="ATHENA", DataSourceParameters={"AthenaParameters": {"WorkGroup": "zoo"}}, **who,
    )  # fmt: skip
    on.create(
        "quicksight", "DataSet", "create_data_set", "Arn", ids="AwsAccountId DataSetId", DataSetId="zoo", Name="zoo",
        PhysicalTableMap={}, ImportMode="SPICE", **who,
    )  # fmt: skip
    on.create(
        "quicksight", "Dashboard", "create_dashboard", "Arn", ids="AwsAccountId DashboardId", DashboardId="zoo",
        Name="zoo", **who,
    )  # fmt: skip
    on.create(
        "quicksight", "Group", "create_group", "Group.Arn", ids="AwsAccountId Namespace GroupName", GroupName="zoo",
        Namespace="default", **who,
    )  # fmt: skip
    on.create(
        "quicksight", "User", "register_user", "User.Arn", ids="AwsAccountId Namespace UserName", UserName="ann",
        Namespace="default", IdentityType="QUICKSIGHT", Email="ann@example.com", UserRole="READER", **who,
    )  # fmt: skip


@maker
def cleanrooms(on: Site) -> None:
    collaboration = on.create(
        "cleanrooms", "Collaboration", "create_collaboration", "collaboration.arn", ids="id", name="zoo",
        description="zoo", members=[], creatorMemberAbilities=["CAN_QUERY"], creatorDisplayName="zoo",
        queryLogStatus="DISABLED",
    )  # fmt: skip
    on.create(
        "cleanrooms", "Membership", "create_membership", "membership.arn", ids="id",
        collaborationIdentifier=collaboration.ids["id"], queryLogStatus="DISABLED",
    )  # fmt: skip
    on.create(
        "cleanrooms", "ConfiguredTable", "create_configured_table", "configuredTable.arn", ids="id", name="zoo",
        tableReference={"glue": {"tableName": "events", "databaseName": "zoo"}}, allowedColumns=["a"],
        analysisMethod="DIRECT_QUERY",
    )  # fmt: skip
