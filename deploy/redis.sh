#!/bin/sh
# Starts Redis with redis.conf, whatever options are given, and the password from the
# environment. Redis reads it from a pipe: it stands in no file and on no command line.
set -eu
password=$POOLRACE_REDIS_PASSWORD
unset POOLRACE_REDIS_PASSWORD
exec redis-server /etc/poolrace/redis.conf "$@" - <<CONF
requirepass "$password"
CONF
