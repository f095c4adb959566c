#include "lib/memory.h"

#include <stdio.h>
#include <stdlib.h>

void *memory_or_die(void *memory)
{
	if (memory)
		return memory;
	fputs("mvapply: out of memory\n", stderr);
	abort();
}

void *memory_new(size_t count, size_t size)
{
	return memory_or_die(calloc(count, size));
}
