#!/bin/sh
# Open an issue with a title and a file's text, or add the text to the open issue that has the title already:
# report_failure.sh TITLE FILE, with the command gh and its GH_TOKEN. A failure that lasts stays one issue.
set -eu
title=$1 body=$2
[ -s "$body" ] || { echo "segtut: $body is empty: there is nothing to report." >&2; exit 1; }
number=$(gh issue list --state open --search "in:title \"$title\"" --json number,title \
    --jq "map(select(.title == \"$title\")) | .[0].number // empty")
if [ -n "$number" ]; then
    gh issue comment "$number" --body-file "$body"
else
    gh issue create --title "$title" --body-file "$body"
fi
