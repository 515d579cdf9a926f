#!/bin/sh
# The migration backup: judges the pending migrations, then backs the database up before they change it; the backup
# counts once it has been restored.
# Does nothing when no migration is pending; there is no backup when there is nothing to lose yet. Prints {"hold":
# [names]}: what has to wait, with
# "pending": 0 where there is nothing to run.
# IMAGE, NETWORK, APP_PATH, RUN_AS, MEMORY, LABELS: see functions/one-off.sh; NAME: of the one-off container; RELEASE
# AGENT, DATABASE_IMAGE, DATABASE_USER, ENGINE, SCHEMA, VOLUME, KEEP: see functions/dump-one-off.sh
# BREAKING: warn|refuse; STACK; RECORDS…: see functions/records.sh
# Standard input, two lines: base64 of a tar with the .env file and scripts; base64 of the database client's option file
set -eu
fail() { echo "backup: $*; nothing was migrated, nothing was switched." >&2; exit 1; }
. commands/functions/answer.sh
. commands/functions/one-off.sh
. commands/functions/dump-one-off.sh
. commands/functions/records.sh
read -r files
read -r options

ask() { printf '%s' "$files" | LABELS="$LABELS --rm" one_off "$NAME" php /drydock/pending.php "$APP_PATH"; }
# A name that is taken is what an interrupted release has left.
ask 2>/dev/null || { docker rm --force --volumes "$NAME" >/dev/null 2>&1 || true; ask; } ||
  fail "the one-off container could not be made from $IMAGE"
said=$(timeout 120 docker start --attach "$NAME") || {
  docker rm --force --volumes "$NAME" >/dev/null 2>&1 || true
  fail "the pending migrations could not be read: $said"
}
answer=$(printf '%s\n' "$said" | answered) || fail "the pending migrations could not be read: $said"
case $answer in
  '{"pending":[],"dump":null,'*)
    echo "no migration is pending: no backup is needed"
    echo '{"hold":[],"pending":0}'
    exit 0
    ;;
  '{"pending":['*) ;;
  *) fail "the pending migrations could not be read" ;;
esac

serving=
case $answer in *'"contract":true'*) serving=$(last_release) ||
  fail "the records of the releases could not be read (volume $RECORDS)" ;; esac
plan=$(printf '%s' "$answer" | SERVING=$serving node --import tsx commands/parts/judge-migrations.ts) ||
  fail "refused by drydock:migrate.breaking, or not judged (see above)"
hold=$(printf '%s\n' "$plan" | head -n 1)
runs=$(printf '%s\n' "$plan" | tail -n +2)
[ -n "$runs" ] || { echo "$hold"; exit 0; }
# A rollback needs to know what each of them changed.
printf '%s\n' "$runs" | append migrations.jsonl ||
  fail "the records could not be written (volume $RECORDS): is the disk full?"
case $answer in *'"tables":0,'*) echo "the database is empty: there is nothing to back up"; echo "$hold"; exit 0 ;; esac

printf '%s' "$options" | back_up "before-$RELEASE" \
  || fail "the database could not be backed up (see above)"
echo "$hold"
