/*
 * merkle.c
 *	  Roots and audit paths of Merkle trees.
 *
 * Level by level: neighbours become a node, and the last of an odd number moves up
 * as it is, which makes the same tree as the RFC's split at the largest power of
 * two.
 */
#include "base/compat.h"

#include "audit/merkle.h"

static MerkleHash
hash_with_prefix(uint8 prefix, const MerkleHash *items, int count)
{
	uint8		bytes[1 + 2 * QEHS_SHA256_LENGTH];
	MerkleHash	hash = {0};

	bytes[0] = prefix;
	memcpy(bytes + 1, items, sizeof(MerkleHash) * count);
	sha256_bytes(bytes, 1 + sizeof(MerkleHash) * count, hash.bytes);
	return hash;
}

MerkleHash
merkle_leaf(const uint8 *digest)
{
	MerkleHash	data;

	memcpy(data.bytes, digest, sizeof(data.bytes));
	return hash_with_prefix(0x00, &data, 1);
}

MerkleHash
merkle_root(MerkleHash *nodes, int count, int index, MerkleHash *path, int *length)
{
	int			found = 0;

	for (; count > 1; count = (count + 1) / 2, index /= 2)
	{
		if (path && (index ^ 1) < count)
			path[found++] = nodes[index ^ 1];
		for (int i = 0; i < count / 2; i++)
			nodes[i] = hash_with_prefix(0x01, &nodes[2 * i], 2);
		if (count % 2)
			nodes[count / 2] = nodes[count - 1];
	}
	if (path)
		*length = found;
	return nodes[0];
}
