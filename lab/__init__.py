# SPDX-License-Identifier: GPL-2.0-only
"""The laboratory: a sender, an emulated RTL8169 and a Xen host, set up and measured on one machine.

Run as root from the checkout: `python3 -m lab`. Everything it makes lies under build/.
"""
