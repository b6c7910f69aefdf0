"""Receipts of tool calls, taken from the guards of MCP servers (RS-8, RS-11)."""

import time
from dataclasses import dataclass
from typing import Any

from ..protocol import tool_receipt
from ..protocol.audit import Origin
from ..protocol.form import Form
from ..store.tool_receipts import ToolReceiptStore
from .ceilings import ClientLimit
from .client_authentication import ClientAuthentication
from .unusual_use import UnusualUse


@dataclass(frozen=True, slots=True)
class ToolReceipts:
    """Takes what a guard sends, about its own server alone."""

    who: ClientAuthentication
    receipts: ToolReceiptStore
    unusual: UnusualUse
    limit: ClientLimit

    def receive(self, form: Form, authorization: str | None, origin: Origin) -> dict[str, Any]:
        """Keep the batch; how many were new, how many had come before, and which were refused, by index and reason.

        The answer is the same whether a receipt belongs to a grant or not: a guard learns nothing of grants from it.
        Raises `InvalidClient`, `UnauthorizedClient` for who is no guard, `InvalidRequest` for what is no batch,
        and `SlowDown`.
        """
        guard, resource = self.who.guard(form, authorization)
        self.limit.count(guard.client_id)
        lost = tool_receipt.lost(form.get("lost"))
        good, bad = tool_receipt.parse(form.need("receipts"), time.time())
        kept = self.receipts.keep(resource, good)
        self.unusual.look(resource, kept, lost, origin)
        return {
            "accepted": len(kept),
            "repeated": len(good) - len(kept),
            "refused": [{"index": one.index, "reason": one.reason} for one in bad],
        }
