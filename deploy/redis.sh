#!/bin/sh
# Starts Redis with redis.conf, the given options, and the password from the environment. Redis
# reads the password from a pipe, so that it is in no file and on no command line.
set -eu
password=$POOLRACE_REDIS_PASSWORD
unset POOLRACE_REDIS_PASSWORD
exec redis-server /etc/poolrace/redis.conf "$@" - <<CONF
requirepass "$password"
CONF
