#include "lib/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool journal_reads(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat stat;
	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(fd, &stat) == 0 && stat.st_dev == device && stat.st_ino == inode;
}

void journal_stderr(enum log_level level, const char *lines)
{
	if (!journal_reads(STDERR_FILENO)) {
		fputs(lines, stderr);
		return;
	}
	for (size_t length; *lines; lines += length) {
		const char *end = strchr(lines, '\n');
		length = end ? (size_t)(end + 1 - lines) : strlen(lines);
		fprintf(stderr, "<%d>%.*s", level, (int)length, lines);
	}
}
