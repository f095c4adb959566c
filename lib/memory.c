#include "lib/memory.h"

#include "lib/journal.h"

#include <malloc.h>
#include <stdlib.h>

#define MMAP_THRESHOLD (128 << 10) /* bytes; glibc's first one */

void *memory_or_die(void *memory)
{
	if (memory)
		return memory;
	journal_stderr(LEVEL_ERROR, "mvapply: out of memory\n");
	abort();
}

void *memory_new(size_t count, size_t size)
{
	return memory_or_die(calloc(count, size));
}

void memory_share(void)
{
#ifdef M_ARENA_MAX
	(void)mallopt(M_ARENA_MAX, 1);
#endif
#ifdef M_MMAP_THRESHOLD
	(void)mallopt(M_MMAP_THRESHOLD, MMAP_THRESHOLD);
#endif
}
