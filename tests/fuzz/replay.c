/* Runs a target on its corpus, a line of TAP for each file: after a crash, the last named file is
 * the cause. */
#include "tests/fuzz/fuzz.h"

#include <glob.h>
#include <string.h>

/* In memory of exactly its size, so that AddressSanitizer detects reads beyond it. */
static int replay(const char *path)
{
	FILE *file = fopen(path, "re");
	if (!file || fseek(file, 0, SEEK_END) < 0)
		return -1;
	long size = ftell(file);
	uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
	rewind(file);
	int status = size >= 0 && data && fread(data, 1, (size_t)size, file) == (size_t)size
			     ? LLVMFuzzerTestOneInput(data, (size_t)size)
			     : -1;
	free(data);
	fclose(file);
	return status;
}

int main(int argc, char **argv)
{
	char pattern[256];
	glob_t found;
	const char *slash = strrchr(argv[0], '/');
	(void)argc;
	snprintf(pattern, sizeof(pattern), "tests/fuzz/corpus/%s/*", slash ? slash + 1 : argv[0]);
	if (glob(pattern, 0, NULL, &found) != 0) {
		printf("not ok %s: there is none (run it where the sources are)\n", pattern);
		return 1;
	}
	int failed = 0;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		fprintf(stderr, "%s\n", found.gl_pathv[i]);
		int status = replay(found.gl_pathv[i]);
		printf("%s %zu %s\n", status == 0 ? "ok" : "not ok", i + 1, found.gl_pathv[i]);
		fflush(stdout);
		failed |= status != 0;
	}
	globfree(&found);
	return failed;
}
