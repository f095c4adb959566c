#include "lib/arena.h"

#include "lib/memory.h"
#include <stdalign.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Chunks double in size up to the largest, so that an arena of a few objects stays small. */
#define CHUNK_SIZE_FIRST ((size_t)256)
#define CHUNK_SIZE_MAX   ((size_t)16 << 10)

/* A larger allocation has a chunk of its own. */
#define SHARED_SIZE_MAX (CHUNK_SIZE_MAX / 4)

#define ALIGN alignof(uint64_t)

struct chunk {
	struct chunk *next, **link; /* the pointer to it */
	size_t used, size;
	alignas(ALIGN) unsigned char bytes[];
};

struct arena {
	struct chunk *chunks;
	size_t next_size;
};

struct arena *arena_new(void)
{
	return memory_new(1, sizeof(struct arena));
}

void arena_free(struct arena *arena)
{
	if (!arena)
		return;
	for (struct chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(arena);
}

void arena_cleanup(struct arena **arena)
{
	arena_free(*arena);
}

static size_t aligned(size_t size)
{
	return size ? (size + ALIGN - 1) / ALIGN * ALIGN : ALIGN;
}

static void chunk_link(struct chunk *chunk, struct chunk **link)
{
	chunk->link = link;
	chunk->next = *link;
	if (chunk->next)
		chunk->next->link = &chunk->next;
	*link = chunk;
}

static struct chunk *chunk_add(struct arena *arena, size_t size)
{
	size = aligned(size);
	size_t shared_size = arena->next_size ? arena->next_size : CHUNK_SIZE_FIRST;
	const bool alone = size > shared_size / 4;
	size_t room = alone ? size : shared_size;
	struct chunk *chunk = memory_new(1, sizeof(*chunk) + room);
	chunk->size = room;
	if (!alone && shared_size < CHUNK_SIZE_MAX)
		arena->next_size = shared_size * 2;

	/* A chunk for one large allocation is linked behind the current one, which still has
	 * room. */
	chunk_link(chunk, alone && arena->chunks ? &arena->chunks->next : &arena->chunks);
	return chunk;
}

static size_t room_left(const struct arena *arena)
{
	return arena->chunks ? arena->chunks->size - arena->chunks->used : 0;
}

static void *take(struct arena *arena, size_t size)
{
	struct chunk *chunk = arena->chunks;
	if (!chunk || size > SHARED_SIZE_MAX || room_left(arena) < size)
		chunk = chunk_add(arena, size);
	void *memory = chunk->bytes + chunk->used;
	chunk->used += size;
	return memory;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	if (size > SIZE_MAX / 2)
		memory_or_die(NULL);
	if (arena->chunks && arena->chunks->used % ALIGN)
		arena->chunks->used = aligned(arena->chunks->used);
	return take(arena, aligned(size));
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
	char *copy = take(arena, length + 1);
	memcpy(copy, text, length);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *arena_vprintf(struct arena *arena, const char *format, va_list args)
{
	va_list copy;
	size_t room = room_left(arena);
	char *text = room ? (char *)arena->chunks->bytes + arena->chunks->used : NULL;
	va_copy(copy, args);
	size_t size = (size_t)vsnprintf(text, room, format, args) + 1;
	if (room && (size > room || size > SHARED_SIZE_MAX))
		memset(text, 0, room);
	char *in_use = take(arena, size);
	if (in_use != text)
		vsnprintf(in_use, size, format, copy);
	va_end(copy);
	return in_use;
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	char *text = arena_vprintf(arena, format, args);
	va_end(args);
	return text;
}

/* An array at the end of the chunk grows in place. */
static bool grow_in_place(struct arena *arena, const void *items, size_t old, size_t size)
{
	struct chunk *chunk = arena->chunks;
	if (!old || size > SHARED_SIZE_MAX ||
	    (const unsigned char *)items + old != chunk->bytes + chunk->used ||
	    room_left(arena) < size - old)
		return false;
	chunk->used += size - old;
	return true;
}

/* An allocation with a chunk of its own grows by realloc(3). glibc remaps a large one (mremap(2))
 * instead of copying it; its pages take memory when they are written. */
static void *grow_alone(void *items, size_t size)
{
	struct chunk *chunk = (void *)((unsigned char *)items - offsetof(struct chunk, bytes));
	chunk = memory_or_die(realloc(chunk, sizeof(*chunk) + size));
	chunk->used = chunk->size = size;
	*chunk->link = chunk;
	if (chunk->next)
		chunk->next->link = &chunk->next;
	return chunk->bytes;
}

static void *grow_copied(struct arena *arena, const void *items, size_t old, size_t size)
{
	void *grown = arena_alloc(arena, size);
	if (old)
		memcpy(grown, items, old);
	return grown;
}

void *arena_grow(struct arena *arena, void *items, size_t count, size_t size)
{
	/* Capacities are powers of two: the array is full exactly when count is one of them or
	 * zero. */
	if (!(count & (count - 1))) {
		if (count > SIZE_MAX / size / 4)
			memory_or_die(NULL);
		size_t old = count ? aligned(count * size) : 0;
		size_t capacity_size = aligned((count ? count * 2 : 1) * size);
		if (old > SHARED_SIZE_MAX)
			items = grow_alone(items, capacity_size);
		else if (!grow_in_place(arena, items, old, capacity_size))
			items = grow_copied(arena, items, old, capacity_size);
	}
	memset((unsigned char *)items + count * size, 0, size);
	return items;
}
