#include "cmd/watch/notices.h"

#include "lib/arena.h"
#include "lib/hashmap.h"
#include "lib/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A limit, since whoever controls a namespace can create any number of objects. */
struct notices {
	struct arena *arena;
	struct index *keys;
};

enum notice { NOTICE_UNREADABLE, NOTICE_WARNING, NOTICE_STEP, NOTICE_GUARD };

/* The object of a notice, as bytes. */
struct key {
	FILE *out;
	char *bytes;
	size_t size;
};

static void key_number(struct key *key, uint64_t number)
{
	fwrite(&number, sizeof(number), 1, key->out);
}

/* NULL differs from every text. */
static void key_text(struct key *key, const char *text)
{
	key_number(key, text ? strlen(text) + 1 : 0);
	fputs(text ? text : "", key->out);
}

static void key_begin(struct key *key, enum notice notice)
{
	key->out = memory_or_die(open_memstream(&key->bytes, &key->size));
	key_number(key, notice);
}

static bool key_enter(struct key *key, struct notices *now, const struct notices *before)
{
	fclose(key->out);
	void *bytes = arena_alloc(now->arena, key->size);
	memcpy(bytes, key->bytes, key->size);
	free(key->bytes);
	return !index_put(now->keys, bytes, key->size, now) &&
	       !(before && index_get(before->keys, bytes, key->size));
}

struct notices *notices_new(void)
{
	struct arena *arena = arena_new();
	struct notices *notices = arena_alloc(arena, sizeof(*notices));
	*notices = (struct notices){.arena = arena, .keys = index_new(0)};
	return notices;
}

void notices_free(struct notices *notices)
{
	if (!notices)
		return;
	index_free(notices->keys);
	arena_free(notices->arena);
}

bool notice_unreadable(struct notices *now, const struct notices *before,
		       const struct unreadable *unreadable)
{
	struct key key;
	key_begin(&key, NOTICE_UNREADABLE);
	key_number(&key, unreadable->kind);
	key_number(&key, unreadable->inode);
	key_number(&key, (uint64_t)unreadable->errnum);
	return key_enter(&key, now, before);
}

bool notice_warning(struct notices *now, const struct notices *before,
		    const struct warning *warning)
{
	/* The second object of a lookup is a sentence, and the range is a suggestion. */
	const size_t n_objects = warning->kind == WARNING_LOOKUP     ? 1
				 : warning->kind == WARNING_NO_RANGE ? 2
								     : WARNING_OBJECTS_MAX;
	struct key key;
	key_begin(&key, NOTICE_WARNING);
	key_number(&key, warning->kind);
	for (size_t i = 0; i < n_objects; i++)
		key_text(&key, warning->objects[i]);
	return key_enter(&key, now, before);
}

/* Includes the specification of the link: after an edit the error is logged again. */
static void key_spec(struct key *key, const struct link_spec *spec)
{
	char text[PREFIX_TEXT_SIZE];
	key_text(key, spec->parent_name);
	for (size_t i = 0; i < spec->n_addrs; i++)
		key_text(key, prefix_format(&spec->addrs[i], text));
	key_text(key, spec->mac.set ? mac_format(&spec->mac, text) : NULL);
}

bool notice_step(struct notices *now, const struct notices *before, const struct step *step)
{
	const struct owner_tag *tag = step->tag;
	const bool pending = step->action == ACTION_PENDING;
	struct key key;
	key_begin(&key, NOTICE_STEP);
	key_number(&key, step->action);
	key_number(&key, step->code);
	key_number(&key, tag->role);
	key_text(&key, tag->set);
	key_text(&key, tag->network);
	key_text(&key, tag->container);
	key_text(&key, tag->attachment);
	key_text(&key, step->name);
	/* A step may wait for a namespace although its container is still known in a destroyed
	 * one. */
	key_number(&key, step->ns && !pending ? step->ns->inode : 0);
	key_text(&key, pending ? step->stopped : NULL);
	/* Without an error it waits, and a change of the chosen address is not logged. */
	if (step->desired && step->code)
		key_spec(&key, step->desired);
	return key_enter(&key, now, before);
}

bool notice_guard(struct notices *now, const struct notices *before, const struct guard *guard)
{
	struct key key;
	key_begin(&key, NOTICE_GUARD);
	key_text(&key, guard->set);
	key_number(&key, guard->other_file);
	key_number(&key, guard->live);
	key_number(&key, guard->deletes);
	return key_enter(&key, now, before);
}
