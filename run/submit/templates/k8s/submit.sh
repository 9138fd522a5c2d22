#!/bin/sh
# Hands the shards in, and the job that makes the whole once all are done.
set -e
cd {{sh .Dir}}
kubectl apply -f shards.yaml -f merge.yaml
