#!/bin/sh
# Compiles the client and its driver, unless nothing has changed since the last time.
cd "$(dirname "$0")" || exit 1
mkdir -p target
# Several tests may begin at once.
exec 9>target/prepare.lock
flock 9 2>/dev/null
[ -f target/prepared ] && [ -z "$(find src pom.xml -newer target/prepared)" ] && exit 0
mvn --batch-mode --quiet process-test-classes && touch target/prepared
