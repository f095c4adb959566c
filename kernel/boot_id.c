#include "kernel/boot_id.h"

#include "lib/cleanup.h"
#include "lib/file_text.h"

#include <string.h>

const char *boot_id(struct arena *arena)
{
	cleanup_free char *text = file_text("/proc/sys/kernel/random/boot_id");
	return text ? arena_strndup(arena, text, strcspn(text, "\n")) : "";
}
