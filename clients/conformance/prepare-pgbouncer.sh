#!/bin/sh
# Prints the path of a PgBouncer: the one in PATH, or Debian's package, unpacked into the folder that is given.
# LD_LIBRARY_PATH must hold FOLDER/lib. Ends with 1 where there is neither.
set -eu
folder=$1
if command -v pgbouncer; then exit 0; fi
if [ ! -x "$folder/pgbouncer" ]; then
  command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || exit 1
  rm -rf "$folder"
  mkdir -p "$folder/packages" "$folder/lib"
  # Only the files: nothing of the machine changes.
  cd "$folder/packages"
  libraries=$(apt-cache depends --important pgbouncer | sed -n 's/^ *Depends: \(lib\(event\|c-ares\).*\)/\1/p')
  apt-get download --quiet pgbouncer $libraries >&2
  for package in *.deb; do dpkg-deb --extract "$package" "$folder/files"; done
  find "$folder/files" -name '*.so.*' -exec mv {} "$folder/lib" \;
  mv "$folder/files/usr/sbin/pgbouncer" "$folder/pgbouncer"
  rm -rf "$folder/packages" "$folder/files"
fi
echo "$folder/pgbouncer"
