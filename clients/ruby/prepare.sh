#!/bin/sh
# Finds Ruby, Active Record, Active Job and pg, or installs them from Debian's packages where it may.
has_all() { ruby -e 'require "active_record"; require "active_job"; require "pg"; require "minitest"' 2>/dev/null; }
has_all && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "Installing Ruby on Rails from Debian's packages …" >&2
  apt-get install --yes --quiet --no-install-recommends ruby ruby-activerecord ruby-activejob ruby-pg ruby-minitest >&2 ||
    { apt-get update --quiet >&2 && apt-get install --yes --quiet --no-install-recommends ruby ruby-activerecord ruby-activejob ruby-pg ruby-minitest >&2; }
fi
has_all && exit 0
echo "There is no Ruby with activerecord, activejob, pg and minitest. Install them: gem install activerecord activejob pg minitest" >&2
exit 1
