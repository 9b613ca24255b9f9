"""Makes what keeps files, objects, vectors and their backups."""

from __future__ import annotations

from zoo.base import Site, maker


@maker(second=True)
def s3(on: Site) -> None:
    name = f"zoo-{on.account}-{on.region}"
    client = on.client("s3")
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": on.region})
    on.compose("s3", "Bucket", name, region="", account="", Name=name)
    for key in ("a.txt", "deep/er/ü b.txt"):
        client.put_object(Bucket=name, Key=key, Body=b"x")
        on.compose("s3", "Object", f"{name}/{key}", region="", account="", BucketName=name, Key=key)


@maker
def s3control(on: Site) -> None:
    # moto gives every access point this region, wherever its bucket is
    where, bucket = "us-east-1", "zoo-access"
    on.client("s3", where).create_bucket(Bucket=bucket)
    on.create(
        "s3control", "AccessPoint", "create_access_point", "AccessPointArn", ids="Name AccountId", region=where,
        AccountId=on.account, Name="zoo", Bucket=bucket,
    )  # fmt: skip
    client = on.client("s3control", "us-west-2")
    client.create_multi_region_access_point(
        AccountId=on.account, ClientToken="zoo", Details={"Name": "zoo", "Regions": [{"Bucket": bucket}]}
    )
    alias = client.list_multi_region_access_points(AccountId=on.account)["AccessPoints"][0]["Alias"]
    arn = on.arn("s3", f"accesspoint/{alias}", region="")
    on.record(
        "s3control", "MultiRegionAccessPoint", arn, composed=True, region="us-west-2", Name="zoo", AccountId=on.account
    )


@maker
def storage_lens(on: Site) -> None:
    where = "us-east-1"
    configuration = {"Id": "zoo", "AccountLevel": {"BucketLevel": {}}, "IsEnabled": True}
    client = on.client("s3control", where)
    client.put_storage_lens_configuration(ConfigId="zoo", AccountId=on.account, StorageLensConfiguration=configuration)
    arn = on.arn("s3", "storage-lens/zoo", region=where)
    on.record(
        "s3control", "StorageLensConfiguration", arn, composed=True, region=where, ConfigId="zoo", AccountId=on.account
    )


@maker
def s3tables(on: Site) -> None:
    where = "us-east-1"
    bucket = on.create("s3tables", "TableBucket", "create_table_bucket", "arn", region=where, name="zoo").arn
    on.client("s3tables", where).create_namespace(tableBucketARN=bucket, namespace=["zoo"])
    on.create(
        "s3tables", "Table", "create_table", "tableARN", ids="tableBucketARN namespace name", tableBucketARN=bucket,
        namespace="zoo", name="events", format="ICEBERG", region=where,
    )  # fmt: skip


@maker
def s3vectors(on: Site) -> None:
    client = on.client("s3vectors")
    client.create_vector_bucket(vectorBucketName="zoo")
    bucket = client.get_vector_bucket(vectorBucketName="zoo")["vectorBucket"]["vectorBucketArn"]
    on.record("s3vectors", "VectorBucket", bucket, vectorBucketName="zoo")
    client.create_index(
        vectorBucketName="zoo", indexName="docs", dataType="float32", dimension=4, distanceMetric="cosine"
    )
    index = client.get_index(vectorBucketName="zoo", indexName="docs")["index"]["indexArn"]
    on.record("s3vectors", "Index", index, vectorBucketName="zoo", indexName="docs")


@maker(second=True)
def efs(on: Site) -> None:
    system = on.create(
        "efs", "FileSystem", "create_file_system", "FileSystemArn", ids="FileSystemId", CreationToken="zoo"
    ).ids["FileSystemId"]
    on.create(
        "efs", "AccessPoint", "create_access_point", "AccessPointArn", ids="AccessPointId", ClientToken="zoo",
        FileSystemId=system,
    )  # fmt: skip


@maker
def fsx(on: Site) -> None:
    _, subnets, _ = on.network()
    system = on.create(
        "fsx", "FileSystem", "create_file_system", "FileSystem.ResourceARN", ids="FileSystemId",
        FileSystemType="LUSTRE", StorageCapacity=1200, SubnetIds=[subnets[0]],
    )  # fmt: skip
    on.create(
        "fsx", "Backup", "create_backup", "Backup.ResourceARN", ids="BackupId", FileSystemId=system.ids["FileSystemId"]
    )


@maker
def backup(on: Site) -> None:
    on.create(
        "backup", "BackupVault", "create_backup_vault", "BackupVaultArn", ids="BackupVaultName", BackupVaultName="zoo"
    )
    rule = {"RuleName": "daily", "TargetBackupVaultName": "zoo"}
    on.create(
        "backup", "BackupPlan", "create_backup_plan", "BackupPlanArn", ids="BackupPlanId",
        BackupPlan={"BackupPlanName": "zoo", "Rules": [rule]},
    )  # fmt: skip
    on.create(
        "backup", "ReportPlan", "create_report_plan", "ReportPlanArn", ids="ReportPlanName", ReportPlanName="zoo",
        ReportDeliveryChannel={"S3BucketName": "zoo", "Formats": ["CSV"]},
        ReportSetting={"ReportTemplate": "BACKUP_JOB_REPORT"},
    )  # fmt: skip


@maker
def glacier(on: Site) -> None:
    client = on.client("glacier")
    client.create_vault(accountId="-", vaultName="zoo")
    vault = client.describe_vault(accountId="-", vaultName="zoo")["VaultARN"]
    on.record("glacier", "Vault", vault, vaultName="zoo")


@maker
def datasync(on: Site) -> None:
    places = [
        on.create(
            "datasync", "Location", "create_location_s3", "LocationArn", S3BucketArn=f"arn:aws:s3:::zoo-{name}",
            S3Config={"BucketAccessRoleArn": on.role()},
        ).arn
        for name in ("from", "to")
    ]  # fmt: skip
    agent = on.arn("datasync", "agent/agent-0b0addbeef44baca3")
    on.create(
        "datasync", "Location", "create_location_smb", "LocationArn", Subdirectory="/x", ServerHostname="files",
        User="zoo", Password="not-a-secret", AgentArns=[agent],
    )  # fmt: skip
    task = on.create(
        "datasync", "Task", "create_task", "TaskArn", SourceLocationArn=places[0], DestinationLocationArn=places[1]
    ).arn
    on.create("datasync", "TaskExecution", "start_task_execution", "TaskExecutionArn", TaskArn=task)


@maker
def transfer(on: Site) -> None:
    server = on.client("transfer").create_server()["ServerId"]
    found = on.client("transfer").describe_server(ServerId=server)["Server"]
    on.record("transfer", "Server", found["Arn"], ServerId=server)
    on.client("transfer").create_user(Role=on.role(), ServerId=server, UserName="ann")
    user = on.client("transfer").describe_user(ServerId=server, UserName="ann")["User"]
    on.record("transfer", "User", user["Arn"], ServerId=server, UserName="ann")


@maker
def transfer_connector(on: Site) -> None:
    client = on.client("transfer")
    connector = client.create_connector(AccessRole=on.role(), Url="sftp://example.com")["ConnectorId"]
    found = client.describe_connector(ConnectorId=connector)["Connector"]
    on.record("transfer", "Connector", found["Arn"], ConnectorId=connector)


@maker
def mediastore(on: Site) -> None:
    on.create("mediastore", "Container", "create_container", "Container.ARN", ids="ContainerName", ContainerName="zoo")
