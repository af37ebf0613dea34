#!/bin/sh
# Starts Redis with redis.conf, whatever options are given, and the password from the
# environment. The resulting file lies in memory, readable for Redis' own user alone.
set -eu
umask 077
{
    cat /etc/poolrace/redis.conf
    printf 'requirepass "%s"\n' "$POOLRACE_REDIS_PASSWORD"
} > /run/poolrace/redis.conf
unset POOLRACE_REDIS_PASSWORD
exec redis-server /run/poolrace/redis.conf "$@"
