"""Measure the compiled response parsers beside botocore's own: both in one run, alternating, with the raw parse beside.

    python benchmarks/parsers.py [--rounds 9] [--json FILE]

The figures are CPU time of this process (`time.process_time`), the median of the rounds. "raw" is the parse that looks
at no value: `xml.etree` or `json.loads` alone. For XML it is no limit any more: the compiled parsers build no tree.
"""

# ruff: noqa: E501, INP001, T201  a response is as long as AWS writes it; benchmarks are no package, and print
from __future__ import annotations

import argparse
import json
import platform
import statistics
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import botocore
import botocore.session
from botocore.parsers import ResponseParserFactory

from mangrove.aws.parsers import CompiledParserFactory

INSTANCES, KEYS, ITEMS = 500, 1_000, 300


@dataclass(frozen=True)
class Work:
    """Hold one response to parse.

    Attributes:
        name: what the table calls it.
        service: botocore's name of the service.
        operation: the operation whose output it is.
        body: makes the response's bytes for a round; no round has the times of another, which a cache would know.
        raw: the parse that knows nothing of shapes.
        target: how many times faster than botocore it has to be.
    """

    name: str
    service: str
    operation: str
    body: Callable[[int], bytes]
    raw: Callable[[bytes], Any]
    target: float


def _parse_xml(body: bytes) -> Any:
    parser = ET.XMLParser(target=ET.TreeBuilder(), encoding="utf-8")  # noqa: S314  our own text
    parser.feed(body)
    return parser.close()


def _stamp(number: int, turn: int) -> str:
    return f"{2000 + turn}-{number % 12 + 1:02}-{number % 28 + 1:02}T{number % 24:02}:{number % 60:02}:{number * 7 % 60:02}.000Z"


def _interface(n: int, turn: int) -> str:
    address = f"10.{n >> 8 & 255}.{n & 255}.17"
    name = f"ip-{address.replace('.', '-')}.eu-west-1.compute.internal"
    return f"""<item><networkInterfaceId>eni-{n:017x}</networkInterfaceId><subnetId>subnet-0a1b2c3d4e5f60718</subnetId>
<vpcId>vpc-0a1b2c3d4e5f60718</vpcId><description/><ownerId>123456789012</ownerId><status>in-use</status>
<macAddress>06:0a:1b:2c:3d:4e</macAddress><privateIpAddress>{address}</privateIpAddress><privateDnsName>{name}</privateDnsName>
<sourceDestCheck>true</sourceDestCheck><groupSet><item><groupId>sg-0a1b2c3d4e5f60718</groupId><groupName>web</groupName></item>
</groupSet><attachment><attachmentId>eni-attach-{n:017x}</attachmentId><deviceIndex>0</deviceIndex><status>attached</status>
<attachTime>{_stamp(n // 4, turn)}</attachTime><deleteOnTermination>true</deleteOnTermination><networkCardIndex>0</networkCardIndex>
</attachment><privateIpAddressesSet><item><privateIpAddress>{address}</privateIpAddress><privateDnsName>{name}</privateDnsName>
<primary>true</primary></item></privateIpAddressesSet><ipv6AddressesSet/><interfaceType>interface</interfaceType></item>"""


def _disk(n: int, device: str, turn: int) -> str:
    return f"""<item><deviceName>{device}</deviceName><ebs><volumeId>vol-{n:017x}</volumeId><status>attached</status>
<attachTime>{_stamp(n // 4, turn)}</attachTime><deleteOnTermination>true</deleteOnTermination></ebs></item>"""


