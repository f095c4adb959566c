#include "cmd/signals.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>

int signals_open(const int signals[], struct error *error)
{
	sigset_t set;
	sigemptyset(&set);
	for (size_t i = 0; signals[i]; i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	const int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? error_set(error, errno, "cannot wait for signals: %s", strerror(errno))
		      : fd;
}
