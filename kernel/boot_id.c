#include "kernel/boot_id.h"

#include "lib/cleanup.h"

#include <stdio.h>
#include <string.h>

#define BOOT_ID_SIZE 64

const char *boot_id(struct arena *arena)
{
	char text[BOOT_ID_SIZE] = "";
	cleanup_fclose FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	if (!file || !fgets(text, sizeof(text), file))
		return "";
	return arena_strndup(arena, text, strcspn(text, "\n"));
}
