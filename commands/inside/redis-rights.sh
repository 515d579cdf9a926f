# What Laravel's account may do in Redis, as words of an ACL rule; sourced by what starts Redis and by what tells it
# passwords.
# Not: to make accounts (a taken password would outlive its change, and Drydock's own account could be locked out), to
# stop, configure or copy the
# server, to watch what others do, to delete jobs and sessions with FLUSHALL. Laravel and Horizon need of the dangerous
# ones those that stand last.
# shellcheck shell=sh disable=SC2034
RIGHTS='+@all -@admin -@dangerous +info +keys +flushdb +sort +client|setname +client|getname +client|id'
