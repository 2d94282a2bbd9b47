# Read by mvnw right after its `scriptName=` line: finds a JDK that can build this project, and a Maven where none can be downloaded.

jdk_major() { # the major version of the JDK in folder $1; nothing where there is none
  [ -n "$1" ] && [ -x "$1/bin/javac" ] || return 0 # "" would be /bin/javac
  if [ -r "$1/release" ]; then
    sed -n 's/^JAVA_VERSION="\{0,1\}\([0-9]*\).*/\1/p' "$1/release"
  else
    "$1/bin/javac" -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p'
  fi
}

find_jdk() ( # prints the folder of an installed JDK of major version $1
  set +f
  javac=$(command -v javac) && javac=$(readlink -f "$javac") || javac=
  for jdk in "${javac%/bin/javac}" /usr/lib/jvm/* /usr/lib64/jvm/* /usr/java/* /usr/local/openjdk-* /opt/java/* /opt/jdk* \
    "$HOME"/.sdkman/candidates/java/* "$HOME"/.jdks/* "$HOME"/.asdf/installs/java/* "$HOME"/.local/share/mise/installs/java/* \
    "$(/usr/libexec/java_home -v "$1" 2>/dev/null)" /Library/Java/JavaVirtualMachines/*/Contents/Home \
    /opt/homebrew/opt/openjdk@"$1" /usr/local/opt/openjdk@"$1"; do
    if [ "$(jdk_major "$jdk")" = "$1" ]; then
      printf '%s\n' "$jdk"
      return 0
    fi
  done
  return 1
)

case $(jdk_major "${JAVA_HOME-}") in
21 | 25) ;;
*)
  jdk=$(find_jdk 21) || jdk=$(find_jdk 25) ||
    die "mvnw: no JDK 21 or 25 was found. Install one (openjdk-21-jdk of Debian or Ubuntu, Eclipse Temurin, ...), or set JAVA_HOME to where it is."
  [ -z "${JAVA_HOME-}" ] || printf '%s\n' "mvnw: JAVA_HOME ($JAVA_HOME) is no JDK 21 or 25: using $jdk" >&2
  JAVA_HOME=$jdk
  ;;
esac
export JAVA_HOME

# With both JDKs the jar of the runtime works on both.
if [ "$(jdk_major "$JAVA_HOME")" = 21 ] && [ "$(jdk_major "${PGFLOW_JDK_25-}")" != 25 ]; then
  PGFLOW_JDK_25=$(find_jdk 25) && export PGFLOW_JDK_25 || unset PGFLOW_JDK_25
fi

# The wrapper waits long for a silent host, and checks the zip's checksum against a .tar.gz where there is no unzip.
if command -v wget >/dev/null; then wget() { command wget -T 10 -t 1 "$@"; }; fi
if command -v curl >/dev/null; then curl() { command curl --connect-timeout 10 "$@"; }; fi
if ! command -v unzip >/dev/null; then
  unzip() ( # unzip [-q] ZIP -d FOLDER
    [ "$1" != -q ] || shift
    set +f
    cd "$3" && "$JAVA_HOME/bin/jar" -xf "$1" && chmod +x ./*/bin/mvn
  )
fi

maven=$(sed -n 's,^distributionUrl=.*/\(apache-maven-.*\)-bin\.zip.*,\1,p' "$scriptDir/.mvn/wrapper/maven-wrapper.properties")
dists="${MAVEN_USER_HOME:-$HOME/.m2}/wrapper/dists/${maven:?}"

maven_is_there() { find "$dists" -path '*/bin/mvn' 2>/dev/null | grep -q .; }

path_maven_is_new_enough() {
  mvn --version 2>/dev/null | sed -n 's/.*Apache Maven \([0-9.]*\).*/\1/p' |
    awk -F. '{ new = $1 > 3 || $1 == 3 && ($2 > 8 || $2 == 8 && $3 >= 6) } END { exit !new }'
}

if [ -z "${PGFLOW_MVNW_DOWNLOADS-}" ] && ! maven_is_there; then
  rm -rf "$dists" # an interrupted installation leaves folders that the wrapper would take for a whole one
  if command -v mvn >/dev/null && ! failure=$(PGFLOW_MVNW_DOWNLOADS=yes sh "$0" --version 2>&1 >/dev/null) && path_maven_is_new_enough; then
    printf '%s\n' "mvnw: Maven could not be downloaded ($(printf '%s\n' "$failure" | head -n 1)): using $(command -v mvn)" >&2
    exec mvn "$@"
  fi
fi
