#include "kernel/boot_id.h"

#include <stdio.h>
#include <string.h>

#define BOOT_ID_SIZE 64

const char *boot_id(struct arena *arena)
{
	char text[BOOT_ID_SIZE] = "";
	FILE *file = fopen("/proc/sys/kernel/random/boot_id", "re");
	if (!file)
		return "";
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	fclose(file);
	return arena_strndup(arena, text, strcspn(text, "\n"));
}
