"""Answer AWS calls with small fixed bodies, over TLS on 34 loopback addresses and over plain HTTP on one.

    python benchmarks/loopback.py FOLDER [HOSTS]

It writes `ca.pem`, `server.json` (the URLs) and `handshakes` (how many there were) into the folder, until it is ended.
"""

# ruff: noqa: INP001  a program
from __future__ import annotations

import asyncio
import datetime as dt
import ipaddress
import json
import ssl
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

EC2 = (
    b'<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId>'
    b"<reservationSet></reservationSet></DescribeInstancesResponse>"
)
STS = (
    b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    b"<Arn>arn:aws:iam::123456789012:user/u</Arn><UserId>AIDA</UserId><Account>123456789012</Account>"
    b"</GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
    b"</GetCallerIdentityResponse>"
)
SQS = b'{"MD5OfMessageBody":"92eb5ffee6ae2fec3ad71c777531578f","MessageId":"m"}'


def certificate(folder: Path, hosts: list[str]) -> ssl.SSLContext:
    """Make a CA and a certificate of these addresses, and return the server's context."""
    now = dt.datetime.now(dt.timezone.utc)

    def sign(
        name: str, issuer: str, key: ec.EllipticCurvePrivateKey, by: ec.EllipticCurvePrivateKey, *, ca: bool
    ) -> x509.Certificate:
        builder = x509.CertificateBuilder(
            x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]),
            x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]),
            key.public_key(),
            x509.random_serial_number(),
            now - dt.timedelta(days=1),
            now + dt.timedelta(days=1),
        ).add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        if not ca:
            names = [x509.IPAddress(ipaddress.ip_address(host)) for host in hosts]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(by, hashes.SHA256())

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "ca.pem").write_bytes(sign("test CA", "test CA", ca_key, ca_key, ca=True).public_bytes(pem))
    chain = folder / "chain.pem"
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    chain.write_bytes(private + sign("loopback", "test CA", key, ca_key, ca=False).public_bytes(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    return context


class Answer(asyncio.Protocol):
    """Answer each request of a connection, whatever it asks, by what its signature is for."""

    handshakes = 0
    folder: Path

    def __init__(self, *, tls: bool) -> None:
        self._tls = tls
        self._data = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection: with TLS, the handshake is done by now."""
        self._transport = transport
        if self._tls:
            Answer.handshakes += 1
            (Answer.folder / "handshakes").write_text(str(Answer.handshakes))

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete."""
        self._data += data
        while b"\r\n\r\n" in self._data:
            head, rest = self._data.split(b"\r\n\r\n", 1)
            length = next(
                (
                    int(line.split(b":")[1])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length:")
                ),
                0,
            )
            if len(rest) < length:
                return
            self._data = rest[length:]
            body, kind = EC2, b"text/xml"
            if b"/sts/" in head:
                body = STS
            elif b"/sqs/" in head:
                body, kind = SQS, b"application/x-amz-json-1.0"
            answer = b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (kind, len(body), body)
            self._transport.write(answer)  # type: ignore[attr-defined]


async def main(folder: Path, count: int) -> None:
    """Serve until ended."""
    Answer.folder = folder
    (folder / "handshakes").write_text("0")
    hosts = [f"127.0.0.{number}" for number in range(1, count + 1)]
    context, loop, urls = certificate(folder, hosts), asyncio.get_running_loop(), []
    for host in hosts:
        server = await loop.create_server(lambda: Answer(tls=True), host, 0, ssl=context, backlog=1024)
        urls.append(f"https://{host}:{server.sockets[0].getsockname()[1]}")
    plain = await loop.create_server(lambda: Answer(tls=False), "127.0.0.1", 0)
    place = {
        "urls": urls,
        "plain": f"http://127.0.0.1:{plain.sockets[0].getsockname()[1]}",
        "ca": str(folder / "ca.pem"),
    }
    (folder / "server.tmp").write_text(json.dumps(place))
    (folder / "server.tmp").rename(folder / "server.json")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 34))  # noqa: PLR2004
