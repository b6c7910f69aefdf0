"""What the demo prints: where it runs, who can sign in, and what to paste into which client."""

from .people import FILE_NAME, Accounts
from .place import Place

TEXT = """
  Authorization server   {issuer}          (console: {issuer}/admin)
  MCP server             {resource}      (guarded; tools: list, read, write and delete notes)

{people}

  Claude Code     claude mcp add --transport http notes {resource}
                  then type /mcp in Claude Code, choose "notes" and authenticate

  VS Code         .vscode/mcp.json:
                  {{ "servers": {{ "notes": {{ "type": "http", "url": "{resource}" }} }} }}

  MCP Inspector   npx @modelcontextprotocol/inspector
                  choose "Streamable HTTP", enter {resource} and press Connect

  mcp-remote      for clients that only start programs:
                  {{ "mcpServers": {{ "notes": {{ "command": "npx", "args": ["mcp-remote", "{resource}"] }} }} }}

  More people     .venv/bin/authserver user invite ann --email ann@example.com   (in this folder; mail is shown here)

  More clients: docs/connect.md. What the servers log: {home}/*.log. Ctrl-C ends both.
"""


def text(place: Place, issuer: str, accounts: Accounts) -> str:
    """All of it."""
    return TEXT.format(issuer=issuer, resource=place.resource, home=place.home, people=_people(accounts, place))


def _people(accounts: Accounts, place: Place) -> str:
    if not accounts.are_new:
        return f"  Sign in as             admin or user; their passwords are in {place.home / FILE_NAME}"
    kept = f"shown once, kept in {place.home / FILE_NAME}"
    return "\n".join(
        f"  Sign in as             {account.username:6} password {account.password}   ({kept})"
        for account in (accounts.admin, accounts.user)
    )
