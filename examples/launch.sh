# Sourced by the commands of this folder: runs the class $main of the module $module (examples, unless it is set) in the folder $working
# with the arguments given, from what the sources are now, on the JDK that ./mvnw would take.

set -eu

die() {
  printf '%s\n' "$1" >&2
  exit 1
}

root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
scriptDir=$root # as in mvnw
PGFLOW_MVNW_DOWNLOADS=yes # only the JDK is of interest
. "$scriptDir/.mvn/environment.sh"
unset PGFLOW_MVNW_DOWNLOADS

wanted=$(($(jdk_major "$JAVA_HOME") + 44)) # as class files count versions
module=${module:-examples}
dependencies=$root/$module/target/classpath

is_of_another_jdk() { # class files that name preview APIs run on one version only
  for class in sql/target/classes/module-info runtime/target/classes/module-info "$module/target/classes/$(printf '%s' "$main" | tr . /)"; do
    version=$(od -An -tu1 -j7 -N1 "$root/$class.class" 2>/dev/null | tr -d ' ')
    [ "${version:-$wanted}" -eq "$wanted" ] || return 0
  done
  return 1
}

is_current() { # no source is newer than the list of dependencies, and all of these are there
  [ -f "$dependencies" ] || return 1
  [ -z "$(find "$root/pom.xml" "$root"/*/pom.xml "$root"/*/src/main "$root"/*/src/build "$root/$module/pom.xml" "$root/$module/src/main" -newer "$dependencies" 2>/dev/null)" ] || return 1
  tr : '\n' <"$dependencies" | while IFS= read -r entry; do
    [ -e "$entry" ] || return 1
  done
}

build() {
  log=$(mktemp)
  printf 'Building, which takes a minute or two the first time ...\n' >&2
  # without tests; the list of dependencies is written last
  (
    cd "$root"
    rm -f "$dependencies"
    ./mvnw -q -pl "$module" -am "$@" -Dmaven.test.skip=true test-compile dependency:build-classpath \
      -DincludeScope=runtime -Dmdep.outputFile=target/classpath >"$log" 2>&1
  ) || {
    cat "$log" >&2
    rm "$log"
    die "The build failed, see above."
  }
  rm "$log"
}

if is_of_another_jdk; then
  build clean
elif ! is_current; then
  build
fi

if [ -z "${LC_ALL-}${LC_CTYPE-}${LANG-}" ]; then
  export LC_CTYPE=C.UTF-8 # or names of files would be ASCII
fi
terminal=false
if [ -t 1 ] && [ "${TERM:-dumb}" != dumb ]; then
  terminal=true
fi
cd "$working"
exec "$JAVA_HOME/bin/java" --enable-preview -cp "$root/$module/target/classes:$(cat "$dependencies")" \
  -Dpgflow.examples.terminal="$terminal" -Dpgflow.examples.command="$0" "$main" "$@"
