/*
 * shim_token.c
 *	  libFuzzer target of the shim's JSON Web Tokens: whatever is sent as a bearer,
 *	  none that the key has not signed opens the door.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "exchange/token.h"

int			LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The public key of RFC 7517 appendix A.1; nobody here has the private one. */
static const char key_set[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
"\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\",\"kid\":\"1\"}]}";

static void
load_keys(void)
{
	static Config config = {.jwt_issuer = "i",.jwt_audience = "a",.jwt_tenant_claim = "tenant",.jwt_user_claim = "sub",.jwt_roles_claim = "roles"};
	char		name[] = "/tmp/qehs-fuzz-keys.XXXXXX";
	char		message[256];
	int			file = mkstemp(name);

	if (file < 0 || write(file, key_set, sizeof(key_set) - 1) < 0)
		abort();
	close(file);
	config.jwt_keys = name;
	if (!token_load(&config, message, sizeof(message)))
		abort();
	unlink(name);
	config.jwt_keys = "loaded";
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool loaded = false;
	Arena		arena = {0};
	char	   *text = arena_copy(&arena, (const char *) data, size);

	if (!loaded)
		load_keys();
	loaded = true;
	token_is_one(text);
	if (token_verify(text, &arena) != NULL)
		abort();
	arena_free(&arena);
	return 0;
}
