#!/bin/bash
# lint.sh FILE.c...: the rules of source_rules.mjs and circles.mjs, then clang-tidy (.clang-tidy says what) and cppcheck over the C sources, as many at once as
# there are processors, and shellcheck (.shellcheckrc) over all scripts.
set -euo pipefail
cd "$(dirname "$0")/../.."

missing=""
for tool in clang-tidy cppcheck shellcheck; do
	command -v "$tool" > /dev/null || missing="$missing $tool"
done
if [ -n "$missing" ]; then
	if [ "$(id -u)" != 0 ]; then
		echo "missing tools; install them as root: apt-get install$missing" >&2
		exit 1
	fi
	apt-get update -qq
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing > /dev/null
fi

server=$("${PG_CONFIG:-pg_config}" --includedir-server)
client=$("${PG_CONFIG:-pg_config}" --includedir)
number=$(sed -n 's/^#define PG_VERSION_NUM \([0-9]*\).*/\1/p' "$server/pg_config.h")
libraries=$(pkg-config --cflags pangocairo cairo-pdf icu-i18n libexif)
export server client libraries

# The flags that the Makefile compiles with.
tidy() {
	# shellcheck disable=SC2046,SC2086
	case $1 in
	extension/* | tests/fuzz/extension*) set -- "$1" -std=gnu11 -D_GNU_SOURCE -Iextension "-I$server" ;;
	*) set -- "$1" -std=c11 -D_GNU_SOURCE -Ishim -Iextension -Ibuild "-I$client" $libraries ;;
	esac
	# what it says of the system's headers is not for us
	clang-tidy --quiet "$1" -- -DQEHS_VERSION='"lint"' "${@:2}" 2> >(grep -v 'warnings\? .*generated\|^Suppressed\|^Use -header-filter' >&2)
}
export -f tidy

failed=0
node tests/tools/source_rules.mjs || failed=1
node tests/tools/circles.mjs || failed=1
printf '%s\n' "$@" | xargs -P "$(nproc)" -I{} bash -c 'tidy {}' || failed=1
cppcheck --quiet -j "$(nproc)" --enable=warning,performance,portability --error-exitcode=1 --inline-suppr --std=c11 \
	--suppress=missingInclude --suppress=missingIncludeSystem --library=posix --library=tests/tools/cppcheck.cfg -Iextension -Ishim -Ibuild -Itests/fuzz -DPG_VERSION_NUM="$number" -D_GNU_SOURCE \
	-DQEHS_VERSION='"lint"' "$@" || failed=1
git ls-files -z '*.sh' .ci/run | xargs -0 shellcheck || failed=1
[ "$failed" = 0 ] && echo "lint: $# files clean"
exit $failed
