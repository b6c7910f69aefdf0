"""nginx with TLS in front of the authorization server, as in production, and the certificates for it."""

import datetime
import ipaddress
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from .client import PATIENCE

CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/server.pem;
    ssl_certificate_key {folder}/server.key;
    location / {{
      proxy_pass http://127.0.0.1:{upstream};
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    }}
  }}
}}
"""


@contextmanager
def tls_proxy(folder: Path, port: int, upstream: int) -> Iterator[None]:
    """Serve https on *port* of loopback, for *upstream*; `make_certificates` was called for *folder*."""
    configuration = folder / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, port=port, upstream=upstream))
    command = [shutil.which("nginx") or "/usr/sbin/nginx", "-p", str(folder), "-e", "stderr", "-c", str(configuration)]
    process = subprocess.Popen(command)
    try:
        _await(f"https://localhost:{port}/health/live", folder, process)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)


def make_certificates(folder: Path, lasting: datetime.timedelta = datetime.timedelta(days=1)) -> Path:
    """A certification authority, and a certificate of it for loopback; returns the authority's own.

    The certificate for loopback ends *lasting* from now, which may be in the past.
    """
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _name("journey authority")
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    _write(folder / "authority.pem", _certificate(authority, authority_key, authority, authority_key))
    _write(
        folder / "server.pem", _certificate(_name("localhost"), server_key, authority, authority_key, names, lasting)
    )
    key = server_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.key").write_bytes(key)
    return folder / "authority.pem"


def _certificate(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
    names: list[x509.GeneralName] | None = None,
    lasting: datetime.timedelta = datetime.timedelta(days=1),
) -> x509.Certificate:
    end = datetime.datetime.now(datetime.UTC) + lasting
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(min(end, end - lasting) - datetime.timedelta(minutes=5))
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=names is None, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuer_key, SHA256())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _write(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(Encoding.PEM))


def _await(url: str, folder: Path, process: subprocess.Popen[bytes]) -> None:
    while True:
        try:
            httpx2.get(url, verify=trusting(folder)).raise_for_status()
        except httpx2.TransportError:
            assert process.poll() is None, "nginx did not start"
        else:
            return


def trusting(folder: Path) -> ssl.SSLContext:
    """TLS that trusts the authority of *folder* and nobody else."""
    return ssl.create_default_context(cafile=str(folder / "authority.pem"))
