#!/bin/sh
# Starts Redis with redis.conf, the given options, the password from the environment, and three
# quarters of the container's memory; the last quarter is for buffers and the rewrite of the
# append-only file. Redis reads the password from a pipe, so that it is in no file and on no
# command line.
set -eu
password=$POOLRACE_REDIS_PASSWORD
unset POOLRACE_REDIS_PASSWORD
# Control groups version 2, else version 1.
limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null ||
    cat /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || echo max)
[ "$limit" = max ] && bytes=0 || bytes=$((limit / 4 * 3))
exec redis-server /etc/poolrace/redis.conf "$@" - <<CONF
requirepass "$password"
maxmemory $bytes
CONF
