#include "lib/cleanup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void close_cleanup(const int *fd)
{
	const int errnum = errno;
	if (*fd >= 0)
		close(*fd);
	errno = errnum;
}

void fclose_cleanup(FILE **file)
{
	const int errnum = errno;
	if (*file)
		fclose(*file);
	errno = errnum;
}

void closedir_cleanup(DIR **directory)
{
	const int errnum = errno;
	if (*directory)
		closedir(*directory);
	errno = errnum;
}

void free_cleanup(void *memory)
{
	void *owned;
	memcpy(&owned, memory, sizeof(owned));
	free(owned);
}

int fd_steal(int *fd)
{
	const int stolen = *fd;
	*fd = -1;
	return stolen;
}
