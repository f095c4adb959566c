/* An arena: memory that is allocated piece by piece and freed all at once. */
#ifndef LIB_ARENA_H
#define LIB_ARENA_H

#include <stddef.h>

struct arena;

/* A new arena; the caller frees it with arena_free. Ends the process when memory is out,
 * as all allocations below do: nothing has a better answer to that. */
struct arena *arena_new(void);
void arena_free(struct arena *arena);

/* For __attribute__((cleanup)): frees *arena. */
void arena_cleanup(struct arena **arena);

/* Zeroed memory, aligned for pointers and numbers of 64 bits; is valid as long as the arena. */
void *arena_alloc(struct arena *arena, size_t size);
char *arena_strndup(struct arena *arena, const char *text, size_t length);
char *arena_strdup(struct arena *arena, const char *text);
__attribute__((format(printf, 2, 3))) char *arena_printf(struct arena *arena, const char *format,
							 ...);

/* Makes room for one element more behind items[count] and returns the (moved) items; the new
 * element is zeroed, the room behind it is not. Use it through array_push. */
void *arena_grow(struct arena *arena, void *items, size_t count, size_t size);

/* Appends a zeroed element to an arena array of pointer `items` and length `count`, and gives a
 * pointer to it. Elements move as the array grows: keep no pointer into one that still grows. */
#define array_push(arena, items, count)                                                            \
	((items) = arena_grow((arena), (items), (count), sizeof(*(items))), &(items)[(count)++])

#endif
