#!/bin/bash
# embed.sh DIR: writes DIR/portal.S and DIR/portal_files.h, the portal's files gzipped for the shim to hold.
#
# The renderer of the reference is Swagger UI, the console of GraphQL is GraphiQL on React, from npm, pinned by package-lock.json. Where
# npm cannot fetch them, the portal is built without: its other parts work.
set -euo pipefail
out=$(mkdir -p "$1" && cd "$1" && pwd)
cd "$(dirname "$0")"
renderer=node_modules/swagger-ui-dist
if { [ ! -e $renderer/swagger-ui-bundle.js ] || [ ! -e node_modules/graphiql/graphiql.min.js ]; } && ! npm ci --no-audit --no-fund --silent > /dev/null 2>&1; then
	echo "portal: npm cannot fetch the renderer of the API reference and the console of GraphQL; the portal is built without them" >&2
fi

rm -rf "$out/portal"
mkdir -p "$out/portal"
: > "$out/portal.S"
: > "$out/portal_files.h"
number=0
declarations=
rows=

# file PATH SOURCE TYPE
file() {
	[ -e "$2" ] || return 0
	number=$((number + 1))
	gzip -9 -n -c "$2" > "$out/portal/$number.gz"
	printf '\t.globl portal_%d, portal_%d_end\nportal_%d:\n\t.incbin "%s"\nportal_%d_end:\n' $number $number $number \
		"$out/portal/$number.gz" $number >> "$out/portal.S"
	declarations+="extern const char portal_${number}[], portal_${number}_end[];"$'\n'
	rows+=$(printf '\t{"%s", "%s", "\\"%s\\"", portal_%d, portal_%d_end, %d},' "$1" "$3" "$(sha256sum "$2" | cut -c 1-32)" \
		$number $number "$(wc -c < "$2")")$'\n'
}

printf '\t.section .rodata\n' > "$out/portal.S"
file /developers index.html "text/html; charset=utf-8"
file /developers/errors errors.html "text/html; charset=utf-8"
for name in *.css; do file "/developers/assets/$name" "$name" "text/css; charset=utf-8"; done
for name in *.js; do file "/developers/assets/$name" "$name" "text/javascript; charset=utf-8"; done
file /developers/graphql graphql.html "text/html; charset=utf-8"
file /developers/assets/icon.svg icon.svg image/svg+xml
file /developers/assets/swagger-ui.css $renderer/swagger-ui.css "text/css; charset=utf-8"
file /developers/assets/swagger-ui-bundle.js $renderer/swagger-ui-bundle.js "text/javascript; charset=utf-8"
file /developers/assets/swagger-ui.LICENSE.txt $renderer/LICENSE "text/plain; charset=utf-8"
file /developers/assets/swagger-ui.NOTICE.txt $renderer/NOTICE "text/plain; charset=utf-8"
file /developers/assets/swagger-ui-bundle.js.LICENSE.txt $renderer/swagger-ui-bundle.js.LICENSE.txt "text/plain; charset=utf-8"
file /developers/assets/graphiql.css node_modules/graphiql/graphiql.min.css "text/css; charset=utf-8"
file /developers/assets/graphiql.js node_modules/graphiql/graphiql.min.js "text/javascript; charset=utf-8"
file /developers/assets/graphiql.LICENSE.txt node_modules/graphiql/LICENSE "text/plain; charset=utf-8"
file /developers/assets/react.js node_modules/react/umd/react.production.min.js "text/javascript; charset=utf-8"
file /developers/assets/react-dom.js node_modules/react-dom/umd/react-dom.production.min.js "text/javascript; charset=utf-8"
file /developers/assets/react.LICENSE.txt node_modules/react/LICENSE "text/plain; charset=utf-8"
printf '\t.section .note.GNU-stack,"",@progbits\n' >> "$out/portal.S"
printf '/* Made by shim/portal/embed.sh. */\n%sstatic const PortalFile files[] = {\n%s};\n' "$declarations" "$rows" > "$out/portal_files.h"
