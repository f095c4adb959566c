/* An arena allocator: objects are allocated one by one and freed together. */
#ifndef LIB_ARENA_H
#define LIB_ARENA_H

#include <stdarg.h>
#include <stddef.h>

struct arena;

/* A new arena; the caller frees it with arena_free. Allocation failure ends the process here and in
 * all functions below. */
struct arena *arena_new(void);
void arena_free(struct arena *arena);

/* For __attribute__((cleanup)): frees *arena. */
void arena_cleanup(struct arena **arena);

/* Zeroed memory, aligned for pointers and 64-bit numbers; valid as long as the arena. */
void *arena_alloc(struct arena *arena, size_t size);
/* Copies that number of bytes, also NULs; `text` must have them all. */
char *arena_strndup(struct arena *arena, const char *text, size_t length);
char *arena_strdup(struct arena *arena, const char *text);
__attribute__((format(printf, 2, 3))) char *arena_printf(struct arena *arena, const char *format,
							 ...);
__attribute__((format(printf, 2, 0))) char *arena_vprintf(struct arena *arena, const char *format,
							  va_list args);

/* Makes room for one more element behind items[count] and returns the items, which may have moved;
 * the new element is zeroed, the room behind it is not. Used by array_push. */
void *arena_grow(struct arena *arena, void *items, size_t count, size_t size);

/* Appends a zeroed element to an arena array of pointer `items` and length `count`, and returns a
 * pointer to it. Elements move as the array grows: a pointer is valid until the next append. */
#define array_push(arena, items, count)                                                            \
	((items) = arena_grow((arena), (items), (count), sizeof(*(items))), &(items)[(count)++])

#endif
