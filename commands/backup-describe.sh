#!/bin/sh
# Tells the backup agent what the application's environment is made of, for the next backups: plain variables, and only
# the names of the secret ones.
# CONTAINER: of the agent
# Standard input: JSON
set -u
# A backup without it is a backup all the same: no release fails here.
docker exec --interactive "$CONTAINER" agent describe --json > /dev/null ||
  { echo "backup-describe: the agent in $CONTAINER did not take it; the next backups name the environment as it was" \
      "before" >&2; exit 0; }
echo "noted"
