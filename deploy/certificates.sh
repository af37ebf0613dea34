#!/bin/sh
# Makes deploy/certificates/: a certificate authority for this cluster, and a certificate for its
# Redis. Needs openssl.
#
#   deploy/certificates.sh [NAME_OR_ADDRESS]...
#
# Give every name and address by which other machines reach this one; `redis`, `localhost` and
# 127.0.0.1 are included. Run it again with other names: the authority stays, so that clients that
# trust it need no new file. Other machines need certificates/ca.crt only.
set -eu
umask 077

command -v openssl >/dev/null || {
    echo "certificates.sh: needs openssl; on Debian: apt install openssl" >&2
    exit 2
}
directory=$(dirname "$0")/certificates
mkdir -p "$directory"
cd "$directory"

names=DNS:redis,DNS:localhost,IP:127.0.0.1
for name in "$@"; do
    case $name in
        *[!0-9A-Za-z.:-]* | '' | -*)
            echo "certificates.sh: '$name' is neither a host name nor an address" >&2
            exit 2
            ;;
        *:* | [0-9]*.[0-9]*.[0-9]*.[0-9]*) names=$names,IP:$name ;;
        *) names=$names,DNS:$name ;;
    esac
done

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }

if [ ! -s ca.crt ]; then
    key ca.key
    openssl req -x509 -new -key ca.key -days 3650 -subj "/CN=poolrace cluster" -out ca.crt \
        -addext basicConstraints=critical,CA:TRUE,pathlen:0 \
        -addext keyUsage=critical,keyCertSign,cRLSign
fi

key server.key.new
openssl req -new -key server.key.new -subj "/CN=poolrace redis" -out server.csr
cat > server.ext <<EXTENSIONS
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = $names
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
EXTENSIONS
openssl x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 825 \
    -extfile server.ext -out server.crt.new 2>/dev/null
# The user of Redis in the container reads these files, each mounted by itself; on this machine
# only their owner can enter the directory.
chmod 644 ca.crt server.key.new server.crt.new
mv server.key.new server.key
mv server.crt.new server.crt
rm -f server.csr server.ext ca.srl

cat <<INSTRUCTIONS
certificates for $names are in $directory
replace the line CELERY_BROKER_URL in .env by these lines, then: make up
COMPOSE_FILE=docker-compose.yml:deploy/compose.tls.yml
POOLRACE_CA_FILE=deploy/certificates/ca.crt
CELERY_BROKER_URL=rediss://:\${POOLRACE_REDIS_PASSWORD}@127.0.0.1:\${POOLRACE_REDIS_PORT}/0
INSTRUCTIONS
