# SPDX-License-Identifier: GPL-2.0-or-later
"""The unmerged work that a series builds on, found and proven blob by blob.

Read in this order: `prerequisite_search` decides whether the lists are asked, and which; `rebuilt_base` goes through
the blobs that the best commit lacks; `blob_proof` makes one of them, with `patch_routes` (patches put on and taken off)
and `version_merge` (versions merged, whole or in part). `patch_source` is where mailed patches come from,
`stated_prerequisites` looks up what the author states, `prerequisite_results` is the answer.
"""
