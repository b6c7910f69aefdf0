"""The tables, one file per aggregate. Importing this package completes ``Row.metadata``."""

from .account_mail import AccountLinkRow, InvitationRow, LetterRow
from .alert import AlertRow
from .api_answer import ApiAnswerRow
from .audit import AuditRow
from .audit_seal import SealRow, StreamRow
from .authorization_code import CodeRow
from .base import Row
from .client import ClientRow
from .client_position import ClientPositionRow
from .client_version import ClientVersionRow
from .domain_policy import DomainPolicyRow
from .ended_position import EndedPositionRow
from .epoch import EpochRow
from .factor import FactorRow, HalfSignInRow, RecoveryCodeRow
from .fetched_document import FetchedDocumentRow
from .grant import ConsentRow, GrantRow
from .identity import IdentityRow, UpstreamAttemptRow
from .initial_access_token import InitialAccessTokenRow
from .notice import FailureCountRow, GrantNetworkRow, NoticeMessageRow, NoticeRow
from .pending_grant import PendingGrantRow
from .policy import GroupMemberRow, PolicyHeadRow, PolicyVersionRow
from .refresh_token import FamilyRow, RefreshTokenRow
from .remembered import KnownBrowserRow, RememberedRow
from .resource import ResourceNameRow, ResourceRow, ScopeRow, ToolRow
from .revoked_access_token import RevokedAccessTokenRow
from .root_secret import RootSecretRow
from .session import SessionRow
from .signing_key import SigningKeyRow
from .tally import CensusRow, TallyRow
from .throttle import ThrottleRow
from .tool_challenge import ToolChallengeRow
from .tool_receipt import ToolHourRow, ToolReceiptRow, ToolUseRow
from .trace import TraceRow, TraceStepRow
from .used_assertion import UsedAssertionRow
from .user import UserRow

__all__ = [
    "AccountLinkRow",
    "AlertRow",
    "ApiAnswerRow",
    "AuditRow",
    "CensusRow",
    "ClientPositionRow",
    "ClientRow",
    "ClientVersionRow",
    "CodeRow",
    "ConsentRow",
    "DomainPolicyRow",
    "EndedPositionRow",
    "EpochRow",
    "FactorRow",
    "FailureCountRow",
    "FamilyRow",
    "FetchedDocumentRow",
    "GrantNetworkRow",
    "GrantRow",
    "GroupMemberRow",
    "HalfSignInRow",
    "IdentityRow",
    "InitialAccessTokenRow",
    "InvitationRow",
    "KnownBrowserRow",
    "LetterRow",
    "NoticeMessageRow",
    "NoticeRow",
    "PendingGrantRow",
    "PolicyHeadRow",
    "PolicyVersionRow",
    "RecoveryCodeRow",
    "RefreshTokenRow",
    "RememberedRow",
    "ResourceNameRow",
    "ResourceRow",
    "RevokedAccessTokenRow",
    "RootSecretRow",
    "Row",
    "ScopeRow",
    "SealRow",
    "SessionRow",
    "SigningKeyRow",
    "StreamRow",
    "TallyRow",
    "ThrottleRow",
    "ToolChallengeRow",
    "ToolHourRow",
    "ToolReceiptRow",
    "ToolRow",
    "ToolUseRow",
    "TraceRow",
    "TraceStepRow",
    "UpstreamAttemptRow",
    "UsedAssertionRow",
    "UserRow",
]
