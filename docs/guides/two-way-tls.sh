#!/usr/bin/env bash
# Two-way TLS from nothing
#
# Brokers show a certificate to Headrace, and Headrace shows one to the brokers. Both are signed here by an authority of
# your own. This page is a script: read it, or run it.
#
#     BROKER_NAME=kafka.example.com STORE_PASSWORD=… docs/guides/two-way-tls.sh FOLDER
#
# It needs openssl and Java's keytool, and leaves in FOLDER what the brokers take (broker.properties and two key
# stores) and what Headrace takes (headrace.yaml and three PEM files). A test of the checkout runs it.
set -euo pipefail

folder=${1:?"usage: two-way-tls.sh FOLDER"}
# Every name and address by which clients reach the brokers must be in their certificate.
broker_name=${BROKER_NAME:-localhost}
broker_address=${BROKER_ADDRESS:-127.0.0.1}
store_password=${STORE_PASSWORD:?"set STORE_PASSWORD, at least six characters: it protects the brokers' key stores"}
days=${DAYS:-365}

mkdir -p "$folder"
cd "$folder"
# Private keys are nobody else's to read.
umask 077

# 1. The authority. Its key signs, and is needed again for the next certificate only: keep it off the brokers.
openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days "$days" -subj "/CN=Kafka authority" \
  -keyout authority.key -out authority.pem
# `-x509` marks it as an authority (basicConstraints CA:TRUE), without which Java refuses what it signed.

# 2. The brokers' certificate: made and kept by keytool, signed by openssl.
keytool -genkeypair -alias broker -keyalg RSA -keysize 2048 -validity "$days" -dname "CN=$broker_name" \
  -storetype PKCS12 -keystore broker.p12 -storepass "$store_password"
keytool -certreq -alias broker -keystore broker.p12 -storepass "$store_password" -file broker.csr
# The names are in subjectAltName: the CN alone is not looked at.
openssl x509 -req -in broker.csr -CA authority.pem -CAkey authority.key -CAcreateserial -sha256 -days "$days" \
  -extfile <(printf 'subjectAltName=DNS:%s,IP:%s\nextendedKeyUsage=serverAuth\n' "$broker_name" "$broker_address") \
  -out broker.pem
# The authority goes in first, else keytool does not find who signed the answer.
keytool -importcert -noprompt -alias authority -file authority.pem -keystore broker.p12 -storepass "$store_password"
keytool -importcert -noprompt -alias broker -file broker.pem -keystore broker.p12 -storepass "$store_password"

# 3. Whom the brokers trust: clients that the authority signed.
keytool -importcert -noprompt -alias authority -file authority.pem -storetype PKCS12 -keystore trust.p12 \
  -storepass "$store_password"

# 4. Headrace's certificate, as PEM. The brokers name it in ACLs as User:CN=headrace.
openssl req -newkey rsa:2048 -nodes -subj "/CN=headrace" -keyout headrace.key -out headrace.csr
openssl x509 -req -in headrace.csr -CA authority.pem -CAkey authority.key -CAcreateserial -sha256 -days "$days" \
  -extfile <(printf 'extendedKeyUsage=clientAuth\n') -out headrace.pem

# 5. What goes into server.properties of each broker, beside a listener of the protocol SSL in `listeners`,
#    `advertised.listeners` and `listener.security.protocol.map`. `ssl.client.auth=required` is what makes it two-way.
cat > broker.properties <<PROPERTIES
ssl.keystore.type=PKCS12
ssl.keystore.location=$PWD/broker.p12
ssl.keystore.password=$store_password
ssl.truststore.type=PKCS12
ssl.truststore.location=$PWD/trust.p12
ssl.truststore.password=$store_password
ssl.client.auth=required
PROPERTIES

# 6. What Headrace takes. Files are read anew for each new connection, so that a renewed certificate needs no restart:
#    put the new pem and key in the place of the old ones before those end.
cat > headrace.yaml <<'YAML'
destinations:
  main:
    brokers: '${BROKERS:-localhost:9093}'
    protocol: ssl
    tls:
      ca: '${file:authority.pem}'
      cert: '${file:headrace.pem}'
      key: '${file:headrace.key}'
    test_topic: headrace-test
YAML

echo "Done. Add broker.properties to the brokers, create the topic headrace-test, then: headrace check main --config $folder/headrace.yaml"
