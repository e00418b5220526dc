/*
 * client.c
 *	  Addresses are compared as 16 bytes, IPv4 as ::ffff:a.b.c.d.
 *
 * Proxies append on the right, and only what trusted ones appended can be
 * believed; so the list is read from the right up to the first address that is
 * not trusted.  Where both fields came, X-Forwarded-For is read: nearly all
 * proxies write that one, and pass on a Forwarded that the client made up.
 */
#include "http/client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MAX_NETWORKS 64

typedef struct Network
{
	unsigned char address[16];
	int			bits;
} Network;

static Network trusted[MAX_NETWORKS];
static int	trusted_count = 0;

static const unsigned char v4_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

static bool
parse_address(const char *text, unsigned char *address)
{
	memcpy(address, v4_prefix, sizeof(v4_prefix));
	return inet_pton(AF_INET, text, address + 12) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

static void
format_address(const unsigned char *address, char *text, size_t size)
{
	if (memcmp(address, v4_prefix, sizeof(v4_prefix)) == 0)
		inet_ntop(AF_INET, address + 12, text, (socklen_t) size);
	else
		inet_ntop(AF_INET6, address, text, (socklen_t) size);
}

/* The length of a prefix, of 128 bits for both families. */
static bool
parse_bits(const char *text, long most, int *bits)
{
	char	   *end;
	long		given = strtol(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || given > most)
		return false;
	*bits = (int) (128 - most + given);
	return true;
}

bool
client_trust(const char *networks)
{
	while (*networks)
	{
		size_t		length;
		char		text[64];
		char	   *slash;
		Network    *network = &trusted[trusted_count];

		networks += strspn(networks, " ");
		length = strcspn(networks, ",");
		if (length >= sizeof(text) || trusted_count == MAX_NETWORKS)
			return false;
		memcpy(text, networks, length);
		text[length] = '\0';
		slash = strchr(text, '/');
		if (slash)
			*slash = '\0';
		if (!parse_address(text, network->address))
			return false;
		network->bits = 128;
		if (slash && !parse_bits(slash + 1, strchr(text, ':') ? 128 : 32, &network->bits))
			return false;
		trusted_count++;
		networks += length + (networks[length] == ',');
	}
	return true;
}

static bool
is_trusted(const unsigned char *address)
{
	for (int i = 0; i < trusted_count; i++)
	{
		int			bytes = trusted[i].bits / 8;
		int			rest = trusted[i].bits % 8;

		if (memcmp(address, trusted[i].address, (size_t) bytes) == 0 &&
			(rest == 0 || ((address[bytes] ^ trusted[i].address[bytes]) & (0xFF00 >> rest) & 0xFF) == 0))
			return true;
	}
	return false;
}

/* One element of either field: an address, perhaps with for=, quotes, brackets and a port. */
static bool
parse_element(const char *element, size_t length, bool is_forwarded, unsigned char *address)
{
	char		text[64];
	unsigned char parsed[16];
	size_t		used = 0;
	const char *at = element;
	const char *end = element + length;

	if (is_forwarded)
	{
		while (at + 4 <= end && strncasecmp(at, "for=", 4) != 0)
			at++;
		at += 4;
	}
	while (at < end && strchr(" \t\"[", *at))
		at++;
	for (; at < end && used < sizeof(text) - 1 && strchr(" \t\"];", *at) == NULL; at++)
		text[used++] = *at;
	text[used] = '\0';
	/* a.b.c.d:port */
	if (strchr(text, '.') && strchr(text, ':') && strchr(text, ':') == strrchr(text, ':'))
		*strchr(text, ':') = '\0';
	if (!parse_address(text, parsed))
		return false;
	memcpy(address, parsed, sizeof(parsed));
	return true;
}

void
client_address(const struct sockaddr *peer, const char *forwarded, const char *x_forwarded_for, char *text, size_t size)
{
	unsigned char address[16];
	const char *list = x_forwarded_for ? x_forwarded_for : forwarded;
	const char *end = list ? list + strlen(list) : NULL;

	*text = '\0';
	memcpy(address, v4_prefix, sizeof(v4_prefix));
	if (peer && peer->sa_family == AF_INET)
		memcpy(address + 12, &((const struct sockaddr_in *) peer)->sin_addr, 4);
	else if (peer && peer->sa_family == AF_INET6)
		memcpy(address, &((const struct sockaddr_in6 *) peer)->sin6_addr, 16);
	else
		return;
	while (end && end > list && is_trusted(address))
	{
		const char *start = end;

		while (start > list && start[-1] != ',')
			start--;
		if (!parse_element(start, (size_t) (end - start), x_forwarded_for == NULL, address))
			break;
		end = start > list ? start - 1 : list;
	}
	format_address(address, text, size);
}