def _instance(n: int, turn: int) -> str:
    tags = {
        "Name": f"web-{n}",
        "team": "checkout",
        "env": "prod",
        "cost-centre": f"{n % 40}",
        "owner": "a&amp;b@c.example",
    }
    tag_set = "".join(f"<item><key>{k}</key><value>{v}</value></item>" for k, v in tags.items())
    return f"""<item><instanceId>i-{n:017x}</instanceId><imageId>ami-0a1b2c3d4e5f60718</imageId><instanceState><code>16</code>
<name>running</name></instanceState><privateDnsName>ip-10-0-0-{n}.eu-west-1.compute.internal</privateDnsName><dnsName/><reason/>
<keyName>deploy</keyName><amiLaunchIndex>0</amiLaunchIndex><productCodes/><instanceType>m7g.xlarge</instanceType>
<launchTime>{_stamp(n // 4, turn)}</launchTime><placement><availabilityZone>eu-west-1b</availabilityZone><groupName/>
<tenancy>default</tenancy><availabilityZoneId>euw1-az2</availabilityZoneId></placement><monitoring><state>disabled</state>
</monitoring><subnetId>subnet-0a1b2c3d4e5f60718</subnetId><vpcId>vpc-0a1b2c3d4e5f60718</vpcId>
<privateIpAddress>10.0.{n >> 8}.{n & 255}</privateIpAddress><sourceDestCheck>true</sourceDestCheck><groupSet><item>
<groupId>sg-0a1b2c3d4e5f60718</groupId><groupName>web</groupName></item></groupSet><architecture>arm64</architecture>
<rootDeviceType>ebs</rootDeviceType><rootDeviceName>/dev/xvda</rootDeviceName><blockDeviceMapping>{_disk(n, "/dev/xvda", turn)}
{_disk(n + 9999, "/dev/sdb", turn)}</blockDeviceMapping><virtualizationType>hvm</virtualizationType><clientToken>{n:032x}</clientToken>
<tagSet>{tag_set}</tagSet><hypervisor>nitro</hypervisor><networkInterfaceSet>{_interface(n, turn)}</networkInterfaceSet>
<iamInstanceProfile><arn>arn:aws:iam::123456789012:instance-profile/web</arn><id>AIPA0123456789ABCDEFG</id></iamInstanceProfile>
<ebsOptimized>true</ebsOptimized><enaSupport>true</enaSupport><cpuOptions><coreCount>4</coreCount><threadsPerCore>1</threadsPerCore>
</cpuOptions><capacityReservationSpecification><capacityReservationPreference>open</capacityReservationPreference>
</capacityReservationSpecification><hibernationOptions><configured>false</configured></hibernationOptions><enclaveOptions>
<enabled>false</enabled></enclaveOptions><metadataOptions><state>applied</state><httpTokens>required</httpTokens>
<httpPutResponseHopLimit>2</httpPutResponseHopLimit><httpEndpoint>enabled</httpEndpoint><httpProtocolIpv6>disabled</httpProtocolIpv6>
<instanceMetadataTags>disabled</instanceMetadataTags></metadataOptions><bootMode>uefi</bootMode><platformDetails>Linux/UNIX
</platformDetails><usageOperation>RunInstances</usageOperation><usageOperationUpdateTime>{_stamp(n // 4, turn)}</usageOperationUpdateTime>
<privateDnsNameOptions><hostnameType>ip-name</hostnameType><enableResourceNameDnsARecord>false</enableResourceNameDnsARecord>
<enableResourceNameDnsAAAARecord>false</enableResourceNameDnsAAAARecord></privateDnsNameOptions><maintenanceOptions>
<autoRecovery>default</autoRecovery></maintenanceOptions><currentInstanceBootMode>uefi</currentInstanceBootMode></item>"""


def ec2_instances(turn: int = 0, count: int = INSTANCES) -> bytes:
    """Return a DescribeInstances response as EC2 writes it, indented by line breaks alone."""
    sets = "".join(
        f"<item><reservationId>r-{n:017x}</reservationId><ownerId>123456789012</ownerId><groupSet/>"
        f"<instancesSet>{_instance(n, turn)}</instancesSet></item>"
        for n in range(count)
    )
    name = 'DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"'
    head = f'<?xml version="1.0" encoding="UTF-8"?>\n<{name}><requestId>8f7724cf-496f-496e-8fe3-example</requestId>'
    return f"{head}<reservationSet>{sets}</reservationSet></DescribeInstancesResponse>".encode()


def s3_keys(turn: int = 0, count: int = KEYS) -> bytes:
    """Return a ListObjectsV2 page as S3 writes it; no two keys have the same time."""
    rows = "".join(
        f"<Contents><Key>logs/2026/{n % 365}/part-{n:08}.gz</Key><LastModified>{2000 + turn}-03-{n % 28 + 1:02}T"
        f"{n // 60 % 24:02}:{n % 60:02}:{n * 7 % 60:02}.000Z</LastModified><ETag>&quot;{n:032x}&quot;</ETag>"
        f"<Size>{n * 4099}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for n in range(count)
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>bucket</Name><Prefix></Prefix><KeyCount>{count}</KeyCount><MaxKeys>1000</MaxKeys>"
        f"<IsTruncated>false</IsTruncated>{rows}</ListBucketResult>"
    ).encode()


