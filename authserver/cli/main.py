"""The ``authserver`` command: what there is, and where. It loads what is asked for, and a version is told at once."""

import os

import click

from .. import __version__
from .elsewhere import Elsewhere

# Each with its place, and the first sentence of its help.
COMMANDS = {
    "alert": ("alerts.alert", "What looked unusual."),
    "api": ("api.api", "The API of administration: enable it, and print what it has."),
    "apply": ("apply.apply", "Make MCP servers, clients, roles, groups and rules as FILE (YAML) says."),
    "approval": (
        "approvals.approval",
        "What waits for an administrator: clients, changed documents, what people ask for (docs/notices.md).",
    ),
    "audit": ("audit.audit", "The audit trail: verify and export it (docs/audit.md)."),
    "call": ("calls.call", "Tool calls."),
    "client": ("clients.client", "Clients."),
    "doctor": (
        "doctor.doctor",
        "Look at URL, an issuer or an MCP server, as clients do: what is wrong, and what to do.",
    ),
    "document": ("documents.document", "Metadata documents of clients."),
    "domain": (
        "domains.domain",
        "Domains of clients that name themselves by a URL; a decision counts for all below the domain.",
    ),
    "export": (
        "export.export",
        (
            "Print MCP servers, pre-registered clients, roles, groups and rules as YAML for 'authserver apply', "
            "no secrets."
        ),
    ),
    "grant": ("grants.grant", "What people allowed clients to do."),
    "init": ("init.init", "Make what is missing: home folder, key file, database schema, signing keys."),
    "keys": ("keys.keys", "Signing keys."),
    "migrate": (
        "migrate.migrate",
        "Bring the database to this version's schema, while nodes with the code of before go on.",
    ),
    "notices": ("notices.notices", "Notices by mail and webhook (docs/notices.md)."),
    "overview": (
        "overview.overview",
        "Show what somebody should look at, the most pressing first, and the figures of the console's first page.",
    ),
    "policy": ("policy.policy", "Rules on who gets what, through which client, and when."),
    "purge": ("purge.purge", "Delete what has expired, in bounded batches."),
    "recover": (
        "recover.recover",
        "Once after the database was restored to an earlier moment, before a node starts: end all that may have ended.",
    ),
    "registration-token": (
        "registration_tokens.registration_token",
        'Initial access tokens, for registration = "token" (RFC 7591).',
    ),
    "resource": ("resources.resource", "MCP servers that tokens are for."),
    "serve": ("serve.serve", "Serve until told to stop."),
    "settings": (
        "settings_told.show",
        "List all settings with their values, without secrets, and whether the environment or the file says so.",
    ),
    "trace": ("traces.trace", "What became of an attempt to connect, by the reference on its error page."),
    "user": ("people.user", "People who sign in."),
}


class Listed(click.Group):
    """A group that lists its commands by what the table says of them."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Load none to list all."""
        told = [click.Command(name, help=words) for name, (_, words) in COMMANDS.items()]
        click.Group(commands=told).format_commands(ctx, formatter)


@click.group(cls=Listed, commands=Elsewhere({name: place for name, (place, _) in COMMANDS.items()}))
@click.version_option(__version__, prog_name="authserver")
def main() -> None:
    """An OAuth 2.1 authorization server made for MCP. Settings: AUTHSERVER_… or $AUTHSERVER_HOME/authserver.toml."""
    os.umask(0o077)  # what it writes (database, keys) is its owner's alone
