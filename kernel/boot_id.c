#include "kernel/boot_id.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define BOOT_ID_SIZE 64

const char *boot_id(struct arena *arena)
{
	char text[BOOT_ID_SIZE] = "";
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	const bool read = file && fgets(text, sizeof(text), file);
	if (file)
		fclose(file);
	return read ? arena_strndup(arena, text, strcspn(text, "\n")) : "";
}
