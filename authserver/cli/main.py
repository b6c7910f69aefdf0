"""The ``authserver`` command and its plain subcommands."""

import os

import click

from .. import __version__
from ..keys import wrapping
from ..services.deployment import Deployment
from ..services.maintenance import BATCH, Maintenance
from ..store.purge import purge as purge_batch
from . import (
    alerts,
    api,
    apply,
    approvals,
    audit,
    audit_export,
    audit_list,
    calls,
    client_add,
    client_alike,
    client_allow,
    client_approval,
    client_history,
    client_reap,
    client_secret,
    clients,
    doctor,
    documents,
    domains,
    export,
    families,
    grants,
    invitations,
    keys,
    migrate,
    notices,
    overview,
    people,
    person,
    policy,
    policy_explain,
    policy_requests,
    recover,
    registration_tokens,
    resource_state,
    resources,
    serve,
    settings_told,
    tool_limits,
    tools,
    traces,
    whose,
)
from .deployment import deployment, settings, with_deployment


@click.group()
@click.version_option(__version__, prog_name="authserver")
def main() -> None:
    """An OAuth 2.1 authorization server made for MCP. Settings: AUTHSERVER_… or $AUTHSERVER_HOME/authserver.toml."""
    os.umask(0o077)  # what it writes (database, keys) is its owner's alone


@main.command()
def init() -> None:
    """Make what is missing: home folder, key file, database schema, signing keys. Safe to run again."""
    configured = settings()
    if not configured.key_encryption_key.get_secret_value() and wrapping.create_key_file(configured.home):
        click.echo(f"made {configured.home / wrapping.FILE_NAME} (keep it secret, back it up)")
    migrate.bring_up_to_date(configured)
    for kid in deployment().rotation.ensure():
        click.echo(f"made signing key {kid}")
    click.echo("ready: 'authserver serve' starts the server")


@main.command()
@with_deployment
def purge(found: Deployment) -> None:
    """Delete what has expired, in bounded batches."""
    window = found.settings.refresh_retry_window
    Maintenance(found.stores, window, found.reaper, found.approvals, found.rotation).sweep()
    gone = {"clients": sum(found.reaper.reap()), "requests for a decision": found.approvals.expire()}
    total = {name: count for name, count in gone.items() if count}
    while any((gone := purge_batch(found.stores.database, BATCH)).values()):
        total = {name: total.get(name, 0) + count for name, count in gone.items()}
    for name, count in total.items():
        click.echo(f"{name}: {count}")
    click.echo("purged" if total else "nothing had expired")


main.add_command(serve.serve)
main.add_command(migrate.migrate)
main.add_command(export.export)
main.add_command(api.api)
main.add_command(people.user)
for command in (
    person.show,
    person.give_role,
    person.disable,
    person.enable,
    person.reset_password,
    person.sessions,
    invitations.invite,
    invitations.invitations,
    invitations.withdraw,
    person.remove_factors,
    policy_requests.join,
    policy_requests.leave,
):
    people.user.add_command(command)
main.add_command(grants.grant)
for command in (families.families, families.revoke_family, whose.whose):
    grants.grant.add_command(command)
main.add_command(settings_told.show)
main.add_command(overview.overview)
main.add_command(clients.client)
for command in (
    client_add.add,
    client_allow.allow,
    client_secret.rotate_secret,
    client_approval.approve,
    client_approval.refuse,
    client_reap.reap,
    client_alike.alike,
    client_alike.delete_alike,
    client_history.history,
):
    clients.client.add_command(command)
main.add_command(registration_tokens.registration_token)
main.add_command(resources.resource)
for command in (
    resource_state.show,
    resource_state.suspend,
    resource_state.resume,
    resource_state.remove,
    tools.sync,
    tools.diff,
    tools.agree,
    tools.tool,
    tool_limits.limit,
):
    resources.resource.add_command(command)
main.add_command(apply.apply)
main.add_command(doctor.doctor)
main.add_command(keys.keys)
main.add_command(recover.recover)
main.add_command(audit.audit)
audit.audit.add_command(audit_list.list_events)
audit.audit.add_command(audit_export.export)
main.add_command(documents.document)
main.add_command(domains.domain)
main.add_command(traces.trace)
main.add_command(calls.call)
main.add_command(alerts.alert)
main.add_command(approvals.approval)
main.add_command(notices.notices)
main.add_command(policy.policy)
for command in (
    policy_explain.explain,
    policy_explain.replay,
    policy_requests.requests,
    policy_requests.withdraw,
):
    policy.policy.add_command(command)
