#!/usr/bin/env bash
# Inner and outer listeners, as in Kubernetes
#
# A client asks one broker, by the address it was given, where all brokers are, and then dials the addresses it was
# answered: `advertised.listeners`. Inside a Kubernetes cluster brokers are reached by names that nobody outside can
# resolve (kafka-0.kafka.default.svc.cluster.local). A client outside that is answered such names reaches the first
# broker and then none: the commonest reason why Kafka "cannot be reached" though its port is open.
#
# The cure is a listener for each side, on a port of its own, each advertising what its side can reach. This page is a
# script that writes the settings; a test of the checkout runs it, and shows both the failure and the cure.
#
#     OUTER_HOST=kafka.example.com docs/guides/inner-and-outer-listeners.sh FOLDER
set -euo pipefail

folder=${1:?"usage: inner-and-outer-listeners.sh FOLDER"}
# How pods reach this broker: its name behind the headless service. In a StatefulSet: ${HOSTNAME}.kafka.default.svc.cluster.local
inner_host=${INNER_HOST:-kafka-0.kafka.default.svc.cluster.local}
inner_port=${INNER_PORT:-9092}
# How everybody else does: the address of a load balancer or a node, and the port that leads to this one broker.
# Each broker needs an outer address of its own; one load balancer before all of them works for the first request only.
outer_host=${OUTER_HOST:-kafka.example.com}
outer_port=${OUTER_PORT:-9094}

mkdir -p "$folder"
cd "$folder"

# 1. For server.properties. Names of listeners are yours to choose; the map says what each speaks. Outside it should be
#    encrypted: SSL or SASL_SSL in place of PLAINTEXT, see two-way-tls.sh.
cat > broker.properties <<PROPERTIES
listeners=INNER://0.0.0.0:$inner_port,OUTER://0.0.0.0:$outer_port
advertised.listeners=INNER://$inner_host:$inner_port,OUTER://$outer_host:$outer_port
listener.security.protocol.map=INNER:PLAINTEXT,OUTER:PLAINTEXT
inter.broker.listener.name=INNER
PROPERTIES

# 2. For a Headrace beside the brokers, in the cluster.
cat > inside.yaml <<YAML
destinations:
  main:
    brokers: $inner_host:$inner_port
    test_topic: headrace-test
YAML

# 3. For a Headrace outside: the port of the outer listener. With the port of the inner one (a port-forward leads there,
#    say) the first connection works, and \`headrace check\` names the broker that advertises the wrong address.
cat > outside.yaml <<YAML
destinations:
  main:
    brokers: $outer_host:$outer_port
    test_topic: headrace-test
YAML

echo "Done. Put broker.properties into each broker's server.properties, then: headrace check main --config $folder/outside.yaml"
