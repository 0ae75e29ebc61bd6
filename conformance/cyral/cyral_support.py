# SPDX-License-Identifier: Apache-2.0
"""What several tests know."""

# Fields of a granted token.
FIELDS = {
    "access_token", "expires_in", "refresh_expires_in", "refresh_token", "token_type",
    "not_before_policy", "session_state", "scope",
}

# Permissions, as the vendor spells them.
PERMISSIONS = {
    "Access Request", "Access Management", "Access Management Proxy Request",
    "Access Management Proxy Manage", "Approval Management", "Modify Integrations",
    "Modify Policies", "View Datamaps", "Modify Sidecars and Repositories",
    "View Sidecars and Repositories", "Modify Users", "Modify Roles", "Repo Crawler",
    "View Audit Logs", "View Integrations", "View Policies", "View Roles", "View Users",
}
