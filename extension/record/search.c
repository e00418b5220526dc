/*
 * search.c
 *	  What q searches: the text of a record's searchable fields, its words, and the
 *	  words of a question, each under the tenant and module that it is of.
 *
 * One index serves all modules of all tenants.  Its entries are words that begin
 * with tenant and module, "12.3.ladder", so that a question reads what its own
 * module has of a word and nothing of the others'.
 *
 * PostgreSQL holds at most 1 MB of words in a tsvector.  Text beyond
 * QEHS_SEARCH_BYTES is not searched, which keeps every record within that.
 */
#include "base/compat.h"

#include "base/json.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "record/record.h"
#include "tsearch/ts_type.h"
#include "tsearch/ts_utils.h"
#include "utils/pg_crc.h"

PG_FUNCTION_INFO_V1(qehs_search_words);
PG_FUNCTION_INFO_V1(qehs_search_query);

/* "tenant.module." */
#define PREFIX_SIZE 24

char *
record_search_text(const ModuleDef *module, Jsonb *payload)
{
	StringInfoData text;

	if (!module->has_searchable)
		return NULL;
	initStringInfo(&text);
	for (int i = 0; i < module->field_count && text.len < QEHS_SEARCH_BYTES; i++)
	{
		JsonbValue	value;

		if (!module->fields[i].searchable ||
			!json_member(&payload->root, module->fields[i].key, module->fields[i].key_length, &value) ||
			value.type != jbvString)
			continue;
		appendBinaryStringInfo(&text, value.val.string.val,
							   pg_mbcliplen(value.val.string.val, value.val.string.len, QEHS_SEARCH_BYTES - text.len));
		appendStringInfoChar(&text, '\n');
	}
	return text.data;
}

static int
write_prefix(char *prefix, int32 tenant_id, int32 module_id)
{
	return snprintf(prefix, PREFIX_SIZE, "%d.%d.", tenant_id, module_id);
}

/* Bytes of the string area that a word takes at offset, with its positions. */
static uint32
word_end(uint32 offset, int length, int positions)
{
	offset += length;
	return positions > 0 ? SHORTALIGN(offset) + sizeof(uint16) + positions * sizeof(WordEntryPos) : offset;
}

/* How many words of a tsvector fit under the prefix, and the bytes that they take; those that are too long do not count. */
static int
count_words(TSVector words, int prefix_length, uint32 *bytes)
{
	int			count = 0;

	*bytes = 0;
	for (int i = 0; i < words->size; i++)
	{
		WordEntry  *word = &ARRPTR(words)[i];
		uint32		end = word_end(*bytes, prefix_length + word->len, POSDATALEN(words, word));

		if (prefix_length + word->len >= MAXSTRLEN)
			continue;
		if (end > MAXSTRPOS)
			break;
		*bytes = end;
		count++;
	}
	return count;
}

/* search_words(tenant_id, module_id, words): the words with tenant and module in front; their order stays. */
Datum
qehs_search_words(PG_FUNCTION_ARGS)
{
	TSVector	words = PG_GETARG_TSVECTOR(2);
	char		prefix[PREFIX_SIZE];
	int			prefix_length = write_prefix(prefix, PG_GETARG_INT32(0), PG_GETARG_INT32(1));
	uint32		bytes;
	uint32		offset = 0;
	int			count = count_words(words, prefix_length, &bytes);
	TSVector	result = palloc0(CALCDATASIZE(count, bytes));
	char	   *strings;

	SET_VARSIZE(result, CALCDATASIZE(count, bytes));
	result->size = count;
	strings = STRPTR(result);
	for (int i = 0, made = 0; made < count; i++)
	{
		WordEntry  *word = &ARRPTR(words)[i];
		WordEntry  *entry = &ARRPTR(result)[made];
		int			positions = POSDATALEN(words, word);

		if (prefix_length + word->len >= MAXSTRLEN)
			continue;
		made++;
		entry->haspos = word->haspos;
		entry->len = prefix_length + word->len;
		entry->pos = offset;
		memcpy(strings + offset, prefix, prefix_length);
		memcpy(strings + offset + prefix_length, STRPTR(words) + word->pos, word->len);
		if (positions > 0)
			memcpy(strings + SHORTALIGN(offset + entry->len), STRPTR(words) + SHORTALIGN(word->pos + word->len),
				   sizeof(uint16) + positions * sizeof(WordEntryPos));
		offset = word_end(offset, entry->len, positions);
	}
	PG_RETURN_TSVECTOR(result);
}

/* Put the prefix in front of each word of a question. */
static void
prefix_node(QTNode *node, const char *prefix, int prefix_length)
{
	QueryOperand *operand;
	pg_crc32	crc;
	char	   *word;

	check_stack_depth();
	for (int i = 0; i < node->nchild; i++)
		prefix_node(node->child[i], prefix, prefix_length);
	if (node->valnode->type != QI_VAL)
		return;
	operand = (QueryOperand *) node->valnode;
	/* no stored word is so long: one that is cut so finds none */
	word = palloc(prefix_length + operand->length + 1);
	memcpy(word, prefix, prefix_length);
	memcpy(word + prefix_length, node->word, operand->length);
	operand->length = Min(prefix_length + operand->length, MAXSTRLEN - 1);
	word[operand->length] = '\0';
	node->word = word;
	INIT_LEGACY_CRC32(crc);
	COMP_LEGACY_CRC32(crc, word, operand->length);
	FIN_LEGACY_CRC32(crc);
	operand->valcrc = (int32) crc;
}

/* search_query(tenant_id, module_id, query): the question about words of the module. */
Datum
qehs_search_query(PG_FUNCTION_ARGS)
{
	TSQuery		query = PG_GETARG_TSQUERY_COPY(2);
	char		prefix[PREFIX_SIZE];
	QTNode	   *tree;

	if (query->size == 0)
		PG_RETURN_TSQUERY(query);
	tree = QT2QTN(GETQUERY(query), GETOPERAND(query));
	prefix_node(tree, prefix, write_prefix(prefix, PG_GETARG_INT32(0), PG_GETARG_INT32(1)));
	PG_RETURN_TSQUERY(QTN2QT(tree));
}
