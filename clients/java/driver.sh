#!/bin/sh
# driver.sh CLIENT: answers the conformance suite. prepare.sh must have run.
cd "$(dirname "$0")" || exit 1
exec java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -cp "target/classes:target/test-classes:$(cat target/test.classpath)" \
  io.cdcaudit.actors.conformance.Driver "$1"
