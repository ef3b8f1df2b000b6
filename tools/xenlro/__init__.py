# SPDX-License-Identifier: GPL-2.0-only
"""The command xenlro: which driver serves each NIC and Xen vif, and changing it."""