def dynamodb_items(turn: int = 0, count: int = ITEMS) -> bytes:
    """Return a Query page of items with ten typed attributes each."""
    items: list[Any] = [
        {
            "pk": {"S": f"user#{n}"},
            "sk": {"S": f"order#{n:012}"},
            "total": {"N": f"{n + turn}.25"},
            "paid": {"BOOL": n % 2 == 0},
            "note": {"NULL": True},
            "tags": {"SS": ["gift", "express"]},
            "sizes": {"NS": ["1", "2", "3"]},
            "digest": {"B": "AAECAwQFBgc="},
            "address": {"M": {"street": {"S": "Main St 1"}, "zip": {"S": "12345"}, "floor": {"N": "3"}}},
            "lines": {"L": [{"S": "sku-1"}, {"M": {"sku": {"S": "sku-2"}, "n": {"N": "2"}}}]},
        }
        for n in range(count)
    ]
    return json.dumps({"Items": items, "Count": count, "ScannedCount": count}, separators=(",", ":")).encode()


def works() -> list[Work]:
    """Return what is measured."""
    return [
        Work(f"{INSTANCES} EC2 instances", "ec2", "DescribeInstances", ec2_instances, _parse_xml, 4),
        Work(f"{KEYS:,} S3 keys", "s3", "ListObjectsV2", s3_keys, _parse_xml, 12),
        Work(f"{ITEMS} DynamoDB items", "dynamodb", "Query", dynamodb_items, json.loads, 6),
    ]


def _time(call: Callable[[Any], Any], response: Any) -> float:
    begin = time.process_time()
    call(response)
    return time.process_time() - begin


def measure(work: Work, rounds: int) -> dict[str, Any]:
    """Measure botocore's parser, ours and the raw parse in turn; the first round of each only warms up."""
    model = botocore.session.get_session().get_service_model(work.service)
    shape = model.operation_model(work.operation).output_shape
    plain = ResponseParserFactory().create_parser(model.resolved_protocol)
    ours = CompiledParserFactory().create_parser(model.resolved_protocol)
    calls: dict[str, Callable[[Any], Any]] = {
        "botocore": lambda response: plain.parse(response, shape),
        "mangrove": lambda response: ours.parse(response, shape),
        "raw": lambda response: work.raw(response["body"]),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(rounds + 1):
        response = {"status_code": 200, "headers": {}, "body": work.body(turn), "context": {}}
        if plain.parse(response, shape) != ours.parse(response, shape):
            text = f"{work.name}: the answers differ"
            raise SystemExit(text)
        response["body"] = work.body(rounds + 1 + turn)
        for name, call in calls.items():
            times[name].append(_time(call, response))
    found = {name: statistics.median(each[1:]) * 1000 for name, each in times.items()}
    ratio = found["botocore"] / found["mangrove"]
    return {"work": work.name, "bytes": len(work.body(0)), **found, "ratio": ratio, "target": work.target}


def main() -> None:
    """Measure everything, print the table, write the JSON file if one is asked for."""
    options = argparse.ArgumentParser(description="Compiled response parsers beside botocore's.")
    options.add_argument("--rounds", type=int, default=9, help="how many rounds the median is taken of (default 9)")
    options.add_argument("--json", type=Path, help="write the figures to this file too")
    given = options.parse_args()
    rows = [measure(work, given.rounds) for work in works()]
    versions = {"python": platform.python_version(), "botocore": botocore.__version__, "machine": platform.machine()}
    print(*(f"{name} {value}" for name, value in versions.items()), sep=", ")
    print(f"{'CPU ms, median':<22}{'botocore':>10}{'mangrove':>10}{'raw':>8}{'faster':>9}{'target':>8}{'limit':>8}")
    for row in rows:
        figures = f"{row['botocore']:>10.1f}{row['mangrove']:>10.2f}{row['raw']:>8.2f}{row['ratio']:>8.1f}x"
        print(f"{row['work']:<22}{figures}{row['target']:>7.0f}x{row['botocore'] / row['raw']:>7.1f}x")
    if given.json:
        given.json.write_text(json.dumps({**versions, "rounds": given.rounds, "rows": rows}, indent=2) + "\n")


if __name__ == "__main__":
    main()
