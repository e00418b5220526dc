/*
 * merkle.h
 *	  Merkle trees as in RFC 6962 section 2.1, over digests of 32 bytes.
 *
 * A leaf is SHA-256(0x00, digest), a node SHA-256(0x01, left, right).  No SPI and no memory of its own.
 */
#ifndef QEHS_MERKLE_H
#define QEHS_MERKLE_H

#include "base/sha256.h"

typedef struct MerkleHash
{
	uint8		bytes[QEHS_SHA256_LENGTH];
} MerkleHash;

/* The most nodes of a path: one for each level above the leaves. */
#define MERKLE_MAX_PATH 31

/* The leaf of a digest. */
extern MerkleHash merkle_leaf(const uint8 *digest);

/* The root of at least one leaf, and, where path is not NULL, the audit path of the leaf index (section 2.1.1), whose length is set; nodes are overwritten. */
extern MerkleHash merkle_root(MerkleHash *nodes, int count, int index, MerkleHash *path, int *length);

#endif							/* QEHS_MERKLE_H */
